/** What the user writes of metrics, traces and alerts: the same in `monitoring` of `waybill.yaml` and in `waybill.monitoring` of VS Code. Absent: nothing is measured. */
export interface MonitoringSettings {
  metrics?: MetricsSettings | undefined;
  /** Rules by name. */
  alerts?: Record<string, AlertSettings> | undefined;
  /** Where alerts are sent, by name. */
  webhooks?: Record<string, WebhookSettings> | undefined;
  /** Metrics and traces that are sent in the OpenTelemetry protocol. */
  otlp?: OtlpSettings | undefined;
}
export interface MetricsSettings {
  /** Default: true where the section is written. */
  enabled?: boolean | undefined;
  /** Programs of this machine send the token, too. Default: false. */
  requireToken?: boolean | undefined;
  /** IP addresses and CIDR ranges that read without a token where the server listens for other machines. Default: none. */
  readers?: string[] | undefined;
  /** Models that have a label of their own, beside those that the configuration names. */
  models?: string[] | undefined;
}

/** What an alert can be about: each by name, with what it says as the end of a sentence. */
export const alertKinds = {
  'endpoint-down': 'an endpoint is down',
  'error-rate': 'more than a share `above` (0 to 1) of the requests of a route fail',
  'slow': 'the 99th percentile of the time of requests of a route is above so many seconds',
  'slow-start': 'the same of the time to the first token',
  'budget': 'a share `above` (0 to 1) of a budget is used',
  'canary-rolled-back': 'the canary of a route was rolled back',
  'spend': 'the requests of the last hour have cost more than so many US dollars, by the ledger of the data folder',
} as const;
export type AlertKind = keyof typeof alertKinds;

export interface AlertSettings {
  when: AlertKind;
  above?: number | undefined;
  /** Names of endpoints, routes or budgets; absent: all. */
  only?: string[] | undefined;
  forMinutes?: number | undefined;
  windowMinutes?: number | undefined;
  minRequests?: number | undefined;
  /** Names of webhooks, `editor`, `log`; absent: all. */
  to?: string[] | undefined;
}

export const webhookForms = ['slack', 'json'] as const;
export type WebhookForm = (typeof webhookForms)[number];
export interface WebhookSettings {
  /** `${NAME}` of the environment: the address is a secret. */
  url: string;
  form?: WebhookForm | undefined;
  /** `${NAME}` of the environment. */
  secret?: string | undefined;
}

export const otlpCompressions = ['gzip', 'none'] as const;
export const temporalities = ['cumulative', 'delta'] as const;
export type Temporality = (typeof temporalities)[number];
export const tracedContents = ['prompts', 'answers'] as const;
export type TracedContent = (typeof tracedContents)[number];

export interface OtlpSettings {
  /** Default: true where the section is written. */
  enabled?: boolean | undefined;
  /** The address before `/v1/traces` and `/v1/metrics`. */
  endpoint?: string | undefined;
  /** By name; secrets as `${NAME}` of the environment. */
  headers?: Record<string, string> | undefined;
  /** The standard variables `OTEL_…` hold for what is not written. Default: false. */
  fromEnvironment?: boolean | undefined;
  timeoutSeconds?: number | undefined;
  compression?: (typeof otlpCompressions)[number] | undefined;
  /** Attributes of the resource, by name. */
  resource?: Record<string, string> | undefined;
  traces?: OtlpTracesSettings | undefined;
  metrics?: OtlpMetricsSettings | undefined;
}
export interface OtlpTracesSettings {
  /** Default: true. */
  enabled?: boolean | undefined;
  /** Of requests whose caller sends no trace, 0 to 1. Default: 1. */
  share?: number | undefined;
  /** Names of endpoints that are told of the trace; `*`: all. Default: none. */
  passOn?: string[] | undefined;
  /** What of requests and answers leaves. Default: nothing. */
  content?: TracedContent[] | undefined;
  /** The most characters of each. Default: 4000. */
  contentCharacters?: number | undefined;
}
export interface OtlpMetricsSettings {
  /** Default: true. */
  enabled?: boolean | undefined;
  everySeconds?: number | undefined;
  temporality?: Temporality | undefined;
}
