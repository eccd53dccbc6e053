import type { AwayMode } from '../../api/state/stateSettings.ts';

/** What servers on several machines share what they count in, and what holds while it is away. */
export interface StateConfig {
  /** Undefined: what was written of it cannot be used, so the store counts as away. */
  redis: RedisConfig | undefined;
  whenAway: { readonly limits: AwayMode; readonly budgets: AwayMode };
  /** Absent: servers keep no answers for each other. */
  answers?: AnswersConfig | undefined;
  /** Values that no log may have. */
  secrets: readonly string[];
}

/** How servers keep answers for each other. */
export interface AnswersConfig {
  secret: string;
  /** Of all answers in the store, and of one. */
  maxBytes: number;
  maxAnswerBytes: number;
  /** A request waits no longer. */
  waitMs: number;
}

export interface RedisConfig {
  host: string;
  port: number;
  database: number;
  username: string | undefined;
  password: string | undefined;
  prefix: string;
  cluster: boolean;
  /** Undefined: the connection is not encrypted. */
  tls: { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined; serverName?: string | undefined } | undefined;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
}

/** The address as it is shown: no name, no password. */
export function shownAddress({ host, port }: Pick<RedisConfig, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
