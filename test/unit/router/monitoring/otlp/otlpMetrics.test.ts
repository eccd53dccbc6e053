import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { metricsRequest, senderOf } from '../../../../../server/router/monitoring/otlp/otlpJson.ts';
import { otlpMetrics, otlpNameOf } from '../../../../../server/router/monitoring/otlp/otlpMetrics.ts';
import { Histogram } from '../../../../../server/router/monitoring/metrics/histogram.ts';
import { ofState, type Metric, type MetricSources, type Sample } from '../../../../../server/router/monitoring/metrics/metric.ts';
import { allMetrics } from '../../../../../server/router/monitoring/monitoringPart.ts';
import { readMetrics } from '../../../../support/otlp/otlpShape.ts';

const since = Date.UTC(2026, 10, 20, 12);
const sender = senderOf('1.0.0', { 'service.name': 'waybill' });
const at = (seconds: number): MetricSources => ({ now: since + seconds * 1000 }) as MetricSources;
const written = (metrics: readonly unknown[]): ReturnType<typeof readMetrics> => readMetrics(metricsRequest(sender, metrics));

describe('metrics in the OpenTelemetry protocol', () => {
  let count = 5;
  const times = new Histogram([1, 2]);
  const table: Metric[] = [
    ofState('waybill_things_total', 'counter', ['kind', 'empty'], 'Things.', () => [[['a', ''], count]]),
    ofState('waybill_level', 'gauge', [], 'A level.', () => [[[], Infinity]]),
    { name: 'waybill_time_seconds', type: 'histogram', labels: [], help: 'Times.', samples: (): Sample[] => [[[], times]] },
    ofState('waybill_nothing', 'gauge', [], 'Nothing.', () => []),
  ];

  test('are sums since the start, or what was added since the last that was taken', () => {
    times.observe(1.5);
    const first = otlpMetrics(table, at(60), { temporality: 'delta', sinceMs: since, baseline: new Map() });
    count = 8;
    times.observe(5);
    const delta = written(otlpMetrics(table, at(120), { temporality: 'delta', sinceMs: since + 60_000, baseline: first.baseline }).metrics);
    assert.deepEqual(delta.map(({ name, unit, kind, temporality }) => [name, unit, kind, temporality]), [['waybill_things', '', 'sum', 1], ['waybill_level', '', 'gauge', undefined], ['waybill_time', 's', 'histogram', 1]]);
    assert.deepEqual(delta[0]?.points, [{ attributes: { kind: 'a' }, startTimeUnixNano: `${String(since + 60_000)}000000`, timeUnixNano: `${String(since + 120_000)}000000`, asDouble: 3 }]);
    assert.deepEqual(delta[2]?.points.map(({ count: n, sum, bucketCounts }) => ({ n, sum, bucketCounts })), [{ n: '1', sum: 5, bucketCounts: ['0', '0', '1'] }]);
    const whole = written(otlpMetrics(table, at(120), { temporality: 'cumulative', sinceMs: since, baseline: first.baseline }).metrics);
    assert.equal(whole[0]?.points[0]?.asDouble, 8);
    assert.equal(whole[0].temporality, 2);
    assert.deepEqual(whole[2]?.points[0]?.bucketCounts, ['0', '1', '1']);
    // What was not taken is in the next delta: the baseline stays.
    const again = written(otlpMetrics(table, at(120), { temporality: 'delta', sinceMs: since, baseline: new Map() }).metrics);
    assert.equal(again[0]?.points[0]?.asDouble, 8);
  });

  test('get back the names that Prometheus reads at /metrics', () => {
    const suffix: Record<string, string> = { 's': '_seconds', 'By': '_bytes', '1': '_ratio', '{token}': '', '': '' };
    for (const metric of allMetrics) {
      const { name, unit } = otlpNameOf(metric);
      assert.ok(unit in suffix, `${metric.name}: ${unit}`);
      // As Prometheus names what it receives: https://prometheus.io/docs/specs/ and its OTLP translator.
      const read = name.replaceAll('.', '_') + (suffix[unit] ?? '') + (metric.type === 'counter' ? '_total' : '');
      assert.equal(read, metric.name);
    }
    const names = allMetrics.map(metric => otlpNameOf(metric).name);
    assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
    assert.ok(names.includes('gen_ai.client.operation.duration') && names.includes('waybill_requests'));
  });
});
