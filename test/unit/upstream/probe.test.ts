import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { GoogleTokens } from '../../../server/upstream/interceptors/googleTokens.ts';
import { probeEndpoint, type ProbeResult } from '../../../server/upstream/probe.ts';
import { googleAuth } from '../../../server/upstream/interceptors/googleAuth.ts';
import { Transport } from '../../../server/upstream/transport.ts';

interface Seen { line: string; headers: IncomingMessage['headers'] }

/** Probes a provider that is played by a local server. */
async function probe(
  settings: Record<string, unknown>, answer: (path: string, body: string) => { status?: number; body: unknown }, options: { listModels?: boolean; tokens?: GoogleTokens } = {},
): Promise<{ result: ProbeResult; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    request.on('end', () => {
      seen.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.headers });
      const said = answer(request.url ?? '', body);
      response.writeHead(said.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(said.body));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const transport = new Transport(options.tokens === undefined ? [] : [googleAuth(options.tokens)]);
  try {
    const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const { config, problems } = resolveConfig(
      { endpoints: { it: { ...settings, baseUrl: origin + String(settings['baseUrl'] ?? '') } }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' },
    );
    assert.deepEqual(problems, []);
    const endpoint: EndpointConfig = config.endpoints.get('it') ?? assert.fail();
    const result = await probeEndpoint(transport, endpoint, { id: '1', label: 'k', secret: options.tokens === undefined ? 'key-1' : '{"type":"service_account"}' }, { listModels: options.listModels ?? true, now: 0 });
    return { result, seen };
  } finally {
    await transport.shutdown();
    server.closeAllConnections();
    server.close();
  }
}

describe('a probe', () => {
  test('of Gemini carries the key as Google wants it, and lists models with their facts', async () => {
    const { result, seen } = await probe({ provider: 'gemini' }, () => ({ body: { models: [{ name: 'models/gemini-2.5-pro', inputTokenLimit: 1_048_576, supportedGenerationMethods: ['generateContent'] }] } }));
    assert.deepEqual(seen.map(one => [one.line, one.headers['x-goog-api-key'], one.headers.authorization]), [
      ['GET /v1beta/models?pageSize=1', 'key-1', undefined], ['GET /v1beta/models?pageSize=1000', 'key-1', undefined],
    ]);
    assert.deepEqual([result.ok, result.provedKey], [true, true]);
    assert.deepEqual(result.models, [{ name: 'gemini-2.5-pro', facts: { contextWindow: 1_048_576 } }]);
  });

  test('of Ollama asks for each model, so that its context window is known', async () => {
    const { result, seen } = await probe({ provider: 'ollama', baseUrl: '/v1' }, (path, body) => (path === '/api/show'
      ? { body: { model_info: { 'qwen3.context_length': body.includes('qwen3') ? 40_960 : 8192 }, capabilities: ['completion', 'tools'] } }
      : { body: { data: [{ id: 'qwen3:8b' }, { id: 'old' }] } }));
    assert.deepEqual(seen.map(one => one.line).sort(), ['GET /v1/models', 'POST /api/show', 'POST /api/show']);
    assert.deepEqual(result.models?.map(model => [model.name, model.facts?.contextWindow, model.facts?.tools]), [['qwen3:8b', 40_960, true], ['old', 8192, true]]);
  });

  test('of Ollama does not ask again for each model at every check', async () => {
    const { seen } = await probe({ provider: 'ollama', baseUrl: '/v1' }, () => ({ body: { data: [{ id: 'a' }] } }), { listModels: false });
    assert.deepEqual(seen.map(one => one.line), ['GET /v1/models']);
  });

  test('of Azure OpenAI proves the key and takes no list for deployments', async () => {
    const { result, seen } = await probe({ provider: 'azure' }, () => ({ body: { data: [{ id: 'gpt-4.1' }] } }));
    assert.deepEqual(seen.map(one => [one.line, one.headers['api-key']]), [['GET /openai/v1/models', 'key-1']]);
    assert.deepEqual([result.provedKey, result.models], [true, undefined]);
  });

  test('of Vertex AI is content with a login that went well, where the account may not list models', async () => {
    const tokens = { token: () => Promise.resolve({ token: 't-1', project: 'p' }), forget: () => undefined } as unknown as GoogleTokens;
    const forbidden = { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } } };
    const { result, seen } = await probe({ provider: 'vertex' }, () => forbidden, { tokens });
    assert.deepEqual(seen.map(one => [one.line, one.headers.authorization]), [['GET /v1beta1/publishers/google/models?pageSize=1', 'Bearer t-1']]);
    assert.deepEqual([result.ok, result.provedKey, result.error], [true, true, undefined]);
    assert.equal((await probe({ provider: 'gemini' }, () => forbidden)).result.error?.failureClass, 'auth');
  });

  test("of Anthropic speaks the version the user chose", async () => {
    const { seen } = await probe({ provider: 'anthropic', anthropicVersion: '2026-10-21' }, () => ({ body: { data: [] } }), { listModels: false });
    assert.equal(seen[0]?.headers['anthropic-version'], '2026-10-21');
  });

  test('recognizes a wrong key of Gemini, which comes as a wrong request', async () => {
    const { result } = await probe({ provider: 'gemini' }, () => ({
      status: 400, body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid.', details: [{ reason: 'API_KEY_INVALID' }] } },
    }));
    assert.equal(result.error?.failureClass, 'auth');
  });
});
