import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exposition } from '../../../../server/router/monitoring/metrics/exposition.ts';
import { Histogram } from '../../../../server/router/monitoring/metrics/histogram.ts';
import type { Metric, MetricSources } from '../../../../server/router/monitoring/metrics/metric.ts';

const nothing = {} as MetricSources;

function metric(type: Metric['type'], labels: readonly string[], samples: ReturnType<Metric['samples']>): Metric {
  return { name: 'm', type, labels, help: 'Some \\ help\nof two lines.', samples: () => samples };
}

describe('the text format of Prometheus', () => {
  test('escapes help and values of labels', () => {
    assert.equal(exposition([metric('counter', ['a', 'b'], [[['x"\\\ny', ''], 1.5]])], nothing), '# HELP m Some \\\\ help\\nof two lines.\n# TYPE m counter\nm{a="x\\"\\\\\\ny",b=""} 1.5\n');
  });

  test('counts a bucket with all below it', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [1, 1.5, 2, 3]) histogram.observe(value);
    assert.equal(exposition([metric('histogram', ['a'], [[['x'], histogram]])], nothing).split('\n').slice(2).join('\n'),
      'm_bucket{a="x",le="1"} 1\nm_bucket{a="x",le="2"} 3\nm_bucket{a="x",le="+Inf"} 4\nm_sum{a="x"} 7.5\nm_count{a="x"} 4\n');
  });

  test('leaves out a metric that has no value', () => {
    assert.equal(exposition([metric('gauge', [], [])], nothing), '\n');
  });
});
