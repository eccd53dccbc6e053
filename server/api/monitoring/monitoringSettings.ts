/** What the user writes of metrics: the same in `monitoring` of `waybill.yaml` and in `waybill.monitoring` of VS Code. Absent: nothing is measured. */
export interface MonitoringSettings {
  metrics?: MetricsSettings | undefined;
}
export interface MetricsSettings {
  /** Default: true where the section is written. */
  enabled?: boolean | undefined;
  /** Addresses that need no token, beside this machine. */
  allow?: string[] | undefined;
  /** Models that have a label of their own, beside those that the configuration names. */
  models?: string[] | undefined;
}
