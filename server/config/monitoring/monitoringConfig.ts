import type { AlertKind, WebhookForm } from '../../api/monitoring/monitoringSettings.ts';

/** What is measured, and who may read it. Parts that are absent are switched off. */
export interface MonitoringConfig {
  metrics?: MetricsConfig | undefined;
  /** Absent: none. */
  alerts?: readonly AlertRule[] | undefined;
  /** By name; absent: none. */
  webhooks?: ReadonlyMap<string, WebhookConfig> | undefined;
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
  /** Models with a label of their own, beside those that the configuration names. */
  models: readonly string[];
}
