import { setImmediate as nextTurn } from 'node:timers/promises';
import { englishOf } from '../../api/localization/said.ts';
import type { Attempt, TimeRange } from '../../api/receipt.ts';
import { readSpendFilter, type SpendFilter } from '../../api/reports/dashboard.ts';
import type { SavingsParams, SavingsReport, SavingsResult } from '../../api/reports/savings.ts';
import { parseTargetName } from '../../api/targetName.ts';
import { promptTokens } from '../../api/usage.ts';
import type { Clock } from '../../base/clock.ts';
import { localDay, nextLocalDay, startOfLocalDay } from '../../base/localDay.ts';
import type { UsedExchange, UsedPage, UsedPosition } from '../../ledger/usedExchange.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import { isFromCache, splitAttempts } from '../../pricing/savings/answer.ts';
import { requestSaving, type NoFigure, type RequestFigure } from '../../pricing/savings/requestSaving.ts';
import { SavingsBook } from '../../pricing/savings/savingsSums.ts';
import { WarmTurns } from '../../pricing/savings/warmTurns.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { readBaseline, type Baseline, type ComparedPlace } from './baseline.ts';

export interface SavingsReporterOptions {
  routeTable(): RouteTable;
  pricer: Pick<Pricer, 'priceAttempt' | 'ready'>;
  used(range: TimeRange, after: UsedPosition | undefined, limit: number, filter?: SpendFilter): Promise<UsedPage>;
  clock: Clock;
}

export const mostReportDays = 92;
/** Exchanges read and priced at a time: a few milliseconds. */
const pageLength = 250;

/** Compares what requests cost with what they would have cost at a baseline. */
export class SavingsReporter {
  readonly #options: SavingsReporterOptions;

  constructor(options: SavingsReporterOptions) {
    this.#options = options;
  }

  async report(params: SavingsParams, signal?: AbortSignal): Promise<SavingsResult> {
    const { routeTable, pricer, clock } = this.#options;
    const days = daysOf(params.fromDay, params.toDay);
    if ('problem' in days) return days;
    const baseline = readBaseline(params.baseline, routeTable());
    if ('problem' in baseline) return baseline;
    const filter = readSpendFilter(params.filter);
    await pricer.ready();
    const book = new SavingsBook(days.names);
    const turns = new WarmTurns();
    for await (const page of pagesOf(this.#options.used, days, signal, filter)) for (const exchange of page) this.#add(book, turns, baseline, exchange);
    const report: SavingsReport = { baseline: englishOf(baseline.words), saidBaseline: baseline.words, fromDay: params.fromDay, toDay: params.toDay, at: clock.now(), ...book.report() };
    return { report };
  }

  #add(book: SavingsBook, turns: WarmTurns, baseline: Baseline, exchange: UsedExchange): void {
    const { id, startedAt, caller, route, requestedModel } = exchange;
    const answer = splitAttempts(exchange).answer.at(-1);
    const place = answer === undefined ? undefined : baseline.placeOf(exchange, answer);
    const found = place === undefined || 'uncounted' in place ? undefined : place;
    // Without an attempt, what answered is known by its name.
    const kept = answer === undefined && isFromCache(exchange) ? exchange.target : undefined;
    // What was left out kept a conversation warm all the same.
    const figure = this.#figure(turns, exchange, answer, place);
    if (exchange.leftOut === true) return;
    book.add(
      {
        day: localDay(startedAt), route: route ?? '(no route)', tool: caller.tool, workspace: caller.workspace ?? '(no workspace)', branch: caller.branch ?? '(no branch)', model: answer?.model ?? (kept === undefined ? undefined : parseTargetName(kept)?.model) ?? '(no answer)',
      },
      figure, { id, startedAt, tool: caller.tool, requestedModel, ...(route === undefined ? {} : { route }), ...withTarget(answer?.target ?? kept), ...(found === undefined ? {} : { baseline: found.name }) },
    );
  }

  #figure(turns: WarmTurns, exchange: UsedExchange, answer: Attempt | undefined, place: ComparedPlace | NoFigure | undefined): RequestFigure | NoFigure {
    if (place !== undefined && 'uncounted' in place) return place;
    const { caller, startedAt, totalMs, requestedModel } = exchange;
    const warmTokens = answer === undefined || place === undefined ? 0 : turns.next({
      conversation: caller.conversation === undefined ? undefined : [caller.tool, caller.conversation, caller.purpose ?? '', requestedModel].join('\n'),
      startedAt, endedAt: startedAt + totalMs, target: answer.target, baseline: place.name, promptTokens: promptTokens(answer.usage) ?? 0,
    });
    return requestSaving({ exchange, place, warmTokens, price: request => this.#options.pricer.priceAttempt(request) });
  }
}

function withTarget(target: string | undefined): { target?: string } {
  return target === undefined ? {} : { target };
}

/** The local days of a report, by their names, and the time they take. */
export interface ReportDays extends TimeRange { names: string[] }

export function daysOf(fromDay: string, toDay: string): ReportDays | { problem: string } {
  const [from, last] = [startOfLocalDay(fromDay), startOfLocalDay(toDay)];
  if (from === undefined || last === undefined || from > last) return { problem: 'Give the first and the last day like 2026-11-01 and 2026-11-30, the earlier one first.' };
  const names: string[] = [];
  let at = from;
  for (; at <= last && names.length <= mostReportDays; at = nextLocalDay(at)) names.push(localDay(at));
  return names.length > mostReportDays ? { problem: `Compare at most ${mostReportDays} days at once.` } : { from, to: at, names };
}

/** The exchanges of a range, page by page; other work goes on between two pages. */
export async function* pagesOf(used: SavingsReporterOptions['used'], { from, to }: TimeRange, signal?: AbortSignal, filter?: SpendFilter): AsyncGenerator<UsedExchange[]> {
  let after: UsedPosition | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await used({ from, to }, after, pageLength, filter);
    yield page.exchanges;
    if (page.next === undefined) return;
    after = page.next;
    await nextTurn();
  }
}
