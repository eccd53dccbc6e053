import type { AlertKind, Temporality, WebhookForm } from '../../api/monitoring/monitoringSettings.ts';

/** What is measured, and who may read it. Parts that are absent are switched off. */
export interface MonitoringConfig {
  metrics?: MetricsConfig | undefined;
  /** Absent: none. */
  alerts?: readonly AlertRule[] | undefined;
  /** By name; absent: none. */
  webhooks?: ReadonlyMap<string, WebhookConfig> | undefined;
  /** Absent: nothing is sent in the OpenTelemetry protocol. */
  otlp?: OtlpConfig | undefined;
  /** Values of environment variables that no log may have. */
  secrets: readonly string[];
}

export interface AlertRule {
  name: string;
  when: AlertKind;
  above: number;
  /** In lower case; absent: all. */
  only?: ReadonlySet<string> | undefined;
  forMs: number;
  windowMs: number;
  minRequests: number;
  /** Names of webhooks. */
  webhooks: readonly string[];
  toEditor: boolean;
  toLog: boolean;
}

export interface WebhookConfig {
  name: string;
  url: string;
  form: WebhookForm;
  secret?: string | undefined;
}

export interface MetricsConfig {
  /** Programs of this machine send the token, too. */
  requireToken: boolean;
  /** IP addresses and CIDR ranges that read without a token at addresses that other machines reach; absent: none. */
  readers?: readonly string[] | undefined;
  /** Models with a label of their own, beside those that the configuration names. */
  models: readonly string[];
}

/** Where metrics and traces are sent, and what of them. */
export interface OtlpConfig {
  /** Attributes of the resource beside those that Waybill sets; `service.name` is among them. */
  resource: Readonly<Record<string, string>>;
  timeoutMs: number;
  gzip: boolean;
  /** Absent: none are sent. */
  traces?: OtlpTraces | undefined;
  /** Absent: none are sent. */
  metrics?: OtlpMetrics | undefined;
}

/** The address of one signal. Its headers may hold secrets. */
export interface OtlpReceiver {
  url: string;
  headers: Readonly<Record<string, string>>;
}

export interface OtlpTraces extends OtlpReceiver {
  /** Of requests whose caller sends no trace, 0 to 1. */
  share: number;
  /** Names of endpoints in lower case that are told of the trace; `*`: all. */
  passOn: ReadonlySet<string>;
  prompts: boolean;
  answers: boolean;
  /** The most characters of a prompt, and of an answer. */
  contentCharacters: number;
}

export interface OtlpMetrics extends OtlpReceiver {
  everyMs: number;
  temporality: Temporality;
}
