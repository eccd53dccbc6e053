import { t } from '@vscode/l10n';
import type { RouteSettings } from '../../../server/api/settings.ts';
import { canaryPolicy } from './canary.ts';
import { capPolicy, lastResortPolicy } from './caps.ts';
import { afterCommitPolicy, hedgePolicy, refusalPolicy } from './failures.ts';
import { equivalentsPolicy, strategyPolicy } from './ordering.ts';
import { responseCachePolicy } from './responseCache.ts';
import type { Policy } from './policy.ts';
import { kindPolicy, rolePolicy } from './purposes.ts';
import { shadowPolicy } from './shadow.ts';
import { timeoutPolicy } from './timeouts.ts';
import { warmCachePolicy } from './warmCache.ts';

/**
 * What "Edit Route…" and the Routes view offer of a route beside its targets, in the order in which it is shown.
 *
 * A policy more is one entry here, described in a file beside this one as fields (`policy.ts`): a choice, a number, a
 * text, a model or route, or models in order. `partOfRoute('timeouts', 'idleMs')` is the `get` and `set` of a field
 * within an object of the route's settings, and writes no default. The wizard asks for the fields; the Routes view and
 * the list of Edit Route show `policyText`. `test/unit/client/settings/policies.test.ts` tries every entry.
 * Policies of a provider are in `endpointPolicies.ts`.
 */
export const routePolicies = {
  strategy: strategyPolicy,
  equivalents: equivalentsPolicy,
  byRole: rolePolicy,
  byKind: kindPolicy,
  canary: canaryPolicy,
  shadow: shadowPolicy,
  caps: capPolicy,
  lastResort: lastResortPolicy,
  timeouts: timeoutPolicy<RouteSettings>(t("as the provider's")),
  afterCommit: afterCommitPolicy,
  hedge: hedgePolicy,
  onRefusal: refusalPolicy,
  warmCache: warmCachePolicy,
  responseCache: responseCachePolicy,
} as const satisfies Readonly<Record<string, Policy>>;

export type RoutePolicyName = keyof typeof routePolicies;
export const routePolicyNames = Object.keys(routePolicies) as RoutePolicyName[];
