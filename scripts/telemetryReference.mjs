// docs/telemetry.md: what is sent in the OpenTelemetry protocol, from the tables in server/router/monitoring.
import { ownMetrics } from '../server/router/monitoring/metrics/metricTable.ts';
import { genAiMetrics, liteLlmMetrics } from '../server/router/monitoring/metrics/otherNames.ts';
import { otlpNameOf } from '../server/router/monitoring/otlp/otlpMetrics.ts';
import { attemptAttributes, exchangeAttributes, spanEvents } from '../server/router/monitoring/otlp/spanAttributes.ts';

const introduction = `# Traces and metrics for OpenTelemetry

Waybill can send its metrics, and a trace of each request, in the OpenTelemetry protocol (OTLP over HTTP, JSON): to the OpenTelemetry Collector, Grafana
Alloy, Tempo, Mimir, Jaeger, Prometheus 3 and to hosted backends that take it. It is off, and nothing of it is loaded, until the configuration switches it on.
Nothing is sent to anybody else.

\`\`\`yaml
# waybill.yaml; in VS Code the same stands in "waybill.monitoring" of the user's settings, which a workspace cannot set
monitoring:
  otlp:
    endpoint: "https://otlp.example.com"          # /v1/traces and /v1/metrics are added
    headers: { authorization: "Bearer \${OTLP_TOKEN}" }
    resource: { deployment.environment.name: production }
    traces: { share: 0.1, passOn: [own-gateway] }
    metrics: { everySeconds: 60, temporality: cumulative }
\`\`\`

- **Where to.** \`endpoint\` is \`https://\`, or \`http://\` on this machine or a private network. Headers that are secrets are \`\${NAME}\` references to environment
  variables; no log has them. The configured proxy is used, redirects are not followed. gRPC and Protocol Buffers are not spoken: give the receiver's HTTP
  port (mostly 4318).
- **Standard variables.** With \`fromEnvironment: true\` these hold for what is not written: \`OTEL_EXPORTER_OTLP_ENDPOINT\`, \`…_TRACES_ENDPOINT\`, \`…_METRICS_ENDPOINT\`,
  \`…_HEADERS\` (also of one signal), \`…_TIMEOUT\`, \`…_COMPRESSION\`, \`…_PROTOCOL\`, \`…_METRICS_TEMPORALITY_PREFERENCE\`, \`OTEL_SERVICE_NAME\`, \`OTEL_RESOURCE_ATTRIBUTES\`,
  \`OTEL_TRACES_SAMPLER\` with its argument, \`OTEL_METRIC_EXPORT_INTERVAL\`, \`OTEL_TRACES_EXPORTER=none\`, \`OTEL_METRICS_EXPORTER=none\`, \`OTEL_SDK_DISABLED\`. Without them alone
  nothing is switched on. Where \`endpoint\` is written, headers of the variables are not sent to it.
- **What does not leave.** No prompt, no answer, no key, no header, no name of a person or team. \`traces.content: [prompts, answers]\` sends texts of requests and
  answers, known secrets taken out, the last \`contentCharacters\` (4000) of each; pictures, documents and reasoning never leave. Each request is then read before it
  is sent on, which costs time.
- **When the receiver is slow or gone.** Requests never wait for it. At most 4096 spans wait (8 MiB), a batch has up to 512 and is sent after five seconds; what is beyond
  is left out. Answers 429, 502, 503 and 504 and a lost network are tried five times, with growing distance or when \`Retry-After\` says; other refusals end
  it. Metrics are read when they are sent: a sum that was not taken is in the next one. What was left out is counted in \`waybill_telemetry_dropped_total\`. At its end the
  server sends what waits, for two seconds at most; a server that is killed loses the spans of the last seconds.
- **Which server.** Each window of VS Code has a server of its own, each with a \`service.instance.id\`. \`service.name\` is \`waybill\`.

## Traces

A request is a span of kind SERVER, each call of a provider one of kind CLIENT below it. They are written when the request has its price. The receipt names the
trace (**Trace**), and the span of a request the receipt (\`waybill.exchange.id\`).

A caller's \`traceparent\` and \`tracestate\` (W3C Trace Context) are taken over where they are valid: its sampled flag decides. Of other requests
\`traces.share\` are traced. Targets get \`traceparent\` only where \`traces.passOn\` names their endpoint (\`*\`: all), so providers learn nothing of your traces.
Copies that shadows send are traces of their own.

### The span of a request
`;

function attributes(table) {
  return `| attribute | type | meaning |\n|---|---|---|\n${table.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`).join('\n')}\n`;
}

function metrics(table) {
  return `| name | unit | at \`/metrics\` |\n|---|---|---|\n${table.map((metric) => {
    const { name, unit } = otlpNameOf(metric);
    return `| \`${name}\` | ${unit === '' ? '' : `\`${unit}\``} | \`${metric.name}\` |`;
  }).join('\n')}\n`;
}

/** The page. */
export function telemetryReference() {
  return `${introduction}
Its name is the operation and the name that was asked for, its status is an error where the caller got one.

${attributes(exchangeAttributes)}
Its events:

| event | meaning |
|---|---|
${Object.entries(spanEvents).map(([name, help]) => `| \`${name}\` | ${help} |`).join('\n')}

### The span of a call of a provider

Its name is the operation and the model, by the name that the provider knows it by.

${attributes(attemptAttributes)}
## Metrics

The same as at [\`/metrics\`](metrics.md), which says what they mean, by the same rules for labels. A label is an attribute of the same name; those of
OpenTelemetry's own metrics are written with dots (\`gen_ai.operation.name\`). A receiver like Prometheus adds the unit and \`_total\` to the name, so that the
dashboard and the rules for alerts of this folder hold there too. \`cumulative\` sums count since the server measures, \`delta\` since the last that the receiver took.

${metrics([...ownMetrics, ...genAiMetrics])}
Beside them those with [LiteLLM's names](metrics.md#litellms-names), ${liteLlmMetrics.length} of them.
`;
}
