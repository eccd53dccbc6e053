import type { ModelSettings } from '../api/settings.ts';
import { canonicalModelName } from '../catalog/modelNames.ts';
import type { EndpointConfig } from '../config/config.ts';

type Written = EndpointConfig['models'];

/** The settings of each model by canonical name, indexed at the first question. An entry goes when its configuration does. */
const byCanonicalName = new WeakMap<Written, ReadonlyMap<string, ModelSettings>>();

/**
 * What the user set for a model at an endpoint, under whichever spelling.
 * @param model canonical, the user's own spelling, or an id of the provider: settings of its canonical name hold for it, too
 */
export function modelSettings(endpoint: Pick<EndpointConfig, 'models'> | undefined, model: string): ModelSettings | undefined {
  if (endpoint === undefined) return undefined;
  const { models } = endpoint;
  if (Object.hasOwn(models, model)) return models[model];
  let canonical = byCanonicalName.get(models);
  if (canonical === undefined) byCanonicalName.set(models, canonical = ordered(models));
  return canonical.get(model) ?? canonical.get(canonicalModelName(model));
}

/** Where several spellings of one model have settings, the first counts. */
function ordered(models: Written): ReadonlyMap<string, ModelSettings> {
  const found = new Map<string, ModelSettings>();
  for (const [spelling, settings] of Object.entries(models)) {
    const name = canonicalModelName(spelling);
    if (!found.has(name)) found.set(name, settings);
  }
  return found;
}
