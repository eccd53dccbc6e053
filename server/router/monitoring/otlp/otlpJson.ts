/* The JSON encoding of OTLP. Source: opentelemetry-proto v1.9.0 and the OTLP specification 1.9.0, "JSON Protobuf Encoding". */

/** A value of an attribute; a number is an integer where it is whole and its attribute says so. */
export type AttributeValue = string | boolean | readonly string[] | { readonly int: number } | { readonly double: number };

interface AnyValue { stringValue?: string; boolValue?: boolean; intValue?: string; doubleValue?: number | string; arrayValue?: { values: AnyValue[] } }
export interface KeyValue { key: string; value: AnyValue }

/** Attributes as the protocol writes them; those without a value are left out. */
export function keyValues(attributes: Iterable<readonly [name: string, value: AttributeValue | undefined]>): KeyValue[] {
  const written: KeyValue[] = [];
  for (const [key, value] of attributes) if (value !== undefined) written.push({ key, value: anyValue(value) });
  return written;
}

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if ('int' in value) return { intValue: integer(value.int) };
  if ('double' in value) return { doubleValue: double(value.double) };
  return { arrayValue: { values: value.map(anyValue) } };
}

/** 64-bit integers are texts. */
export function integer(value: number): string {
  return BigInt(Math.round(value)).toString();
}

/** JSON has no infinite numbers. */
export function double(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** A moment in nanoseconds since the epoch. @param ms milliseconds since the epoch, also fractions */
export function nanoseconds(ms: number): string {
  const microseconds = Math.max(0, Math.round(ms * 1000));
  return `${String(microseconds)}000`;
}

/** What sends: the resource and the scope of everything. */
export interface Sender { version: string; resource: string }

/** @param attributes of the resource, by name */
export function senderOf(version: string, attributes: Readonly<Record<string, string>>): Sender {
  return { version, resource: JSON.stringify({ attributes: keyValues(Object.entries(attributes)) }) };
}

/** A request of `/v1/traces`. @param spans each as JSON */
export function tracesRequest({ version, resource }: Sender, spans: readonly string[]): string {
  return `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":{"name":"waybill","version":${JSON.stringify(version)}},"spans":[${spans.join(',')}]}]}]}`;
}

/** A request of `/v1/metrics`. */
export function metricsRequest({ version, resource }: Sender, metrics: readonly unknown[]): string {
  return `{"resourceMetrics":[{"resource":${resource},"scopeMetrics":[{"scope":{"name":"waybill","version":${JSON.stringify(version)}},"metrics":${JSON.stringify(metrics)}}]}]}`;
}
