import type { Requirements } from '../api/routes/requirements.ts';
import type { Purpose } from '../api/purpose.ts';
import type { TryRouteParams, TryRouteResult } from '../api/routes/tryRoute.ts';
import { requestKind } from '../routing/classify.ts';
import type { MakePlan, RoutingRequest, RoutingView } from '../routing/plan.ts';
import type { ViewNow } from './view.ts';

/** Where a request that is made up would go now. It takes no turn of a route, and no arm of a canary is drawn for it. */
export function rehearse({ requestedModel, inputTokens, maxOutputTokens, tools, images, role, kind }: TryRouteParams, makePlan: MakePlan, viewNow: ViewNow): TryRouteResult {
  const requirements: Requirements = { tools, images, documents: false, jsonSchema: false, estimatedInputTokens: inputTokens, maxOutputTokens };
  const purpose: Purpose | undefined = role === undefined && kind === undefined ? undefined : { role: role ?? 'main', kind: kind ?? 'balanced', why: 'that was chosen for the dry run' };
  const request: RoutingRequest = {
    requestedModel, requirements, caller: { tool: 'vscode-chat' }, kind: requestKind({ requirements }), stream: true, conversation: '', rehearsal: true, ...(purpose === undefined ? {} : { purpose }),
  };
  const view = viewNow(inputTokens, maxOutputTokens);
  const { plan, targets } = makePlan(request, withoutCanaries(view));
  return { plan, expectedMicroUsd: targets.map(target => view.signals.expectedCostMicroUsd(target, request) ?? null) };
}

function withoutCanaries(view: RoutingView): RoutingView {
  const { table, now, signals, random } = view;
  return { table, now, signals, random, admission: (endpoint, model) => view.admission(endpoint, model), keysBlocked: (endpoint, model) => view.keysBlocked(endpoint, model) };
}
