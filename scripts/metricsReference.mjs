// docs/metrics.md: every metric, from the tables in server/router/monitoring/metrics.
import { ownMetrics } from '../server/router/monitoring/metrics/metricTable.ts';
import { genAiMetrics, liteLlmMetrics } from '../server/router/monitoring/metrics/otherNames.ts';

const introduction = `# Metrics

Waybill serves figures for [Prometheus](https://prometheus.io/) at \`GET /metrics\` of the local endpoint. They are off, and nothing of them is
loaded, until the configuration switches them on.

\`\`\`yaml
# waybill.yaml
monitoring:
  metrics: {}
\`\`\`

In VS Code the setting is \`"waybill.monitoring": { "metrics": {} }\` in the user's settings; a workspace cannot set it.

\`\`\`yaml
# prometheus.yml
scrape_configs:
  - job_name: waybill
    static_configs: [{ targets: ["127.0.0.1:7717"] }]
\`\`\`

[monitoring/dashboard.json](monitoring/dashboard.json) is a dashboard for Grafana (Dashboards, New, Import), and
[monitoring/alerts.yml](monitoring/alerts.yml) has rules for Prometheus (\`rule_files\`), with tests for
\`promtool test rules\` in [monitoring/alerts.test.yml](monitoring/alerts.test.yml).

- **Who may read them.** Programs of this machine need no token. Others, and whoever comes through a proxy, send the token of the local endpoint itself
  (\`authorization: { credentials_file: … }\` in \`prometheus.yml\`). The endpoint
  itself listens on this machine alone. A proxy of this machine that adds no header of its own cannot be told from a program of it: with
  \`monitoring.metrics.requireToken\` every reader sends the token.
- **What is counted.** What this server process did since it measures. Each window of VS Code has a server of its own; the one that holds the
  port is read. \`waybill_spend_today_usd\` and the budgets are of the whole data folder.
- **Labels** have names of the configuration or words of a fixed list. A model that neither a route, an endpoint, an alias nor
  \`monitoring.metrics.models\` names is \`other\`, so callers cannot make series. No label holds a key, a prompt, a caller or an address.
- **What is unknown is not 0.** Calls whose cost is not known are counted in \`waybill_unknown_cost_attempts_total\`, and the spend is then a lower
  bound. What a provider does not report (limits, first tokens of plain answers) has no series.
- A request can take several attempts: it is one request, and each call of a provider is one attempt.
`;

function table(metrics) {
  const rows = metrics.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((one) => `\`${one}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`);
  return `| name | type | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** The page. */
export function metricsReference() {
  return `${introduction}
## Waybill's own

Histograms of seconds have the bounds of the OpenTelemetry conventions, from 0.01 to 81.92, and 163.84 and 327.68 above them.

${table(ownMetrics)}
## OpenTelemetry's names

The metrics of the [conventions for generative AI](https://github.com/open-telemetry/semantic-conventions-genai), which are still in development,
by the names that Prometheus gives them.

${table(genAiMetrics)}
## LiteLLM's names

What dashboards for LiteLLM read, as far as Waybill has it. A deployment is a target. There are no labels of teams, users or keys.

${table(liteLlmMetrics)}`;
}
