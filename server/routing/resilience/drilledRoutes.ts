import type { DrilledRoute, RunningDrill } from '../../api/drill.ts';
import { defaultSlowMs } from '../../api/drill.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import { makePlan } from '../makePlan.ts';
import { chatRequirements, sampleRequest, WhatIfView, ReportView, routesUnderTest, type ResilienceView } from './whatIfView.ts';

/** What a request meets at a target: nothing, no answer, a late one, or one that breaks off. */
type Effect = 'none' | 'fails' | 'slow' | 'cut';

/**
 * How each route answers while drills run: the plan as it is now, walked as a request would walk it. Models stand in for
 * routes where there are none. Empty while no drill runs.
 */
export function drilledRoutes(view: ResilienceView): DrilledRoute[] {
  if (view.drills().length === 0) return [];
  const withoutDrills = new WhatIfView(new ReportView(view), undefined, true);
  const all = routesUnderTest(view.table);
  const routes = all.filter(one => one.kind === 'route');
  return (routes.length > 0 ? routes : all).map(one => drilledRoute(one, view, withoutDrills));
}

function drilledRoute({ name, kind }: { name: string; kind: 'route' | 'model' }, view: ResilienceView, withoutDrills: WhatIfView): DrilledRoute {
  const request = sampleRequest(name, chatRequirements);
  const usually = makePlan(request, withoutDrills).plan.targets[0]?.target;
  const { plan, coolingDown } = makePlan(request, view);
  const shared = { name, kind, usually };
  const failed: PlannedTarget[] = [];
  for (const [index, target] of plan.targets.entries()) {
    const { effect, drill } = effectOn(target, view);
    switch (effect) {
      case 'fails':
        failed.push(target);
        continue;
      case 'none':
        return target.target === usually
          ? { ...shared, effect: 'unaffected', answeredBy: target.target, note: `${target.target} answers as usual.` }
          : { ...shared, effect: 'taken-over', answeredBy: target.target, note: takenOver(target, failed, usually) };
      case 'slow':
        return { ...shared, effect: 'slow', answeredBy: target.target, note: `${target.target} answers ${seconds(drill?.slowMs ?? defaultSlowMs)} later than usual, or the next one when its timers do not wait so long.` };
      case 'cut': {
        const next = plan.targets.slice(index + 1).find(other => effectOn(other, view).effect === 'none');
        return { ...shared, ...broken(target, next, view.table.config.routes.get(name)?.afterCommit === 'resume') };
      }
    }
  }
  const back = coolingDown.find(one => effectOn(one.target, view).effect === 'none');
  return {
    ...shared, effect: 'lost',
    note: back === undefined ? 'Nothing answers: no target is left.' : `Nothing answers now: ${back.target.target} rests as well.`,
  };
}

/** The worst effect of drills on a target. A dead key has no effect while another key can be used. */
function effectOn(target: PlannedTarget, view: ResilienceView): { effect: Effect; drill?: RunningDrill } {
  const found = view.drills().find(drill => drill.endpoint === target.endpoint && (drill.model === undefined || drill.model === target.model));
  if (found === undefined) return { effect: 'none' };
  if (found.keyId !== undefined && view.keys(target.endpoint).some(key => key.id !== found.keyId && key.usable)) return { effect: 'none' };
  switch (found.fault) {
    case 'slow': return { effect: 'slow', drill: found };
    case 'cut': return { effect: 'cut', drill: found };
    case 'down':
    case 'rate-limit':
    case 'dead-key': return { effect: 'fails', drill: found };
  }
}

function takenOver(target: PlannedTarget, failed: readonly PlannedTarget[], usually: string | undefined): string {
  if (failed.length > 0) return `${target.target} answers after ${failed.map(one => one.target).join(' and ')} failed by the drill.`;
  return usually === undefined ? `${target.target} answers.` : `${target.target} answers at once: ${usually} is not tried for now.`;
}

function broken(target: PlannedTarget, next: PlannedTarget | undefined, resumes: boolean): Pick<DrilledRoute, 'effect' | 'answeredBy' | 'note'> {
  if (next === undefined) return { effect: 'lost', note: `${target.target} breaks off in mid-answer, and nothing is left to begin again with.` };
  return resumes
    ? { effect: 'taken-over', answeredBy: next.target, note: `${target.target} breaks off in mid-answer, and ${next.target} goes on from there.` }
    : { effect: 'broken', answeredBy: next.target, note: `${target.target} breaks off in mid-answer: the chat begins again at ${next.target}, other tools get an error.` };
}

function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 100) / 10)} s`;
}
