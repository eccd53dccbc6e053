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

- **Who may read them.** Programs of this machine need no token at 127.0.0.1. Others, and whoever comes through a proxy, send the token of the local endpoint itself
  (\`authorization: { credentials_file: … }\` in \`prometheus.yml\`), or are named as readers ([below](#readers-on-other-machines)).
  A proxy of this machine that adds no header of its own cannot be told from a program of it: with \`monitoring.metrics.requireToken\` programs of this machine send the token, too.
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
## Readers on other machines

Where \`serve\` listens for other machines ([addresses.md](addresses.md)), \`readers\` names who reads \`/metrics\`, and nothing else, without a token:

\`\`\`yaml
monitoring:
  metrics:
    readers: [10.0.5.0/24, "2001:db8:5::7", "\${PROMETHEUS_ADDRESS}"]
\`\`\`

- IPv4 that a socket for both versions shows as IPv6 (\`::ffff:10.0.5.7\`) is IPv4.
- Behind a trusted proxy the caller's address counts: the last one in \`X-Forwarded-For\` that is none of a trusted proxy. What a caller writes there itself stands before it, and says nothing.
  The address of a trusted proxy is never a reader's, so name proxies one by one where readers are in the same network.
- A request with headers of a proxy that is not trusted needs the token, also from an address that is named, and also where a trusted one passes it on with
  another address before the caller's: it may be passed on for others.
- At 127.0.0.1 the list says nothing.
- Without TLS, on a network where others can take an address, the list is no protection: use the token.

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
