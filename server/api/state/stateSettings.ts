/** What a server does with something that it shares with others while the store that they share is away. */
export const awayModes = {
  share: 'each server keeps to the limit, or to what is left of the budget, divided by the number of servers that was last known, at least two',
  open: 'each server counts alone and goes on',
  closed: 'what is limited is refused, with a time to try again',
} as const;
export type AwayMode = keyof typeof awayModes;

/** Where servers on several machines share what they count. */
export interface StateSettings {
  /** Absent: nowhere; servers of one data folder share it there. */
  redis?: RedisSettings | undefined;
  whenAway?: AwaySettings | undefined;
  answers?: AnswersSettings | undefined;
}

/** Answers that servers keep for each other. */
export interface AnswersSettings {
  /** Everything in the store is named and encrypted with it; all servers have the same one. */
  secret: string;
  /** Of all answers in the store. Default: 67108864. */
  maxBytes?: number | undefined;
  /** Of one answer. Default: 262144. */
  maxAnswerBytes?: number | undefined;
  /** Default: 50. */
  waitMs?: number | undefined;
}

export interface AwaySettings {
  /** Default: share. */
  limits?: AwayMode | undefined;
  /** Default: share. */
  budgets?: AwayMode | undefined;
}

export interface RedisSettings {
  /** `redis://` or `rediss://`, with the number of the database as its path. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Begins every key. Default: waybill. */
  prefix?: string | undefined;
  /** The server is one node of a cluster. Default: false. */
  cluster?: boolean | undefined;
  tls?: RedisTlsSettings | undefined;
  /** Default: 100. */
  connectTimeoutMs?: number | undefined;
  /** Default: 100. */
  commandTimeoutMs?: number | undefined;
}

/** Files in PEM; paths are relative to the folder that the server was started in. */
export interface RedisTlsSettings {
  /** Certificate authorities that are trusted instead of those of Node. */
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
  /** The name in the server's certificate. Default: the host of the address. */
  serverName?: string | undefined;
}
