import type { Attempt, Receipt } from '../../../api/receipt.ts';
import { promptTokens } from '../../../api/usage.ts';
import type { Subscription } from '../../../base/emitter.ts';
import type { AttemptEnded, ExchangeEnded, ExchangeObserver, ExchangePriced } from '../../../exchange/events.ts';
import type { ExchangePublisher } from '../../../exchange/publisher.ts';
import { Histogram, overheadBounds, secondsBounds, tokenBounds } from './histogram.ts';
import type { KnownNames } from './knownNames.ts';

/** Kinds of tokens; they are disjoint, but that reasoning is a part of the output. */
export const tokenBuckets = ['input', 'cache_read', 'cache_write', 'cache_write_1h', 'output', 'reasoning'] as const;
export type TokenBucket = (typeof tokenBuckets)[number];

/** What attempts are told apart by. Each value comes from the configuration or from a fixed list. */
export interface AttemptLabels {
  readonly endpoint: string;
  readonly provider: string;
  readonly model: string;
  readonly protocol: string;
  /** `ok`, `failed`, `cancelled`, `interrupted`. */
  readonly outcome: string;
  /** The failure class; empty: none. */
  readonly failureClass: string;
  readonly operation: 'conversation' | 'completion' | 'embedding';
  /** `request`, or `shadow` for copies. */
  readonly purpose: 'request' | 'shadow';
}

/** Figures of attempts that have the same labels. */
export interface AttemptRow extends AttemptLabels {
  readonly seconds: Histogram;
  readonly firstTokenSeconds: Histogram;
  /** Attempts that ended, whose cost may still be unknown. */
  ended: number;
  hedges: number;
  readonly tokens: Record<TokenBucket, number>;
  /** All tokens of the prompt, and of the answer, of one attempt. */
  readonly inputTokens: Histogram;
  readonly outputTokens: Histogram;
  /** Attempts that used tokens which were not all reported. */
  estimatedUsage: number;
  /** Millionths of a US dollar, by how sure they are. */
  exactMicroUsd: number;
  estimatedMicroUsd: number;
  /** Attempts whose cost is not known, or not all of it. */
  unknownCost: number;
  /** Attempts that are known to have cost nothing. */
  free: number;
}

/** What requests are told apart by. */
export interface RequestLabels {
  /** Name that was asked for, of the configuration. */
  readonly asked: string;
  /** Empty: none. */
  readonly route: string;
  readonly protocol: string;
  readonly inbound: string;
  readonly outcome: string;
  readonly failureClass: string;
  /** What the response cache made of it; empty: nothing. */
  readonly cache: string;
}

/** Figures of requests that have the same labels. */
export interface RequestRow extends RequestLabels {
  readonly seconds: Histogram;
  readonly firstTokenSeconds: Histogram;
  readonly overheadSeconds: Histogram;
  /** Requests that went on to another target after a failure. */
  fallbacks: number;
  /** Requests of which a second target was asked, and those that it answered. */
  hedged: number;
  hedgesWon: number;
}

/** The most sets of labels of each kind: a configuration of some hundred targets has fewer. */
export const mostRows = 5_000;

/**
 * Counts what happens to requests, as an observer behind all others. One entry of a map is looked up for each ended attempt and
 * each ended request; metrics are made of the entries when somebody reads them.
 */
export class Figures {
  readonly attempts = new Map<string, AttemptRow>();
  readonly requests = new Map<string, RequestRow>();
  running = 0;
  /** Attempts and requests that were not counted because there are too many sets of labels. */
  dropped = 0;
  #names: KnownNames;
  /** Of running exchanges that are no conversations, by id. */
  readonly #operations = new Map<string, Exclude<AttemptLabels['operation'], 'conversation'>>();

  constructor(names: KnownNames) {
    this.#names = names;
  }

  /** The configuration has changed. What was counted stays. */
  rename(names: KnownNames): void {
    this.#names = names;
  }

  /** Listens from now on. @param copies what happens to the copies that shadows send */
  follow(events: Pick<ExchangePublisher, 'subscribe'>, copies: Pick<ExchangePublisher, 'subscribe'>): Subscription {
    const started = new WeakSet();
    const requests: ExchangeObserver = {
      name: 'Metrics',
      onStarted: ({ exchange }) => {
        this.running += 1;
        started.add(exchange);
        if (exchange.operation !== undefined && exchange.operation !== 'conversation') this.#operations.set(exchange.receipt.id, exchange.operation);
      },
      onAttemptEnded: ended => { this.#attemptEnded(ended, 'request'); },
      onEnded: ended => {
        // Requests that ran before metrics were switched on are not among the running ones.
        if (started.delete(ended.exchange)) this.running -= 1;
        this.#requestEnded(ended);
      },
      onPriced: priced => {
        this.#priced(priced, 'request');
        this.#operations.delete(priced.receipt.id);
      },
    };
    const shadows: ExchangeObserver = {
      name: 'Metrics of shadows',
      onAttemptEnded: ended => { this.#attemptEnded(ended, 'shadow'); },
      onPriced: priced => { this.#priced(priced, 'shadow'); },
    };
    const subscriptions = [events.subscribe(requests), copies.subscribe(shadows)];
    return { dispose: () => { for (const one of subscriptions) one.dispose(); } };
  }

  #attemptEnded({ attempt, record }: AttemptEnded, purpose: AttemptLabels['purpose']): void {
    const row = this.#attemptRow(record, this.#operations.get(attempt.exchangeId), purpose);
    if (row === undefined) return;
    row.ended += 1;
    row.seconds.observe(record.totalMs / 1000);
    if (record.firstTokenMs !== undefined) row.firstTokenSeconds.observe(record.firstTokenMs / 1000);
    if (record.role === 'hedge') row.hedges += 1;
    const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0, outputTokens = 0, reasoningTokens = 0 } = record.usage;
    const { tokens } = row;
    tokens.input += inputTokens;
    tokens.cache_read += cacheReadTokens;
    tokens.cache_write += cacheWriteTokens;
    tokens.cache_write_1h += cacheWrite1hTokens;
    tokens.output += outputTokens;
    tokens.reasoning += reasoningTokens;
    const prompt = promptTokens(record.usage) ?? 0;
    if (prompt > 0) row.inputTokens.observe(prompt);
    if (outputTokens > 0) row.outputTokens.observe(outputTokens);
    if (record.usageEstimated) row.estimatedUsage += 1;
  }

  #priced({ receipt }: ExchangePriced, purpose: AttemptLabels['purpose']): void {
    for (const attempt of receipt.attempts) {
      const row = this.#attemptRow(attempt, this.#operations.get(receipt.id), purpose);
      if (row === undefined) continue;
      const { microUsd, certainty, unpriced } = attempt.cost;
      if (microUsd === undefined || unpriced !== undefined) row.unknownCost += 1;
      if (microUsd === undefined) continue;
      if (certainty === 'exact') row.exactMicroUsd += microUsd;
      else row.estimatedMicroUsd += microUsd;
      if (microUsd === 0 && unpriced === undefined) row.free += 1;
    }
  }

  #requestEnded({ receipt, route = '' }: ExchangeEnded): void {
    const asked = this.#names.asked(route === '' ? receipt.plan.requestedModel : route);
    const { protocol, inbound, outcome } = receipt;
    const failureClass: string = receipt.failureClass ?? '';
    const cache = receipt.cache?.state ?? '';
    const id = `${asked}\n${route}\n${protocol}\n${inbound}\n${outcome}\n${failureClass}\n${cache}`;
    let row = this.requests.get(id);
    if (row === undefined) {
      if (this.requests.size >= mostRows) {
        this.dropped += 1;
        return;
      }
      row = {
        asked, route, protocol, inbound, outcome, failureClass, cache,
        seconds: new Histogram(secondsBounds), firstTokenSeconds: new Histogram(secondsBounds), overheadSeconds: new Histogram(overheadBounds), fallbacks: 0, hedged: 0, hedgesWon: 0,
      };
      this.requests.set(id, row);
    }
    row.seconds.observe(receipt.totalMs / 1000);
    if (receipt.firstTokenMs !== undefined) row.firstTokenSeconds.observe(receipt.firstTokenMs / 1000);
    row.overheadSeconds.observe(Math.max(0, receipt.totalMs - attemptedMs(receipt)) / 1000);
    const { attempts } = receipt;
    if (attempts.length < 2) return;
    if (attempts.some(({ outcome: ended, target }, index) => ended === 'failed' && attempts.slice(index + 1).some(later => later.target !== target))) row.fallbacks += 1;
    const hedge = attempts.find(({ role }) => role === 'hedge');
    if (hedge === undefined) return;
    row.hedged += 1;
    if (hedge.outcome === 'ok') row.hedgesWon += 1;
  }

  #attemptRow({ endpoint, provider = '', model: name, protocol, outcome, failureClass: failed }: Attempt, operation: AttemptLabels['operation'] = 'conversation', purpose: AttemptLabels['purpose'] = 'request'): AttemptRow | undefined {
    const model = this.#names.model(name);
    const failureClass = failed ?? '';
    const id = `${endpoint}\n${model}\n${protocol}\n${outcome}\n${failureClass}\n${operation}\n${purpose}\n${provider}`;
    const known = this.attempts.get(id);
    if (known !== undefined) return known;
    if (this.attempts.size >= mostRows) {
      this.dropped += 1;
      return undefined;
    }
    const row: AttemptRow = {
      endpoint, provider, model, protocol, outcome, failureClass, operation, purpose,
      seconds: new Histogram(secondsBounds), firstTokenSeconds: new Histogram(secondsBounds), inputTokens: new Histogram(tokenBounds), outputTokens: new Histogram(tokenBounds),
      ended: 0, hedges: 0, tokens: { input: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, output: 0, reasoning: 0 },
      estimatedUsage: 0, exactMicroUsd: 0, estimatedMicroUsd: 0, unknownCost: 0, free: 0,
    };
    this.attempts.set(id, row);
    return row;
  }
}

/** How long at least one attempt of a request ran, in milliseconds. */
function attemptedMs({ attempts }: Pick<Receipt, 'attempts'>): number {
  let sum = 0;
  let until = -Infinity;
  // They stand in the order in which they began.
  for (const { startedAt, totalMs } of attempts) {
    const end = startedAt + totalMs;
    sum += Math.max(0, end - Math.max(startedAt, until));
    until = Math.max(until, end);
  }
  return sum;
}
