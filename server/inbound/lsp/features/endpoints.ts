import type { CancellationToken } from 'vscode-languageserver';
import { probeRequest, testEndpointRequest, type TestEndpointParams, type TestEndpointResult } from '../../../api/messages.ts';
import { endpointRequest } from '../../../api/endpoints/pause.ts';
import type { Router } from '../../../router/router.ts';
import type { TestedKeys } from '../../../router/testEndpoint.ts';
import { resolveOptions } from '../resolveOptions.ts';
import type { LspFeature, Simulation } from './feature.ts';

/** Tests of endpoints: before they are saved, and of those that are configured. */
export const endpointsFeature: LspFeature = {
  name: 'endpoints',
  register({ editor, router, simulation }) {
    editor.onRequest(testEndpointRequest, (params, token) => testEndpoint(router, simulation, params, token));
    editor.onRequest(endpointRequest, order => router.endpoints.act(order));
    editor.onRequest(probeRequest, ({ endpoint }) => router.probe(endpoint));
    return undefined;
  },
};

async function testEndpoint(router: Router, simulation: Simulation, params: TestEndpointParams, token: CancellationToken): Promise<TestEndpointResult> {
  const { resolveConfig } = await import('../../../config/resolve.ts');
  const played = await simulation.addressed({ [params.name]: params.settings });
  const { config, problems } = resolveConfig({ endpoints: played.endpoints, routes: {} }, resolveOptions);
  const endpoint = config.endpoints.get(params.name);
  if (endpoint === undefined) return { ok: false, failureClass: 'bad-request', message: played.problems[0] ?? problems[0]?.message ?? 'The endpoint is not complete.', models: [] };
  const aborter = new AbortController();
  const registration = token.onCancellationRequested(() => aborter.abort());
  try {
    return await router.testEndpoint(endpoint, testedKeys(params), aborter.signal);
  } finally {
    registration.dispose();
  }
}

/** A key that was typed for the test wins over those that the endpoint has. */
function testedKeys({ secret, keyId }: TestEndpointParams): TestedKeys {
  return secret === undefined ? { kind: 'configured', keyId } : { kind: 'typed', secret };
}
