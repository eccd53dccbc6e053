/** What the user writes of metrics and alerts: the same in `monitoring` of `waybill.yaml` and in `waybill.monitoring` of VS Code. Absent: nothing is measured. */
export interface MonitoringSettings {
  metrics?: MetricsSettings | undefined;
  /** Rules by name. */
  alerts?: Record<string, AlertSettings> | undefined;
  /** Where alerts are sent, by name. */
  webhooks?: Record<string, WebhookSettings> | undefined;
}
export interface MetricsSettings {
  /** Default: true where the section is written. */
  enabled?: boolean | undefined;
  /** Programs of this machine send the token, too. Default: false. */
  requireToken?: boolean | undefined;
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
