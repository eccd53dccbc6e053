/** Versions of Anthropic's API. The newer one refuses sampling parameters. */
export const anthropicVersions = ['2023-06-01', '2026-10-21'] as const;
export type AnthropicVersion = (typeof anthropicVersions)[number];

/** What the user writes: the same objects in `switchyard.yaml` and in VS Code's settings. Validated by server/config. */
export interface EndpointSettings {
  provider: string;
  protocol?: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | undefined;
  baseUrl?: string | undefined;
  region?: string | undefined;
  /** Vertex AI: the Google Cloud project. */
  project?: string | undefined;
  /** Vertex AI: where the models run. */
  location?: string | undefined;
  /** Azure: a dated version, such as `2024-10-21`. */
  apiVersion?: string | undefined;
  /** The Anthropic API version that is spoken. */
  anthropicVersion?: AnthropicVersion | undefined;
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
