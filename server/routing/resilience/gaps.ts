import type { LossOutcome, ResilienceGap } from '../../api/drill.ts';
import { englishOf, said, type Said } from '../../api/localization/said.ts';
import { parseTargetName } from '../../api/targetName.ts';
import type { JudgedLoss, Shortcoming } from './losses.ts';
import type { ReportView, RouteUnderTest, ResilienceView } from './whatIfView.ts';

/** The gaps of one route or model as sentences, each with the next action; the most serious first. */
export function resilienceGaps(route: RouteUnderTest, judged: readonly JudgedLoss[], view: ReportView): ResilienceGap[] {
  return [...nothingLeft(route, judged.map(({ outcome }) => outcome), view), ...notReady(route, view), ...weaker(judged)];
}

/** A gap with its sentences, in English and with what they are made of. */
function gap(problem: Said, action: Said, fix: ResilienceGap['fix'], endpoint?: string): ResilienceGap {
  return { problem: englishOf(problem), action: englishOf(action), saidProblem: problem, saidAction: action, fix, ...(endpoint === undefined ? {} : { endpoint }) };
}

/** Losses after which no target is left. A second endpoint that is missing shows in several of them and is named once. */
function nothingLeft(route: RouteUnderTest, losses: readonly LossOutcome[], view: ReportView): ResilienceGap[] {
  const stops = (kind: LossOutcome['kind']): LossOutcome | undefined => losses.find(loss => loss.kind === kind && loss.result === 'stops');
  const fix = fixOf(route, view);
  const isRoute = route.kind === 'route';
  const who = isRoute ? said('Route "{0}"', route.name) : said('Model "{0}"', route.name);
  const what = isRoute ? said('route "{0}"', route.name) : said('model "{0}"', route.name);
  const endpoint = stops('endpoint')?.name;
  const model = stops('model')?.name;
  const account = stops('provider')?.name;
  const [only] = route.able;
  if (only === undefined) return [gap(said('{0} has no target that can serve.', who), isRoute ? said('Give it one that can.') : said('Add a provider that serves it.'), fix)];
  const hasOneKey = endpoint !== undefined && view.keys(endpoint).length === 1;
  if (endpoint !== undefined && route.able.length === 1) {
    return [gap(
      hasOneKey ? said('{0} has one target only, "{1}": it stops when the endpoint, its only key or the model is lost.', who, only.name) : said('{0} has one target only, "{1}": it stops when the endpoint or the model is lost.', who, only.name),
      isRoute ? said('Add a target with another model at another endpoint.') : said('Add another provider that serves it.'), fix,
    )];
  }
  const gaps: ResilienceGap[] = [];
  if (endpoint !== undefined) {
    gaps.push(gap(
      hasOneKey ? said('All targets of {0} are at one endpoint: it stops when "{1}" or its only key is lost.', what, endpoint) : said('All targets of {0} are at one endpoint: it stops when "{1}" is lost.', what, endpoint),
      said('Add a target at another endpoint.'), fix,
    ));
  } else if (account !== undefined) {
    gaps.push(gap(said('All targets of {0} are of one provider, {1}: an outage of it stops them all.', what, account), said('Add a target of another provider.'), view.hasOtherAccount(account) ? fix : 'add-provider'));
  }
  if (model !== undefined) gaps.push(gap(said('Every target of {0} is the model "{1}": it stops when the model is lost.', what, model), said('Add a target with another model.'), fix));
  return gaps;
}

/** Targets that could not take over: now, or ever. */
function notReady(route: RouteUnderTest, view: ResilienceView): ResilienceGap[] {
  return route.targets.flatMap(({ target, state, note }): ResilienceGap[] => {
    if (state === 'ready') return [];
    const endpoint = parseTargetName(target)?.endpoint ?? target;
    const config = view.table.config.endpoints.get(endpoint);
    const keys = view.keys(endpoint);
    const why = note ?? said('it is down');
    const problem = state === 'never' ? said('"{0}" cannot serve: {1}.', target, why) : said('"{0}" cannot serve now: {1}.', target, why);
    if (config === undefined) return [gap(problem, said('Add the endpoint, or take the target out.'), 'edit-route')];
    if (!config.enabled) return [gap(problem, said('Enable "{0}", or take the target out.', endpoint), 'enable', endpoint)];
    if (keys.length === 0 && config.provider.keyRequired) return [gap(problem, said('Add a key for "{0}".', endpoint), 'add-key', endpoint)];
    if (state === 'never') return [gap(problem, said('Put another model in its place.'), fixOf(route, view))];
    if (keys.length > 0 && keys.every(key => key.rejected)) return [gap(problem, said('Replace the key of "{0}".', endpoint), 'replace-key', endpoint)];
    return [gap(problem, said('Until "{0}" is back, one loss less is survived; check its health.', endpoint), 'check-health', endpoint)];
  });
}

/** What to add to a route whose fallback lacks something. */
const adviceOn: Readonly<Record<Shortcoming, Said>> = {
  tools: said('Add a target that can call tools.'),
  images: said('Add a target that can read images.'),
  contextWindow: said('Add a target with as large a context window.'),
};

/** Targets that take over and cannot do everything; each is named once, whatever loss makes it take over. */
function weaker(judged: readonly JudgedLoss[]): ResilienceGap[] {
  const reportedNotes = new Set<string>();
  return judged.flatMap(({ outcome: { note, name, kind }, lacks }): ResilienceGap[] => {
    if (lacks === undefined || note === undefined || reportedNotes.has(note)) return [];
    reportedNotes.add(note);
    return [gap(
      kind === 'key' ? said('When the key {0} is lost, the fallback serves less: {1}', name, note) : said('When "{0}" is lost, the fallback serves less: {1}', name, note),
      adviceOn[lacks], 'edit-route',
    )];
  });
}

/** Where there is but one endpoint, a second has to be added before it can be in a route. */
function fixOf(route: RouteUnderTest, view: ResilienceView): 'edit-route' | 'add-provider' {
  return route.kind === 'route' && view.table.config.endpoints.size > 1 ? 'edit-route' : 'add-provider';
}
