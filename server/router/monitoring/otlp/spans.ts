import type { Attempt, Receipt } from '../../../api/receipt.ts';
import { keyValues, nanoseconds, type AttributeValue, type KeyValue } from './otlpJson.ts';
import { operationNames } from './providerNames.ts';
import { attemptAttributes, exchangeAttributes, type ExchangeSubject, type Place, type SpanAttribute, type SpanEventName } from './spanAttributes.ts';

/** Numbers of the enumerations `Span.SpanKind` and `Status.StatusCode`. */
const kinds = { server: 2, client: 3 } as const;
const statusError = 2;
/** The bits of `flags` beside those of W3C: whether the parent is of another process is known, and that it is. */
const flags = { sampled: 0x01, knowsRemote: 0x100, isRemote: 0x200 } as const;
const longestMessage = 300;
const longestText = 1000;

/** The place of an exchange in its trace. */
export interface TracePlace {
  traceId: string;
  /** Of the exchange's span. */
  spanId: string;
  /** The caller's span; absent: the trace begins here. */
  parentId?: string | undefined;
  state?: string | undefined;
  /** Of an attempt's span. @param number of the attempt */
  attemptId(number: number): string;
  /** Where an attempt went; undefined: unknown. @param number of the attempt */
  placeOf(number: number): Place | undefined;
}

interface Span {
  traceId: string; spanId: string; traceState?: string; parentSpanId?: string; flags: number; name: string; kind: number;
  startTimeUnixNano: string; endTimeUnixNano: string; attributes: KeyValue[]; events?: SpanEvent[]; status?: { code: number; message?: string };
}
interface SpanEvent { timeUnixNano: string; name: string; attributes: KeyValue[] }

/** The spans of an exchange that has its price, each as JSON: its own first, then those of its attempts. */
export function spansOf(subject: ExchangeSubject, place: TracePlace): string[] {
  const { receipt, operation } = subject;
  const common = { traceId: place.traceId, ...(place.state === undefined ? {} : { traceState: place.state }) };
  const own: Span = {
    ...common, spanId: place.spanId, ...(place.parentId === undefined ? {} : { parentSpanId: place.parentId }),
    flags: flags.sampled | flags.knowsRemote | (place.parentId === undefined ? 0 : flags.isRemote),
    name: `${operationNames[operation]} ${receipt.plan.requestedModel}`, kind: kinds.server,
    startTimeUnixNano: nanoseconds(receipt.startedAt), endTimeUnixNano: nanoseconds(receipt.startedAt + receipt.totalMs),
    attributes: attributesOf(exchangeAttributes, subject), ...eventsOf(receipt), ...statusOf(receipt),
  };
  const attempts = receipt.attempts.map((attempt): Span => ({
    ...common, spanId: place.attemptId(attempt.number), parentSpanId: place.spanId, flags: flags.sampled | flags.knowsRemote,
    name: `${operationNames[operation]} ${attempt.upstreamModel}`, kind: kinds.client,
    startTimeUnixNano: nanoseconds(attempt.startedAt), endTimeUnixNano: nanoseconds(attempt.startedAt + attempt.totalMs),
    attributes: attributesOf(attemptAttributes, { attempt, operation, stream: receipt.stream, place: place.placeOf(attempt.number) }), ...statusOf(attempt),
  }));
  return [own, ...attempts].map(span => JSON.stringify(span));
}

function attributesOf<Subject>(table: readonly SpanAttribute<Subject>[], subject: Subject): KeyValue[] {
  return keyValues(table.map(({ name, value }) => [name, bounded(name, value(subject))]));
}

/** Names that callers make up are bounded; texts of requests and answers have a bound of their own. */
function bounded(name: string, value: AttributeValue | undefined): AttributeValue | undefined {
  return typeof value !== 'string' || value.length <= longestText || name.endsWith('.messages') ? value : value.slice(0, longestText);
}

/** Nothing is said of what went well, as the conventions want it. */
function statusOf({ outcome, message }: Pick<Receipt, 'outcome' | 'message'>): Pick<Span, 'status'> {
  if (outcome !== 'failed' && outcome !== 'interrupted') return {};
  return { status: { code: statusError, ...(message === undefined ? {} : { message: message.slice(0, longestMessage) }) } };
}

function eventsOf({ attempts }: Receipt): Pick<Span, 'events'> {
  const events = attempts.flatMap((attempt, index): SpanEvent[] => {
    const event = eventOf(attempt, attempts[index - 1]);
    if (event === undefined) return [];
    return [{ timeUnixNano: nanoseconds(attempt.startedAt), name: event.name, attributes: keyValues(event.attributes) }];
  });
  return events.length === 0 ? {} : { events };
}

/** What the start of an attempt means for its exchange. @param before the attempt that began before it */
function eventOf({ role, target }: Attempt, before: Attempt | undefined): { name: SpanEventName; attributes: [string, AttributeValue | undefined][] } | undefined {
  const to: [string, AttributeValue] = ['waybill.to', target];
  if (role === 'hedge') return { name: 'waybill.hedge', attributes: [to] };
  if (before === undefined) return undefined;
  const cause: [string, AttributeValue | undefined] = ['error.type', before.failureClass];
  if (role === 'resume' || role === 'restart') return { name: `waybill.${role}`, attributes: [to, cause] };
  if (before.target === target) return { name: 'waybill.retry', attributes: [to, cause] };
  return { name: 'waybill.failover', attributes: [['waybill.from', before.target], to, cause] };
}
