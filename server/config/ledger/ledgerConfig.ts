/** Where replicas keep one ledger together. */
export interface SharedLedgerConfig {
  /** Undefined: what was written of it cannot be used, so it counts as away. */
  postgres: PostgresConfig | undefined;
  /** Values that no log may have. */
  secrets: readonly string[];
}

export interface PostgresConfig {
  /** A name, an address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string | undefined;
  password: string | undefined;
  /** Undefined: the connection is not encrypted. */
  tls: { caFile: string | undefined } | undefined;
  /** A plain name, in lower case. */
  schema: string;
  /** The most connections of this server. */
  connections: number;
  /** Records are deleted after so long, in milliseconds; undefined: never. */
  keptMs: number | undefined;
  /** What people know this replica by. */
  name: string;
}
