import assert from 'node:assert/strict';

/*
 * What the JSON encoding of OTLP allows. Sources: opentelemetry-proto v1.9.0 (common, resource, trace, metrics) and the OTLP specification,
 * "JSON Protobuf Encoding": names in lowerCamelCase, ids as hex digits, 64-bit integers as texts, enumerations as numbers.
 */

type Json = Record<string, unknown>;
type Check = (value: unknown, at: string) => void;

const text: Check = (value, at) => { assert.equal(typeof value, 'string', at); };
const flag: Check = (value, at) => { assert.equal(typeof value, 'boolean', at); };
const int32: Check = (value, at) => { assert.ok(Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32, at); };
const int64: Check = (value, at) => { assert.match(String(value), /^-?\d{1,19}$/, at); text(value, at); };
const double: Check = (value, at) => { assert.ok(typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(String(value)), at); };
const nanos: Check = (value, at) => {
  text(value, at);
  assert.match(String(value), /^\d{19}$/, at);
};
const hex = (bytes: number): Check => (value, at) => {
  assert.match(String(value), new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`), at);
  assert.doesNotMatch(String(value), /^0+$/, at);
};
const oneOf = (...numbers: number[]): Check => (value, at) => { assert.ok(numbers.includes(value as number), `${at}: ${String(value)}`); };
const list = (check: Check): Check => (value, at) => {
  assert.ok(Array.isArray(value), at);
  for (const [index, one] of value.entries()) check(one, `${at}[${String(index)}]`);
};

/** @param required fields that must be there @param optional fields that may be there; no others may */
function message(required: Record<string, Check>, optional: Record<string, Check> = {}, also?: (value: Json, at: string) => void): Check {
  return (value, at) => {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), at);
    for (const name of Object.keys(required)) assert.ok(name in value, `${at}.${name} is missing`);
    for (const [name, field] of Object.entries(value)) {
      const check = required[name] ?? optional[name];
      assert.ok(check !== undefined, `${at}.${name} is no field`);
      check(field, `${at}.${name}`);
    }
    also?.(value as Json, at);
  };
}

function single(choices: Record<string, Check>): Check {
  return message({}, choices, (value, at) => { assert.equal(Object.keys(value).length, 1, `${at} has one of ${Object.keys(choices).join(', ')}`); });
}

const anyValue: Check = (value, at) => { single({ stringValue: text, boolValue: flag, intValue: int64, doubleValue: double, arrayValue: message({ values: list(anyValue) }) })(value, at); };
const keyValue = message({ key: (value, at) => { assert.ok(typeof value === 'string' && value !== '', at); }, value: anyValue });
const attributes: Check = (value, at) => {
  list(keyValue)(value, at);
  const keys = (value as { key: string }[]).map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length, `${at} has each key once`);
};
const resource = message({ attributes });
const scope = message({ name: text, version: text });

const event = message({ timeUnixNano: nanos, name: text, attributes });
const status = message({ code: oneOf(0, 1, 2) }, { message: text });
const span = message(
  { traceId: hex(16), spanId: hex(8), name: text, kind: oneOf(1, 2, 3, 4, 5), startTimeUnixNano: nanos, endTimeUnixNano: nanos },
  { parentSpanId: hex(8), traceState: text, flags: int32, attributes, events: list(event), status },
  ({ startTimeUnixNano, endTimeUnixNano }, at) => { assert.ok(BigInt(endTimeUnixNano as string) >= BigInt(startTimeUnixNano as string), `${at} ends after it starts`); },
);

const number = message({ attributes, timeUnixNano: nanos }, { startTimeUnixNano: nanos, asDouble: double, asInt: int64 }, (value, at) => { assert.equal(Number('asDouble' in value) + Number('asInt' in value), 1, at); });
const histogramPoint = message(
  { attributes, startTimeUnixNano: nanos, timeUnixNano: nanos, count: int64, sum: double, bucketCounts: list(int64), explicitBounds: list(double) }, {},
  ({ bucketCounts, explicitBounds, count }, at) => {
    const counts = (bucketCounts as string[]).map(Number);
    assert.equal(counts.length, (explicitBounds as number[]).length + 1, at);
    assert.equal(counts.reduce((sum, one) => sum + one, 0), Number(count), `${at}: the buckets have all values`);
  },
);
const temporality = oneOf(1, 2);
const metric = message({ name: text, description: text, unit: text }, {
  gauge: message({ dataPoints: list(number) }),
  sum: message({ dataPoints: list(number), aggregationTemporality: temporality, isMonotonic: flag }),
  histogram: message({ dataPoints: list(histogramPoint), aggregationTemporality: temporality }),
}, (value, at) => { assert.equal(['gauge', 'sum', 'histogram'].filter(kind => kind in value).length, 1, at); });

const traces = message({ resourceSpans: list(message({ resource, scopeSpans: list(message({ scope, spans: list(span) })) })) });
const metrics = message({ resourceMetrics: list(message({ resource, scopeMetrics: list(message({ scope, metrics: list(metric) })) })) });

export interface ReceivedSpan {
  traceId: string; spanId: string; parentSpanId?: string; traceState?: string; name: string; kind: number; startTimeUnixNano: string; endTimeUnixNano: string;
  /** By name; integers as numbers. */
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  status?: { code: number; message?: string };
  resource: Record<string, unknown>;
}

export interface ReceivedPoint { attributes: Record<string, unknown>; asDouble?: number; count?: string; sum?: number; bucketCounts?: string[]; startTimeUnixNano?: string; timeUnixNano: string }
export interface ReceivedMetric { name: string; unit: string; kind: 'gauge' | 'sum' | 'histogram'; temporality: number | undefined; points: ReceivedPoint[] }

interface WireValue { stringValue?: string; boolValue?: boolean; intValue?: string; doubleValue?: number }
type WireAttributes = { key: string; value: WireValue }[];
function plain(written: WireAttributes = []): Record<string, unknown> {
  return Object.fromEntries(written.map(({ key, value: { stringValue, boolValue, intValue, doubleValue } }) => [key, stringValue ?? boolValue ?? doubleValue ?? Number(intValue)]));
}

/** Checks a request of `/v1/traces` field by field. @throws AssertionError @returns its spans */
export function readTraces(body: string): ReceivedSpan[] {
  const value = JSON.parse(body) as { resourceSpans: { resource: { attributes: WireAttributes }; scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes' | 'events'> & { attributes?: WireAttributes; events?: { name: string; attributes: WireAttributes }[] })[] }[] }[] };
  traces(value, 'traces');
  return value.resourceSpans.flatMap(({ resource: own, scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(one => ({
    ...one, attributes: plain(one.attributes), events: (one.events ?? []).map(({ name, attributes: said }) => ({ name, attributes: plain(said) })), resource: plain(own.attributes),
  }))));
}

/** Checks a request of `/v1/metrics` field by field. @throws AssertionError @returns its metrics */
export function readMetrics(body: string): ReceivedMetric[] {
  type WirePoints = { dataPoints: (Omit<ReceivedPoint, 'attributes'> & { attributes: WireAttributes })[]; aggregationTemporality?: number };
  const value = JSON.parse(body) as { resourceMetrics: { scopeMetrics: { metrics: ({ name: string; unit: string } & Partial<Record<ReceivedMetric['kind'], WirePoints>>)[] }[] }[] };
  metrics(value, 'metrics');
  return value.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(one => one.metrics.map(({ name, unit, gauge, sum, histogram }): ReceivedMetric => {
    const kind = gauge !== undefined ? 'gauge' : sum !== undefined ? 'sum' : 'histogram';
    const { dataPoints, aggregationTemporality } = gauge ?? sum ?? histogram ?? { dataPoints: [] };
    return { name, unit, kind, temporality: aggregationTemporality, points: dataPoints.map(point => ({ ...point, attributes: plain(point.attributes) })) };
  })));
}
