// docs/monitoring/dashboard.json: a dashboard for Grafana over Waybill's own metrics. Queries are checked against the tables of metrics by a test.

const source = { type: 'prometheus', uid: '${source}' };
const selected = 'instance=~"$instance"';

/** Rows of panels: title, unit of Grafana, queries with their legends. `least`: the axis begins there. */
const rows = [
  ['Now', [
    stat('Endpoints up', 'percentunit', `avg(waybill_endpoint_up{${selected}})`),
    stat('Requests a second', 'reqps', `sum(rate(waybill_requests_total{${selected}}[$__rate_interval]))`),
    stat('Failed requests', 'percentunit', `sum(rate(waybill_requests_total{${selected},outcome="failed"}[$__rate_interval])) / sum(rate(waybill_requests_total{${selected}}[$__rate_interval]))`),
    stat('Running', 'short', `sum(waybill_requests_in_flight{${selected}})`),
    stat('Spend today', 'currencyUSD', `sum(waybill_spend_today_usd{${selected}})`),
    stat('Cost unknown today', 'short', `sum(waybill_unknown_cost_today{${selected}})`),
  ]],
  ['Requests', [
    graph('Requests by outcome', 'reqps', [[`sum by (outcome) (rate(waybill_requests_total{${selected}}[$__rate_interval]))`, '{{outcome}}']]),
    graph('Failures by class', 'reqps', [[`sum by (class) (rate(waybill_request_failures_total{${selected}}[$__rate_interval]))`, '{{class}}']]),
    graph('Time of a request', 's', quantiles('waybill_request_duration_seconds', 'le')),
    graph('Time to the first token, by route', 's', [[`histogram_quantile(0.95, sum by (le, route) (rate(waybill_request_time_to_first_token_seconds_bucket{${selected}}[$__rate_interval])))`, 'p95 {{route}}']]),
    graph('Waybill\'s own share', 's', quantiles('waybill_request_overhead_seconds', 'le')),
    graph('Fallbacks and hedges', 'reqps', [
      [`sum by (outcome) (rate(waybill_fallbacks_total{${selected}}[$__rate_interval]))`, 'fallback, {{outcome}}'],
      [`sum(rate(waybill_hedged_requests_total{${selected}}[$__rate_interval]))`, 'second target asked'],
      [`sum(rate(waybill_hedges_won_total{${selected}}[$__rate_interval]))`, 'second target answered'],
    ]),
  ]],
  ['Endpoints', [
    graph('Up', 'bool_on_off', [[`waybill_endpoint_up{${selected}}`, '{{endpoint}}']]),
    graph('Breakers that are not closed', 'short', [[`sum by (endpoint) (waybill_breaker_state{${selected},state!="closed"})`, '{{endpoint}}'], [`waybill_models_kept_away{${selected}}`, 'models at {{endpoint}}']]),
    graph('Cooldowns', 's', [[`waybill_cooldown_seconds{${selected}}`, '{{endpoint}}']]),
    graph('Failed calls', 'percentunit', [[`sum by (endpoint) (rate(waybill_attempts_total{${selected},outcome="failed"}[$__rate_interval])) / sum by (endpoint) (rate(waybill_attempts_total{${selected}}[$__rate_interval]))`, '{{endpoint}}']]),
    graph('Failed calls by class', 'reqps', [[`sum by (endpoint, class) (rate(waybill_attempt_failures_total{${selected}}[$__rate_interval]))`, '{{endpoint}}: {{class}}']]),
    graph('Time of a call, p95', 's', [[`histogram_quantile(0.95, sum by (le, endpoint, model) (rate(waybill_attempt_duration_seconds_bucket{${selected}}[$__rate_interval])))`, '{{endpoint}}/{{model}}']]),
    graph('Time to the first token of a call, p95', 's', [[`histogram_quantile(0.95, sum by (le, endpoint, model) (rate(waybill_attempt_time_to_first_token_seconds_bucket{${selected}}[$__rate_interval])))`, '{{endpoint}}/{{model}}']]),
    graph('Left of the provider\'s limits', 'percentunit', [[`waybill_limit_remaining{${selected}} / waybill_limit{${selected}}`, '{{endpoint}}: {{kind}}']]),
    graph('Keys by state', 'short', [[`sum by (endpoint, state) (waybill_keys{${selected}})`, '{{endpoint}}: {{state}}']]),
  ]],
  ['Tokens and money', [
    graph('Tokens a second by kind', 'short', [[`sum by (bucket) (rate(waybill_tokens_total{${selected},bucket!="reasoning"}[$__rate_interval]))`, '{{bucket}}']]),
    graph('Dollars an hour by target', 'currencyUSD', [[`3600 * sum by (endpoint, model) (rate(waybill_spend_usd_total{${selected}}[$__rate_interval]))`, '{{endpoint}}/{{model}}']]),
    graph('Dollars an hour, exact or estimated', 'currencyUSD', [[`3600 * sum(rate(waybill_spend_usd_total{${selected}}[$__rate_interval]))`, 'all'], [`3600 * sum(rate(waybill_estimated_spend_usd_total{${selected}}[$__rate_interval]))`, 'of it estimated']]),
    graph('Calls of unknown cost', 'reqps', [[`sum by (endpoint, model) (rate(waybill_unknown_cost_attempts_total{${selected}}[$__rate_interval]))`, '{{endpoint}}/{{model}}']]),
    graph('Used of budgets', 'percentunit', [[`waybill_budget_used_ratio{${selected}}`, '{{budget}}']]),
    graph('Left of budgets', 'currencyUSD', [[`waybill_budget_remaining_usd{${selected}}`, '{{budget}}']]),
  ]],
  ['Server', [
    graph('Lateness of the event loop', 's', [[`waybill_event_loop_delay_p99_seconds{${selected}}`, 'p99 {{instance}}'], [`waybill_event_loop_delay_max_seconds{${selected}}`, 'longest {{instance}}']]),
    graph('Lag of the ledger', 's', [[`waybill_ledger_lag_seconds{${selected}}`, '{{instance}}']]),
    graph('Processor', 'percentunit', [[`rate(process_cpu_seconds_total{${selected}}[$__rate_interval])`, '{{instance}}']]),
    graph('Memory', 'bytes', [[`process_resident_memory_bytes{${selected}}`, '{{instance}}']]),
  ]],
];

function quantiles(name, by) {
  return [0.5, 0.95, 0.99].map((one) => [`histogram_quantile(${one}, sum by (${by}) (rate(${name}_bucket{${selected}}[$__rate_interval])))`, `p${one * 100}`]);
}

function stat(title, unit, expression) {
  return { title, unit, queries: [[expression, '']], type: 'stat', width: 4, height: 4 };
}

function graph(title, unit, queries) {
  return { title, unit, queries, type: 'timeseries', width: 8, height: 8 };
}

/** The dashboard, as Grafana imports it. */
export function metricsDashboard() {
  const panels = [];
  let y = 0;
  let id = 1;
  for (const [title, charts] of rows) {
    panels.push({ id: id++, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let height = 0;
    for (const { title: name, unit, queries, type, width, height: tall } of charts) {
      if (x + width > 24) [x, y] = [0, y + tall];
      panels.push({
        id: id++, type, title: name, datasource: source, gridPos: { x, y, w: width, h: tall },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        options: type === 'stat' ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } } : { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
        targets: queries.map(([expr, legendFormat], index) => ({ refId: String.fromCharCode(65 + index), datasource: source, expr, legendFormat })),
      });
      x += width;
      height = tall;
    }
    y += height;
  }
  return {
    uid: 'waybill', title: 'Waybill', tags: ['waybill'], schemaVersion: 39, version: 1, editable: true, timezone: 'browser', refresh: '30s', time: { from: 'now-6h', to: 'now' },
    templating: { list: [
      { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
      { name: 'instance', label: 'Server', type: 'query', datasource: source, query: 'label_values(waybill_build_info, instance)', refresh: 2, includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } },
    ] },
    panels,
  };
}

/** The text of the file. */
export function dashboardText() {
  return `${JSON.stringify(metricsDashboard(), undefined, 1)}\n`;
}
