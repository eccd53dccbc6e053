import { configureRequest, type ConfigureParams, type ConfigureResult, type KeyMaterial } from '../../../api/messages.ts';
import { networkOf } from '../../../config/network.ts';
import { keptLabel } from '../../../base/names.ts';
import { resolveOptions } from '../resolveOptions.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

/** Takes over the editor's settings and keys. */
export const configurationFeature: LspFeature = {
  name: 'configuration',
  register(context) {
    context.editor.onRequest(configureRequest, params => configure(context, params));
    return undefined;
  },
};

async function configure({ router, localEndpoint }: FeatureContext, { endpoints, routes, aliases, tools, keys, http, network }: ConfigureParams): Promise<ConfigureResult> {
  const { resolveConfig } = await import('../../../config/resolve.ts');
  const { config, problems } = resolveConfig({ endpoints, routes, aliases, tools }, resolveOptions);
  const reached = networkOf(network, process.env, message => { problems.push({ message }); });
  router.configure({ ...config, network: reached }, withBoundedLabels(keys), problems);
  localEndpoint.listen(http.enabled ? http.port : undefined);
  return { problems };
}

/** Keys by endpoint, with labels of bounded length. */
function withBoundedLabels(keys: ConfigureParams['keys']): Map<string, KeyMaterial[]> {
  return new Map(Object.entries(keys).map(([endpoint, materials]) => [endpoint, materials.map(key => ({ ...key, label: keptLabel(key.label) ?? 'key' }))]));
}
