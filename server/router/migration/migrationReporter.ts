import { featuresOf, type RequestFeature } from '../../api/reports/features.ts';
import type { MigrationParams, MigrationReport, MigrationResult, UsedTarget } from '../../api/reports/migration.ts';
import { englishOf, said, type Said } from '../../api/localization/said.ts';
import { placeHelp } from '../../api/reports/savings.ts';
import { readSpendFilter } from '../../api/reports/dashboard.ts';
import type { Attempt } from '../../api/receipt.ts';
import { promptTokens } from '../../api/usage.ts';
import type { UsedExchange } from '../../ledger/usedExchange.ts';
import { answerUsage, isFromCache, splitAttempts } from '../../pricing/savings/answer.ts';
import { Reasons } from '../../pricing/savings/reasons.ts';
import { addUsage, sumCost } from '../../pricing/sums.ts';
import { readBaseline, type Baseline, type ComparedPlace } from '../savings/baseline.ts';
import { daysOf, pagesOf, type SavingsReporterOptions } from '../savings/savingsReporter.ts';
import { featureUses } from './featureGaps.ts';
import { migrationSteps } from './migrationSteps.ts';
import { MovedLines } from './movedLines.ts';

/** Says what was used in some days, what it would cost elsewhere, what the other side lacks, and how to move there. */
export class MigrationReporter {
  readonly #options: SavingsReporterOptions;

  constructor(options: SavingsReporterOptions) {
    this.#options = options;
  }

  async report(params: MigrationParams, signal?: AbortSignal): Promise<MigrationResult> {
    const { routeTable, pricer, clock } = this.#options;
    const table = routeTable();
    const days = daysOf(params.fromDay, params.toDay);
    if ('problem' in days) return days;
    const wanted = params.to.trim();
    if (wanted === '' || wanted === 'first') return { problem: `Give where to move: ${placeHelp}.` };
    const to = readBaseline(wanted, table, placeHelp);
    if ('problem' in to) return to;
    const { of } = params;
    if (of !== undefined && !table.config.endpoints.has(of)) return { problem: `There is no endpoint "${of.slice(0, 60)}": leave it out, or give one of ${[...table.config.endpoints.keys()].slice(0, 10).join(', ') || 'your own'}.` };
    const filter = readSpendFilter(params.filter);
    await pricer.ready();
    const use = new Use(to, new MovedLines(request => pricer.priceAttempt(request)));
    for await (const page of pagesOf(this.#options.used, days, signal, filter)) for (const exchange of page) if (exchange.leftOut !== true) use.add(exchange, of);
    const lines = use.lines.lines();
    const sum = (of: 'requests' | 'spentMicroUsd' | 'microUsd' | 'lowMicroUsd' | 'highMicroUsd'): number => lines.reduce((total, line) => total + line[of], 0);
    const places = [...use.places.values()];
    const route = largest(use.routes);
    const report: MigrationReport = {
      to: englishOf(to.words), saidTo: to.words, ...(of === undefined ? {} : { of }), fromDay: params.fromDay, toDay: params.toDay, days: days.names.length, at: clock.now(), requests: use.requests, unanswered: use.unanswered, fromCache: use.fromCache,
      used: [...use.used.values()].sort((one, other) => other.spentMicroUsd - one.spentMicroUsd || other.requests - one.requests || one.target.localeCompare(other.target)),
      tools: [...use.tools].map(([name, requests]) => ({ name, requests })).sort((one, other) => other.requests - one.requests || one.name.localeCompare(other.name)).slice(0, 20),
      features: featureUses(use, places), featuresUnknown: use.featuresUnknown, lines,
      totals: { requests: sum('requests'), spentMicroUsd: sum('spentMicroUsd'), microUsd: sum('microUsd'), lowMicroUsd: sum('lowMicroUsd'), highMicroUsd: sum('highMicroUsd'), estimated: lines.some(line => line.estimated) },
      uncounted: use.uncounted.list(),
      steps: migrationSteps({ places, route, perDay: (route === undefined ? use.requests : use.routes.get(route) ?? 0) / days.names.length, table, now: largest(new Map([...use.used].map(([target, { requests }]) => [target, requests]))) }),
    };
    return { report };
  }
}

/** What was used, added up request by request. */
class Use {
  readonly lines: MovedLines;
  readonly used = new Map<string, UsedTarget>();
  readonly tools = new Map<string, number>();
  readonly routes = new Map<string, number>();
  readonly counts = new Map<RequestFeature, number>();
  readonly places = new Map<string, ComparedPlace>();
  readonly uncounted = new Reasons();
  requests = 0;
  unanswered = 0;
  fromCache = 0;
  featuresUnknown = 0;
  cached = 0;
  streamed = 0;
  largestPrompt = 0;
  largestOutput = 0;
  readonly #to: Baseline;

  constructor(to: Baseline, lines: MovedLines) {
    this.#to = to;
    this.lines = lines;
  }

  /** @param of only what this endpoint answered */
  add(exchange: UsedExchange, of: string | undefined): void {
    const { answer, shadow } = splitAttempts(exchange);
    const leading = answer.at(-1);
    // Copies for comparison are no requests of callers.
    if (leading === undefined && shadow.length > 0) return;
    if (of !== undefined && (leading ?? exchange.attempts.at(-1))?.endpoint !== of) return;
    this.requests += 1;
    count(this.tools, exchange.caller.tool);
    if (leading === undefined) {
      if (isFromCache(exchange)) this.fromCache += 1;
      else this.unanswered += 1;
      return;
    }
    if (exchange.route !== undefined) count(this.routes, exchange.route);
    this.#use(exchange, answer, leading);
    const reason = this.#move(exchange, answer, leading);
    if (reason !== undefined) this.uncounted.add(reason);
  }

  #use({ stream, features, attempts, unreadable }: UsedExchange, answer: readonly Attempt[], leading: Attempt): void {
    const usage = answerUsage(answer);
    const cost = sumCost(attempts);
    let target = this.used.get(leading.target);
    if (target === undefined) this.used.set(leading.target, target = { target: leading.target, requests: 0, usage: {}, spentMicroUsd: 0, estimated: false, unknown: 0 });
    target.requests += 1;
    addUsage(target.usage, usage);
    target.spentMicroUsd += cost.microUsd ?? 0;
    target.estimated ||= cost.certainty === 'estimated';
    if (unreadable > 0 || cost.microUsd === undefined || cost.unknownParts !== undefined || cost.unpriced !== undefined) target.unknown += 1;
    if (stream) this.streamed += 1;
    if ((usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0) > 0) this.cached += 1;
    this.largestPrompt = Math.max(this.largestPrompt, promptTokens(usage) ?? 0);
    this.largestOutput = Math.max(this.largestOutput, usage.outputTokens ?? 0);
    if (features === undefined) this.featuresUnknown += 1;
    else for (const feature of featuresOf(features)) count(this.counts, feature);
  }

  #move(exchange: UsedExchange, answer: readonly Attempt[], leading: Attempt): Said | undefined {
    const place = this.#to.placeOf(exchange, leading);
    if ('uncounted' in place) return place.uncounted;
    this.places.set(place.name, place);
    const cost = sumCost(exchange.attempts);
    if (answer.some(attempt => attempt.cost.priceSource === 'simulated')) return said('simulated providers answered them');
    if (exchange.unreadable > 0 || cost.microUsd === undefined || cost.unknownParts !== undefined || cost.unpriced !== undefined) return said('what they cost here is not known, or only in part');
    return this.lines.add(answer, place, cost.microUsd);
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function largest(counts: ReadonlyMap<string, number>): string | undefined {
  return [...counts].sort(([one, first], [other, second]) => second - first || one.localeCompare(other))[0]?.[0];
}
