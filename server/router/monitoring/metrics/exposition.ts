import { Histogram } from './histogram.ts';
import type { Metric, MetricSources } from './metric.ts';

/** What Prometheus calls its text format. */
export const expositionType = 'text/plain; version=0.0.4';

/** Metrics in the text format of Prometheus. Those without a value are left out. */
export function exposition(metrics: readonly Metric[], sources: MetricSources): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const samples = metric.samples(sources);
    if (samples.length === 0) continue;
    lines.push(`# HELP ${metric.name} ${metric.help.replace(/[\\\n]/g, one => (one === '\n' ? '\\n' : '\\\\'))}`, `# TYPE ${metric.name} ${metric.type}`);
    for (const [values, value] of samples) {
      const labels = metric.labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
      if (value instanceof Histogram) pushHistogram(lines, metric.name, labels, value);
      else lines.push(`${metric.name}${braced(labels)} ${figure(value)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function pushHistogram(lines: string[], name: string, labels: readonly string[], { bounds, counts, sum, count }: Histogram): void {
  let below = 0;
  bounds.forEach((bound, index) => {
    below += counts[index] ?? 0;
    lines.push(`${name}_bucket${braced([...labels, `le="${String(bound)}"`])} ${String(below)}`);
  });
  lines.push(`${name}_bucket${braced([...labels, 'le="+Inf"'])} ${String(count)}`, `${name}_sum${braced(labels)} ${figure(sum)}`, `${name}_count${braced(labels)} ${String(count)}`);
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, one => (one === '\n' ? '\\n' : `\\${one}`));
}

function figure(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
