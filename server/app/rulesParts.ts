import type { Config } from '../config/config.ts';
import { createHealthRegistry } from '../health/registry.ts';
import { ModelFactsCache } from '../models/factsCache.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import { ExpectedUsage } from '../pricing/expectedUsage.ts';
import type { Pricer } from '../pricing/pricing.ts';
import { RouteTable } from '../routing/routeTable.ts';
import { Turns } from '../routing/turns.ts';
import type { ReplayParts } from '../router/rules/dryRun.ts';
import { FirstTokenAverages } from '../timeouts/firstTokenAverages.ts';

/** The route table of a configuration that is not in use, with the lists of models that are known. */
export function routeTableOf(config: Config, directory: Pick<ModelDirectory, 'withConfig'>, pricer: Pick<Pricer, 'contextWindow' | 'isReady'>, now: () => number): RouteTable {
  const own = directory.withConfig(config);
  const facts = new ModelFactsCache({ directory: own, pricer, config: () => config, now });
  return new RouteTable({ config, directory: own, facts: (endpoint, model) => facts.facts(endpoint, model) });
}

/** What a dry run learns from recorded requests as it goes: apart from what the server knows now, and the same each time. */
export function replayParts(startedAt: number): ReplayParts {
  const random = (): number => 0.5;
  return { random, healthRegistry: createHealthRegistry({ random, startedAt }), firstTokens: new FirstTokenAverages(), expectedUsage: new ExpectedUsage(), turns: new Turns(() => 0) };
}
