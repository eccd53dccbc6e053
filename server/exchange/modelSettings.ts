import type { ModelSettings } from '../api/settings.ts';
import { canonicalModelName } from '../catalog/modelNames.ts';
import type { EndpointConfig } from '../config/config.ts';

/**
 * What the user set for a model at an endpoint, under whichever spelling.
 * @param model canonical, or the user's own spelling
 */
export function modelSettings(endpoint: Pick<EndpointConfig, 'models'> | undefined, model: string): ModelSettings | undefined {
  if (endpoint === undefined) return undefined;
  const exact = endpoint.models[model];
  if (exact !== undefined) return exact;
  for (const name in endpoint.models) if (canonicalModelName(name) === model) return endpoint.models[name];
  return undefined;
}
