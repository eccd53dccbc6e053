import { agentToolsFeature } from './agentTools.ts';
import { billsFeature } from './bills.ts';
import { budgetsFeature } from './budgets.ts';
import { canaryFeature } from './canary.ts';
import { catalogFeature } from './catalog.ts';
import { chatFeature } from './chat.ts';
import { configurationFeature } from './configuration.ts';
import { drillsFeature } from './drills.ts';
import { dryRunFeature } from './dryRun.ts';
import { endpointsFeature } from './endpoints.ts';
import type { LspFeature } from './feature.ts';
import { historyFeature } from './history.ts';
import { reportsFeature } from './reports.ts';
import { shadowFeature } from './shadow.ts';
import { rulesFileFeature } from './rulesFile.ts';
import { rulesHistoryFeature } from './rulesHistory.ts';
import { routesFeature } from './routes.ts';
import { responseCacheFeature } from './responseCache.ts';
import { statusFeature } from './status.ts';
import { toolTokensFeature } from './toolTokens.ts';

/** Every feature of the language server. A new one is a file and a line here. */
export const lspFeatures: readonly LspFeature[] = [
  statusFeature, configurationFeature, chatFeature, endpointsFeature, historyFeature, billsFeature, catalogFeature, toolTokensFeature, drillsFeature, canaryFeature, shadowFeature, responseCacheFeature, reportsFeature, rulesFileFeature, dryRunFeature, rulesHistoryFeature, routesFeature, budgetsFeature, agentToolsFeature,
];
