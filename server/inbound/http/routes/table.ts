import { canaryActions } from '../../../api/canary.ts';
import { shadowActions } from '../../../api/shadow.ts';
import { budgetRoutes } from './budgets.ts';
import { conversationRoutes } from './conversations.ts';
import { countTokensRoutes } from './countTokens.ts';
import { endpointsRoutes } from './endpoints.ts';
import { drillRoutes } from './drills.ts';
import { exchangesRoutes } from './exchanges.ts';
import { exportRoute } from './spend/exportRequests.ts';
import { geminiRoutes } from './gemini.ts';
import { healthRoutes } from './health.ts';
import type { HttpRoute } from './httpRoute.ts';
import { identityRoute } from './identity.ts';
import { greetingRoutes } from './greeting.ts';
import { metricsRoute } from './monitoring/metrics.ts';
import { mcpRoute } from './mcp.ts';
import { modelsRoutes } from './models.ts';
import { ollamaTagsRoute } from './ollamaTags.ts';
import { operationRoutes } from './operations.ts';
import { reconcileRoute } from './reconcile.ts';
import { responseCacheRoutes } from './responseCache.ts';
import { RouteTable } from './routeTable.ts';
import { cacheReportRoute, incidentsRoute, migrationRoute, savingsRoute } from './savings.ts';
import { runningPolicyRoutes } from './runningPolicies.ts';
import { spendRoute } from './spend/spend.ts';
import { statusRoute } from './status.ts';

/** Every route of the local endpoint. A new one is a file and a line here. Calls of Gemini come first: their pattern fits below any path. */
export const httpRoutes: readonly HttpRoute[] = [
  ...geminiRoutes, ...conversationRoutes, ...operationRoutes, ...countTokensRoutes,
  ...modelsRoutes, ollamaTagsRoute,
  ...healthRoutes, metricsRoute, identityRoute, statusRoute, ...endpointsRoutes, ...drillRoutes, spendRoute, exportRoute, savingsRoute, migrationRoute, incidentsRoute, cacheReportRoute, reconcileRoute, 
  ...runningPolicyRoutes('canary', canaryActions, ({ router }, order) => router.canaries.act(order)), ...runningPolicyRoutes('shadow', shadowActions, ({ router }, order) => router.shadows.act(order)),
  ...responseCacheRoutes, ...budgetRoutes, ...exchangesRoutes, mcpRoute,
  ...greetingRoutes,
];

export const routeTable = new RouteTable(httpRoutes);
