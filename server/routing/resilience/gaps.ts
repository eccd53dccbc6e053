import type { LossOutcome, ResilienceGap } from '../../api/drill.ts';
import { parseTargetName } from '../../api/targetName.ts';
import type { JudgedLoss, Shortcoming } from './losses.ts';
import type { ReportView, RouteUnderTest, ResilienceView } from './whatIfView.ts';

/** The gaps of one route or model as sentences, each with the next action; the most serious first. */
export function resilienceGaps(route: RouteUnderTest, judged: readonly JudgedLoss[], view: ReportView): ResilienceGap[] {
  return [...nothingLeft(route, judged.map(({ outcome }) => outcome), view), ...notReady(route, view), ...weaker(judged)];
}

/** Losses after which no target is left. A second endpoint that is missing shows in several of them and is named once. */
function nothingLeft(route: RouteUnderTest, losses: readonly LossOutcome[], view: ReportView): ResilienceGap[] {
  const stops = (kind: LossOutcome['kind']): LossOutcome | undefined => losses.find(loss => loss.kind === kind && loss.result === 'stops');
  const fix = fixOf(route, view);
  const who = called(route);
  const endpoint = stops('endpoint')?.name;
  const model = stops('model')?.name;
  const account = stops('provider')?.name;
  const [only] = route.able;
  if (only === undefined) {
    return [{ problem: `${who} has no target that can serve.`, action: route.kind === 'route' ? 'Give it one that can.' : 'Add a provider that serves it.', fix }];
  }
  const gaps: ResilienceGap[] = [];
  if (endpoint !== undefined && route.able.length === 1) {
    gaps.push({
      problem: `${who} has one target only, "${only.name}": it stops when the endpoint${view.keys(endpoint).length === 1 ? ', its only key' : ''} or the model is lost.`,
      action: route.kind === 'route' ? 'Add a target with another model at another endpoint.' : 'Add another provider that serves it.', fix,
    });
    return gaps;
  }
  if (endpoint !== undefined) {
    gaps.push({
      problem: `All targets of ${who.charAt(0).toLowerCase()}${who.slice(1)} are at one endpoint: it stops when "${endpoint}"${view.keys(endpoint).length === 1 ? ' or its only key' : ''} is lost.`,
      action: 'Add a target at another endpoint.', fix,
    });
  } else if (account !== undefined) {
    gaps.push({
      problem: `All targets of ${who.charAt(0).toLowerCase()}${who.slice(1)} are of one provider, ${account}: an outage of it stops them all.`,
      action: 'Add a target of another provider.', fix: view.hasOtherAccount(account) ? fix : 'add-provider',
    });
  }
  if (model !== undefined) {
    gaps.push({ problem: `Every target of ${who.charAt(0).toLowerCase()}${who.slice(1)} is the model "${model}": it stops when the model is lost.`, action: 'Add a target with another model.', fix });
  }
  return gaps;
}

/** Targets that could not take over: now, or ever. */
function notReady(route: RouteUnderTest, view: ResilienceView): ResilienceGap[] {
  return route.targets.flatMap(({ target, state, note }): ResilienceGap[] => {
    if (state === 'ready') return [];
    const endpoint = parseTargetName(target)?.endpoint ?? target;
    const config = view.table.config.endpoints.get(endpoint);
    const keys = view.keys(endpoint);
    const problem = `"${target}" ${state === 'never' ? 'cannot serve' : 'cannot serve now'}: ${note ?? 'it is down'}.`;
    if (config === undefined) return [{ problem, action: 'Add the endpoint, or take the target out.', fix: 'edit-route' }];
    if (!config.enabled) return [{ problem, action: `Enable "${endpoint}", or take the target out.`, fix: 'enable', endpoint }];
    if (keys.length === 0 && config.provider.keyRequired) return [{ problem, action: `Add a key for "${endpoint}".`, fix: 'add-key', endpoint }];
    if (state === 'never') return [{ problem, action: 'Put another model in its place.', fix: fixOf(route, view) }];
    if (keys.length > 0 && keys.every(key => key.rejected)) return [{ problem, action: `Replace the key of "${endpoint}".`, fix: 'replace-key', endpoint }];
    return [{ problem, action: `Until "${endpoint}" is back, one loss less is survived; check its health.`, fix: 'check-health', endpoint }];
  });
}

/** What to add to a route whose fallback lacks something. */
const adviceOn: Readonly<Record<Shortcoming, string>> = {
  tools: 'Add a target that can call tools.',
  images: 'Add a target that can read images.',
  contextWindow: 'Add a target with as large a context window.',
};

/** Targets that take over and cannot do everything; each is named once, whatever loss makes it take over. */
function weaker(judged: readonly JudgedLoss[]): ResilienceGap[] {
  const reportedNotes = new Set<string>();
  return judged.flatMap(({ outcome: { note, name, kind }, lacks }): ResilienceGap[] => {
    if (lacks === undefined || note === undefined || reportedNotes.has(note)) return [];
    reportedNotes.add(note);
    return [{
      problem: `When ${kind === 'key' ? `the key ${name}` : `"${name}"`} is lost, the fallback serves less: ${note}`,
      action: adviceOn[lacks],
      fix: 'edit-route',
    }];
  });
}

/** Where there is but one endpoint, a second has to be added before it can be in a route. */
function fixOf(route: RouteUnderTest, view: ResilienceView): 'edit-route' | 'add-provider' {
  return route.kind === 'route' && view.table.config.endpoints.size > 1 ? 'edit-route' : 'add-provider';
}

function called({ kind, name }: RouteUnderTest): string {
  return `${kind === 'route' ? 'Route' : 'Model'} "${name}"`;
}
