/** What is measured, and who may read it. Parts that are absent are switched off. */
export interface MonitoringConfig {
  metrics?: MetricsConfig | undefined;
}

export interface MetricsConfig {
  /** Addresses and networks that need no token, as they are written; each is valid. */
  allow: readonly string[];
  /** Models with a label of their own, beside those that the configuration names. */
  models: readonly string[];
}
