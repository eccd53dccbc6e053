import type { ModelSettings } from '../api/settings.ts';
import { canonicalModelName } from '../catalog/modelNames.ts';
import type { EndpointConfig } from '../config/config.ts';

/**
 * What the user set for a model at an endpoint, under whichever spelling.
 * @param model canonical, or the user's own spelling
 */
export function modelSettings(endpoint: Pick<EndpointConfig, 'models'> | undefined, model: string): ModelSettings | undefined {
  if (endpoint === undefined) return undefined;
  // The name comes from callers: only what the user wrote counts, not what every object has.
  if (Object.hasOwn(endpoint.models, model)) return endpoint.models[model];
  for (const name in endpoint.models) if (canonicalModelName(name) === model) return endpoint.models[name];
  return undefined;
}
