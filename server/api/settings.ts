/** What the user writes: the same objects in `switchyard.yaml` and in VS Code's settings. Validated by server/config. */
export interface EndpointSettings {
  provider: string;
  protocol?: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | undefined;
  baseUrl?: string | undefined;
  region?: string | undefined;
  enabled?: boolean | undefined;
  /** Headless only: `${VAR}` references. Never in VS Code's settings. */
  keys?: string[] | undefined;
  /** 1 is tried first. */
  priority?: number | undefined;
  /** Relative share where a strategy splits load. */
  weight?: number | undefined;
  /** Extra request headers. */
  headers?: Record<string, string> | undefined;
  limits?: { requestsPerMinute?: number | undefined; tokensPerMinute?: number | undefined; concurrency?: number | undefined } | undefined;
  timeouts?: TimeoutSettings | undefined;
  breaker?: { failures?: number | undefined; openForMs?: number | undefined; halfOpenProbes?: number | undefined } | undefined;
  probe?: { intervalMs?: number | undefined; enabled?: boolean | undefined } | undefined;
  /** By canonical model name. */
  models?: Record<string, ModelSettings> | undefined;
}
export interface TimeoutSettings {
  connectMs?: number | undefined;
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  idleMs?: number | undefined;
  totalMs?: number | undefined;
}
export interface ModelSettings {
  upstream?: string | undefined;
  contextWindow?: number | undefined;
  maxOutputTokens?: number | undefined;
  tools?: boolean | undefined;
  images?: boolean | undefined;
  thinking?: boolean | undefined;
  prices?: PriceSettings | undefined;
}
/** US dollars per million tokens. */
export interface PriceSettings {
  inputPerMTok: number;
  outputPerMTok: number;
  cacheReadPerMTok?: number | undefined;
  cacheWritePerMTok?: number | undefined;
  cacheWrite1hPerMTok?: number | undefined;
}
export interface RouteSettings {
  strategy?: 'priority' | undefined;
  /** `endpoint/model`. */
  targets: string[];
  timeouts?: TimeoutSettings | undefined;
}
