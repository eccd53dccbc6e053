import { TransientMap } from '../../../base/collections/transientMap.ts';
import type { Subscription } from '../../../base/emitter.ts';
import type { OtlpTraces } from '../../../config/monitoring/monitoringConfig.ts';
import type { AttemptStarted, ExchangeObserver, ExchangePriced, ExchangeStarted } from '../../../exchange/events.ts';
import type { ExchangePublisher } from '../../../exchange/publisher.ts';
import type { RequestBody } from '../../../exchange/request.ts';
import type { Place } from './spanAttributes.ts';
import type { TracedContents } from './tracedContents.ts';
import { spansOf, type TracePlace } from './spans.ts';
import { isInShare, traceParentOf, traceParentText, type TraceIds } from './traceContext.ts';

/** So many exchanges are traced at once; those beyond are left out. */
export const mostLive = 5_000;

/** The trace of an exchange that runs. */
interface Live extends TracePlace {
  isSampled: boolean;
  operation: RequestBody['kind'];
  /** By the number of the attempt. */
  places: Place[];
}

export interface TracerOptions {
  config: OtlpTraces;
  ids: TraceIds;
  contents: TracedContents | undefined;
  /** Takes the spans of one exchange, each as JSON. */
  take(spans: readonly string[]): void;
  /** An exchange that would have been traced was left out. */
  leftOut(): void;
}

/** Follows exchanges and writes their spans, once they have their price. Exchanges that are not traced are not remembered. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #live = new TransientMap<Live>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** How many exchanges are remembered. */
  get live(): number {
    return this.#live.size;
  }

  /** How many of them are traced. */
  get traced(): number {
    let count = 0;
    for (const { isSampled } of this.#live.values()) if (isSampled) count += 1;
    return count;
  }

  /** Listens from now on. @param copies what happens to the copies that shadows send */
  follow(events: Pick<ExchangePublisher, 'subscribe'>, copies: Pick<ExchangePublisher, 'subscribe'>): Subscription {
    const observer: ExchangeObserver = {
      name: 'Traces',
      onStarted: started => { this.#started(started); },
      onAttemptStarted: attempt => { this.#attemptStarted(attempt); },
      onPriced: priced => { this.#priced(priced); },
    };
    const subscriptions = [events.subscribe(observer), copies.subscribe(observer)];
    return { dispose: () => { for (const one of subscriptions) one.dispose(); } };
  }

  /** The headers by which a target learns of the trace; undefined: it is told nothing. */
  headersFor(exchangeId: string, attempt: number, endpoint: string): Readonly<Record<string, string>> | undefined {
    const { passOn } = this.#options.config;
    if (!passOn.has('*') && !passOn.has(endpoint.toLowerCase())) return undefined;
    const live = this.#live.get(exchangeId);
    if (live === undefined) return undefined;
    return { traceparent: traceParentText(live.traceId, live.attemptId(attempt), live.isSampled), ...(live.state === undefined ? {} : { tracestate: live.state }) };
  }

  #started({ exchange }: ExchangeStarted): void {
    const { config: { share, passOn }, ids, contents } = this.#options;
    const { id } = exchange.receipt;
    const parent = traceParentOf(exchange.input?.headers);
    const traceId = parent?.traceId ?? ids.traceId();
    const isSampled = parent?.isSampled ?? isInShare(traceId, share);
    if (!isSampled) contents?.forget(id);
    // What is not traced is remembered only where targets are to learn that it is not.
    if (!isSampled && (parent === undefined || passOn.size === 0)) return;
    if (this.#live.size >= mostLive) {
      contents?.forget(id);
      this.#options.leftOut();
      return;
    }
    if (isSampled) {
      exchange.traced?.(traceId);
      contents?.traced(id, exchange.receipt.protocol, exchange.input?.body);
    }
    const spanIds: string[] = [];
    const places: Place[] = [];
    this.#live.set(id, {
      traceId, spanId: ids.spanId(), parentId: parent?.spanId, state: parent?.state, isSampled, operation: exchange.operation ?? 'conversation', places,
      attemptId: number => (spanIds[number] ??= ids.spanId()),
      placeOf: number => places[number],
    });
  }

  #attemptStarted({ exchangeId, number, endpoint }: AttemptStarted): void {
    const live = this.#live.get(exchangeId);
    if (live?.isSampled === true) live.places[number] = placeOf(endpoint.baseUrl);
  }

  #priced({ receipt, route }: ExchangePriced): void {
    const live = this.#live.get(receipt.id);
    if (live === undefined) return;
    this.#live.delete(receipt.id);
    if (!live.isSampled) return;
    this.#options.take(spansOf({ receipt, route, operation: live.operation, ...this.#options.contents?.of(receipt.id) }, live));
  }
}

/** The place that a base URL names. */
function placeOf(baseUrl: string): Place {
  const { hostname, port, protocol } = new URL(baseUrl);
  return { address: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}
