import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { allMetrics } from '../../../../server/router/monitoring/monitoringPart.ts';
import { isInstalled } from '../../../support/isInstalled.ts';

const root = path.join(import.meta.dirname, '..', '..', '..', '..');
const folder = path.join(root, 'docs', 'monitoring');
const { dashboardText, metricsDashboard } = await import(pathToFileURL(path.join(root, 'scripts', 'metricsDashboard.mjs')).href) as { dashboardText(): string; metricsDashboard(): { panels: { title: string; targets?: { expr: string; legendFormat: string }[] }[] } };
const rulesFile = path.join(folder, 'alerts.yml');
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[] };
const rules = groups.flatMap(group => group.rules);

/** Series by name, with their labels; those of Prometheus itself are `up`, `job` and `instance`. */
const series = new Map<string, ReadonlySet<string>>([['up', new Set(['job', 'instance'])]]);
for (const { name, type, labels } of allMetrics) {
  const all = new Set([...labels, 'job', 'instance']);
  for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) series.set(name + suffix, suffix === '_bucket' ? new Set([...all, 'le']) : all);
}
const functions = new Set(['sum', 'avg', 'rate', 'increase', 'histogram_quantile', 'by', 'and', 'or']);

/** What is wrong with a query: names of metrics that there are not, and labels that none of its metrics has. */
function mistakesIn(expression: string): string[] {
  const mistakes: string[] = [];
  const labels = new Set<string>();
  for (const [, name = ''] of expression.matchAll(/\b([a-z][a-z0-9_]*)\b(?=\s*(?:\{|\[|\/|>|<|=|\)|$))/g)) {
    if (series.has(name)) for (const label of series.get(name) ?? []) labels.add(label);
  }
  const outside = expression.replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ');
  for (const [name] of outside.matchAll(/\b[a-z][a-z0-9_]*\b/g)) if (!functions.has(name) && !series.has(name)) mistakes.push(`there is no metric ${name}`);
  const named = [...expression.matchAll(/([a-z_][a-z0-9_]*)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
  const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map(one => one.trim()));
  for (const label of [...named, ...grouped]) if (!labels.has(label)) mistakes.push(`no metric of it has the label ${label}`);
  return mistakes;
}

describe('queries of the dashboard and of alert rules', () => {
  test('name only metrics and labels that exist', () => {
    const panels = metricsDashboard().panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr })));
    assert.ok(panels.length > 30 && rules.length > 8);
    for (const { of, expr } of [...panels, ...rules.map(({ alert, expr }) => ({ of: alert, expr }))]) assert.deepEqual(mistakesIn(expr), [], `${of}: ${expr}`);
  });

  test('that have a mistake are found', () => {
    assert.deepEqual(mistakesIn('sum by (endpoint) (rate(waybill_attempt_total[5m]))'), ['there is no metric waybill_attempt_total', 'no metric of it has the label endpoint']);
    assert.deepEqual(mistakesIn('waybill_endpoint_up{model="x"}'), ['no metric of it has the label model']);
    assert.deepEqual(mistakesIn('waybill_request_duration_seconds > 1'), ['there is no metric waybill_request_duration_seconds']);
  });

  test('words of rules and legends have labels of their queries', () => {
    for (const { alert, expr, annotations } of rules) {
      for (const [, label = ''] of Object.values(annotations).join(' ').matchAll(/\$labels\.(\w+)/g)) {
        const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map(one => one.trim()));
        const known = grouped.length > 0 ? grouped : [...series].filter(([name]) => expr.includes(name)).flatMap(([, labels]) => [...labels]);
        assert.ok(known.includes(label), `${alert}: ${label}`);
      }
    }
  });

  test('the dashboard is what its script writes (npm run metrics writes it anew)', () => {
    assert.equal(readFileSync(path.join(folder, 'dashboard.json'), 'utf8'), dashboardText());
  });

  test('alert rules fire and resolve as their tests say', { skip: isInstalled('promtool') ? false : 'promtool is not installed (apt-get install prometheus)' }, () => {
    const tested = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: folder, encoding: 'utf8' });
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    for (const { alert } of rules) assert.ok(readFileSync(path.join(folder, 'alerts.test.yml'), 'utf8').includes(`alertname: ${alert}`), `${alert} has a test`);
  });
});
