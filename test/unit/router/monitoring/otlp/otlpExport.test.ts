import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import type { Receipt } from '../../../../../server/api/receipt.ts';
import { silentLog } from '../../../../../server/base/log.ts';
import { resolveMonitoring } from '../../../../../server/config/monitoring/resolveMonitoring.ts';
import type { OtlpConfig } from '../../../../../server/config/monitoring/monitoringConfig.ts';
import { ExchangePublisher } from '../../../../../server/exchange/publisher.ts';
import { noTelemetry, ofState, type MetricSources, type TelemetryFigures } from '../../../../../server/router/monitoring/metrics/metric.ts';
import { OtlpExport, type TakenMetrics } from '../../../../../server/router/monitoring/otlp/otlpExport.ts';
import { mostLive } from '../../../../../server/router/monitoring/otlp/tracer.ts';
import { mostWaiting } from '../../../../../server/router/monitoring/otlp/spanQueue.ts';
import type { Delivered, Delivery } from '../../../../../server/upstream/receivers.ts';
import { readMetrics, readTraces, type ReceivedSpan } from '../../../../support/otlp/otlpShape.ts';
import { aReceipt, anAttempt, noon } from '../../../ledger/receipts.ts';

const ok: Delivered = { status: 200, headers: {}, text: '{}' };

/** An export whose receiver, clock and events are in the hands of the test. */
class Exporting {
  readonly events = new ExchangePublisher(silentLog);
  readonly copies = new ExchangePublisher(silentLog);
  readonly figures: TelemetryFigures = noTelemetry();
  readonly taken: TakenMetrics = { baseline: new Map(), at: undefined };
  readonly deliveries: Delivery[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  answer: (delivery: Delivery) => Delivered | Promise<Delivered> = () => ok;
  now = noon;
  count = 0;
  export: OtlpExport;

  constructor(otlp: object) {
    this.export = this.exportTo(otlp, Promise.resolve());
  }

  /** @param after the end of the export before it */
  exportTo(otlp: object, after: Promise<void>): OtlpExport {
    const config = resolveMonitoring({ otlp: { endpoint: 'https://otlp.example.com', ...otlp } }, {}, (_path, message) => assert.fail(message))?.otlp as OtlpConfig;
    return new OtlpExport(config, {
      events: this.events, copies: this.copies, clock: { now: () => this.now }, version: '1.2.3', instance: 'one', figures: this.figures, taken: this.taken, after, sinceMs: noon, codecFor: () => undefined, redact: text => text,
      log: { ...silentLog, warn: line => { this.warnings.push(line); }, info: line => { this.notes.push(line); } },
      receivers: { configure() {}, shutdown: () => Promise.resolve(), post: delivery => { this.deliveries.push(delivery); return Promise.resolve(this.answer(delivery)); } },
      table: [ofState('waybill_things_total', 'counter', [], 'Things.', () => [[[], this.count]])], read: () => ({ now: this.now }) as MetricSources,
    });
  }

  /** One exchange from its start to its price. */
  exchange(receipt: Receipt, headers?: Record<string, string>): void {
    this.start(receipt, headers);
    this.events.priced.emit({ receipt, route: 'auto' });
  }

  start(receipt: Receipt, headers?: Record<string, string>): void {
    this.events.started.emit({ exchange: { receipt, tick() {}, progress: () => receipt, stop: () => false, interrupt() {}, input: { headers } as never, traced: trace => { receipt.plan = { ...receipt.plan, trace }; } } });
  }

  /** Time passes, and what is due is sent. */
  async pass(seconds: number): Promise<void> {
    this.now += seconds * 1000;
    this.export.tick(this.now);
    await this.export.settled();
  }

  bodies(path: string): string[] {
    return this.deliveries.filter(({ url }) => url.endsWith(path)).map(({ body, headers }) => (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8'));
  }

  get spans(): ReceivedSpan[] {
    return this.bodies('/v1/traces').flatMap(readTraces);
  }
}

const tracesOnly = { metrics: { enabled: false }, compression: 'none' };
const metricsOnly = { traces: { enabled: false }, compression: 'none' };

describe('traces', () => {
  test('are a span of the exchange and one of each attempt, with what the receipt says', async () => {
    const one = new Exporting({ metrics: { enabled: false } });
    const attempts = [
      anAttempt({ number: 1, endpoint: 'claude', provider: 'mistral', outcome: 'failed', failureClass: 'rate-limit', status: 429, message: 'claude has no capacity.', totalMs: 100, usage: {}, cost: { certainty: 'unknown' } }),
      anAttempt({ number: 2, startedAt: noon + 100, answeredModel: 'gpt-4.1-2025-04-14' }),
    ];
    const receipt = aReceipt('wb_1', { attempts });
    one.start(receipt);
    one.events.priced.emit({ receipt, route: 'auto' });
    await one.pass(6);
    const [own, first, second, ...others] = one.spans;
    assert.deepEqual(others, []);
    assert.ok(own !== undefined && first !== undefined && second !== undefined);
    assert.deepEqual([own.kind, first.kind, second.kind], [2, 3, 3]);
    assert.equal(own.parentSpanId, undefined);
    assert.deepEqual([first.parentSpanId, second.parentSpanId], [own.spanId, own.spanId]);
    assert.equal(new Set([own.traceId, first.traceId, second.traceId, receipt.plan.trace]).size, 1, 'the receipt names the trace');
    assert.equal(new Set([own.spanId, first.spanId, second.spanId]).size, 3);
    assert.equal(own.name, 'chat auto');
    assert.equal(first.attributes['gen_ai.provider.name'], 'mistral_ai');
    assert.deepEqual([own, first, second].map(span => span.attributes['gen_ai.response.model']), ['gpt-4.1-2025-04-14', undefined, 'gpt-4.1-2025-04-14']);
    assert.deepEqual(first.status, { code: 2, message: 'claude has no capacity.' });
    assert.equal(own.status, undefined, 'the caller was answered');
    assert.deepEqual(own.events, [{ name: 'waybill.failover', attributes: { 'waybill.from': 'claude/gpt-4.1', 'waybill.to': 'openai/gpt-4.1', 'error.type': 'rate-limit' } }]);
    assert.equal(own.startTimeUnixNano, `${String(noon)}000000`);
    assert.equal(own.endTimeUnixNano, `${String(noon + 910)}000000`);
    const { attributes } = own;
    assert.deepEqual(
      { id: attributes['waybill.exchange.id'], input: attributes['gen_ai.usage.input_tokens'], output: attributes['gen_ai.usage.output_tokens'], cost: attributes['waybill.cost.micro_usd'], bound: attributes['waybill.cost.is_lower_bound'], route: attributes['waybill.route'] },
      { id: 'wb_1', input: 1000, output: 100, cost: 2800, bound: true, route: 'auto' },
    );
    assert.equal(first.attributes['waybill.cost.micro_usd'], undefined, 'unknown is not 0');
    assert.equal(first.attributes['gen_ai.usage.input_tokens'], undefined);
    assert.deepEqual(own.resource, { 'service.version': '1.2.3', 'service.instance.id': 'one', 'service.name': 'waybill' });
    assert.equal(one.deliveries[0]?.headers['content-encoding'], 'gzip');
    assert.equal(one.figures.spansSent, 3);
  });

  test('go on with the trace of the caller, and are none where it is not sampled', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const one = new Exporting({ ...tracesOnly, traces: { share: 0, passOn: ['Own'] } });
    const sampled = aReceipt('wb_1');
    one.start(sampled, { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'vendor=x' });
    const passed = one.export.headersFor?.('wb_1', 1, 'own');
    assert.match(passed?.['traceparent'] ?? '', new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.equal(passed?.['tracestate'], 'vendor=x');
    assert.equal(one.export.headersFor?.('wb_1', 1, 'openai'), undefined, 'others are told nothing');
    one.start(aReceipt('wb_2'), { traceparent: `00-${traceId}-00f067aa0ba902b7-00` });
    assert.match(one.export.headersFor?.('wb_2', 1, 'own')?.['traceparent'] ?? '', /-00$/);
    for (const receipt of [sampled, aReceipt('wb_2')]) one.events.priced.emit({ receipt, route: undefined });
    one.exchange(aReceipt('wb_3'));
    await one.pass(6);
    const [own, attempt, ...others] = one.spans;
    assert.deepEqual(others, []);
    assert.deepEqual([own?.traceId, own?.parentSpanId, own?.traceState], [traceId, '00f067aa0ba902b7', 'vendor=x']);
    assert.equal(attempt?.spanId, passed?.['traceparent']?.slice(36, 52), 'the target got the span of its attempt');
  });

  test('that a dead receiver does not take are bounded, counted, and keep nothing of ten thousand requests', async () => {
    const one = new Exporting(tracesOnly);
    one.answer = () => new Promise(() => undefined);
    for (let index = 0; index < 10_000; index += 1) {
      one.exchange(aReceipt(`wb_${String(index)}`));
      if (index % 1000 === 0) one.export.tick(one.now += 6_000);
    }
    assert.equal(one.deliveries.length, 1, 'one request at a time');
    const { waiting, dropped } = one.figures;
    assert.ok(waiting <= mostWaiting, String(waiting));
    const sentNow = one.spans.length;
    assert.equal(waiting + dropped.full + sentNow, 20_000, 'each span is sent, waits, or is counted as left out');
    await one.export.close(5);
    assert.equal(one.figures.dropped.full + one.figures.dropped.ended, 20_000 - sentNow);
  });

  test('are followed for so many requests at once, and those beyond are counted', () => {
    const one = new Exporting(tracesOnly);
    for (let index = 0; index < mostLive + 3; index += 1) one.start(aReceipt(`wb_${String(index)}`));
    assert.equal(one.figures.dropped.tooMany, 3);
  });

  test('are sent again where the receiver asks for it, and left out where it refuses', async () => {
    const one = new Exporting(tracesOnly);
    const answers: Delivered[] = [{ status: 503, headers: { 'retry-after': '0' }, text: '' }, { failed: 'connection-refused' }, { status: 200, headers: {}, text: '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}' }, { status: 401, headers: {}, text: 'no' }, ok];
    one.answer = () => answers.shift() ?? ok;
    one.exchange(aReceipt('wb_1'));
    await one.pass(6);
    assert.equal(one.deliveries.length, 3);
    assert.equal(new Set(one.bodies('/v1/traces')).size, 1, 'the same spans each time');
    assert.deepEqual([one.figures.spansSent, one.figures.dropped.rejected], [1, 1]);
    one.exchange(aReceipt('wb_2'));
    await one.pass(6);
    assert.equal(one.figures.dropped.refused, 2);
    one.exchange(aReceipt('wb_3'));
    await one.pass(6);
    assert.equal(one.figures.spansSent, 3);
    assert.deepEqual(one.warnings, [
      'The receiver of traces did not take what was sent: HTTP 503; it is tried again.',
      'The receiver of traces took out 1 of what was sent: too old',
      'The receiver of traces did not take what was sent: HTTP 401; what was sent is left out. Look at the address and the headers of "monitoring.otlp".',
    ]);
    assert.equal(one.notes.length, 2, 'and once each time that it takes again');
  });

  test('that wait at the end are sent, or given up within a bound', async () => {
    const one = new Exporting(tracesOnly);
    one.exchange(aReceipt('wb_1'));
    await one.export.close(5_000);
    assert.equal(one.spans.length, 2);
    const dead = new Exporting(tracesOnly);
    dead.answer = () => new Promise(() => undefined);
    dead.exchange(aReceipt('wb_1'));
    await dead.export.close(20);
    assert.equal(dead.deliveries.length, 1);
    assert.equal(dead.deliveries[0]?.signal?.aborted, true, 'nobody waits for it any more');
  });

  test('of requests that run when the configuration changes are counted as left out', async () => {
    const one = new Exporting({ ...tracesOnly, traces: { passOn: ['own'] } });
    one.start(aReceipt('wb_1'));
    one.start(aReceipt('wb_2'), { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' });
    await one.export.close(5_000);
    assert.equal(one.figures.dropped.ended, 1, 'the caller of the second one wanted no trace');
  });

  test('say that a request is a copy of a shadow', async () => {
    const one = new Exporting(tracesOnly);
    const receipt = aReceipt('wb_2', { shadow: { of: 'wb_1', route: 'auto', arm: 'shadow' } });
    one.copies.started.emit({ exchange: { receipt, tick() {}, progress: () => receipt, stop: () => false, interrupt() {} } });
    one.copies.priced.emit({ receipt, route: undefined });
    await one.pass(6);
    assert.equal(one.spans[0]?.attributes['waybill.shadow.of'], 'wb_1');
  });
});

describe('metrics that are sent', () => {
  test('come at their time, and a delta that was not taken is in the next one', async () => {
    const one = new Exporting({ ...metricsOnly, metrics: { everySeconds: 60, temporality: 'delta' } });
    await one.pass(30);
    assert.equal(one.deliveries.length, 0);
    one.count = 2;
    await one.pass(30);
    one.count = 5;
    one.answer = () => ({ status: 400, headers: {}, text: '' });
    await one.pass(60);
    one.count = 6;
    one.answer = () => ok;
    await one.pass(60);
    const points = one.bodies('/v1/metrics').map(body => readMetrics(body)[0]?.points[0]);
    assert.deepEqual(points.map(point => point?.asDouble), [2, 3, 4]);
    assert.equal(points[2]?.startTimeUnixNano, `${String(noon + 60_000)}000000`, 'since the last that was taken');
    assert.deepEqual([one.figures.metricsSent, one.figures.metricsLost], [2, 1]);
  });

  test('as deltas go on from what was taken when the configuration changes, also while the last ones are still on their way', async () => {
    const delta = { ...metricsOnly, metrics: { everySeconds: 60, temporality: 'delta' } };
    const one = new Exporting(delta);
    one.count = 5;
    await one.pass(60);
    one.count = 7;
    let take: ((answer: Delivered) => void) | undefined;
    one.answer = () => new Promise(resolve => { take = resolve; });
    const ended = one.export.close(60_000);
    one.export = one.exportTo(delta, ended);
    while (take === undefined) await new Promise(resolve => setImmediate(resolve));
    one.answer = () => ok;
    one.count = 8;
    one.now += 60_000;
    one.export.tick(one.now);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(one.deliveries.length, 2, 'the next ones wait for the last ones');
    take(ok);
    await ended;
    await one.export.settled();
    const points = one.bodies('/v1/metrics').map(body => readMetrics(body)[0]?.points[0]);
    assert.deepEqual(points.map(point => point?.asDouble), [5, 2, 1], 'nothing is sent twice');
    assert.equal(points[2]?.startTimeUnixNano, `${String(noon + 60_000)}000000`);
  });

  test('are sent once more at the end', async () => {
    const one = new Exporting(metricsOnly);
    one.count = 3;
    await one.export.close(5_000);
    assert.equal(readMetrics(one.bodies('/v1/metrics')[0] ?? '')[0]?.points[0]?.asDouble, 3);
  });
});
