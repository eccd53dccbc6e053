/** What servers on several machines share. */
export interface StateSettings {
  /** Absent: nowhere; servers of one data folder share it there. */
  redis?: RedisSettings | undefined;
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
