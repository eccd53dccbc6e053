import { mostRequests, type SavingsDay, type SavingsGroup, type SavingsReport, type SavingsRequest, type SavingsSums } from '../../api/reports/savings.ts';
import { Reasons } from './reasons.ts';
import type { NoFigure, RequestFigure } from './requestSaving.ts';

/** What groups of requests are named by. */
export interface SavingsKeys { day: string; route: string; tool: string; workspace: string; branch: string; model: string }

/** A request as the report shows it by itself. */
export type ShownRequest = Pick<SavingsRequest, 'id' | 'startedAt' | 'tool' | 'route' | 'requestedModel' | 'target' | 'baseline'>;

const mostGroups = 200;
const otherGroups = '(others)';

/** Adds requests up, in whole micro-dollars, so that days and groups of each kind add up to the totals. */
export class SavingsBook {
  readonly #totals = noSavings();
  readonly #days: Map<string, SavingsDay>;
  readonly #groups = { route: new Map<string, SavingsGroup>(), tool: new Map<string, SavingsGroup>(), workspace: new Map<string, SavingsGroup>(), branch: new Map<string, SavingsGroup>(), model: new Map<string, SavingsGroup>() };
  readonly #reasons = new Reasons();
  readonly #best: SavingsRequest[] = [];
  readonly #worst: SavingsRequest[] = [];

  /** @param days each of the range, oldest first */
  constructor(days: readonly string[]) {
    this.#days = new Map(days.map(day => [day, { day, ...noSavings() }]));
  }

  add(keys: SavingsKeys, figure: RequestFigure | NoFigure, shown: ShownRequest): void {
    const sums: SavingsSums[] = [this.#totals];
    const day = this.#days.get(keys.day);
    if (day !== undefined) sums.push(day);
    for (const kind of ['route', 'tool', 'workspace', 'branch', 'model'] as const) sums.push(groupOf(this.#groups[kind], keys[kind]));
    if ('uncounted' in figure) {
      for (const sum of sums) sum.uncounted += 1;
      this.#reasons.add(figure.uncounted);
      return;
    }
    for (const sum of sums) addFigure(sum, figure);
    this.#keep(figure, shown);
  }

  report(): Pick<SavingsReport, 'totals' | 'days' | 'byRoute' | 'byTool' | 'byWorkspace' | 'byBranch' | 'byModel' | 'best' | 'worst' | 'uncounted'> {
    const { route, tool, workspace, branch, model } = this.#groups;
    return {
      totals: this.#totals, days: [...this.#days.values()],
      byRoute: inOrder(route), byTool: inOrder(tool), byWorkspace: inOrder(workspace), byBranch: inOrder(branch), byModel: inOrder(model),
      best: this.#best, worst: this.#worst,
      uncounted: this.#reasons.list(),
    };
  }

  /** Keeps the requests that saved most and lost most. */
  #keep(figure: RequestFigure, shown: ShownRequest): void {
    const { spentMicroUsd, baselineMicroUsd, baselineLowMicroUsd, baselineHighMicroUsd, estimated } = figure;
    const savedMicroUsd = baselineMicroUsd - spentMicroUsd;
    if (savedMicroUsd === 0) return;
    const [list, sign] = savedMicroUsd > 0 ? [this.#best, 1] : [this.#worst, -1];
    const last = list.at(-1);
    if (list.length === mostRequests && last !== undefined && last.savedMicroUsd * sign >= savedMicroUsd * sign) return;
    list.push({ ...shown, spentMicroUsd, baselineMicroUsd, savedMicroUsd, savedLowMicroUsd: baselineLowMicroUsd - spentMicroUsd, savedHighMicroUsd: baselineHighMicroUsd - spentMicroUsd, estimated });
    list.sort((one, other) => (other.savedMicroUsd - one.savedMicroUsd) * sign);
    if (list.length > mostRequests) list.pop();
  }
}

function addFigure(sum: SavingsSums, figure: RequestFigure): void {
  const { spentMicroUsd, baselineMicroUsd, baselineLowMicroUsd, baselineHighMicroUsd, overheads } = figure;
  sum.requests += figure.copy ? 0 : 1;
  sum.unanswered += figure.unanswered ? 1 : 0;
  if (figure.fromCache) {
    sum.fromCache += 1;
    sum.fromCacheMicroUsd += baselineMicroUsd;
  }
  sum.estimated += figure.estimated ? 1 : 0;
  sum.covered += figure.covered ? 1 : 0;
  sum.spentMicroUsd += spentMicroUsd;
  sum.baselineMicroUsd += baselineMicroUsd;
  sum.savedMicroUsd += baselineMicroUsd - spentMicroUsd;
  sum.savedLowMicroUsd += baselineLowMicroUsd - spentMicroUsd;
  sum.savedHighMicroUsd += baselineHighMicroUsd - spentMicroUsd;
  for (const name of ['failedMicroUsd', 'secondMicroUsd', 'shadowMicroUsd', 'rewritesMicroUsd'] as const) sum.overheads[name] += overheads[name];
}

function noSavings(): SavingsSums {
  return {
    requests: 0, unanswered: 0, fromCache: 0, fromCacheMicroUsd: 0, estimated: 0, covered: 0, spentMicroUsd: 0, baselineMicroUsd: 0, savedMicroUsd: 0, savedLowMicroUsd: 0, savedHighMicroUsd: 0,
    overheads: { failedMicroUsd: 0, secondMicroUsd: 0, shadowMicroUsd: 0, rewritesMicroUsd: 0 }, uncounted: 0,
  };
}

function groupOf(groups: Map<string, SavingsGroup>, name: string): SavingsGroup {
  const known = groups.get(name) ?? (groups.size < mostGroups ? undefined : groups.get(otherGroups));
  if (known !== undefined) return known;
  const made: SavingsGroup = { name: groups.size < mostGroups ? name : otherGroups, ...noSavings() };
  groups.set(made.name, made);
  return made;
}

function inOrder(groups: Map<string, SavingsGroup>): SavingsGroup[] {
  return [...groups.values()].sort((one, other) => other.savedMicroUsd - one.savedMicroUsd || one.name.localeCompare(other.name));
}
