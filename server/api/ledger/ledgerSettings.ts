/** What the ledger keeps beside figures, and where replicas keep one together. */
export interface LedgerSettings {
  /** The first words of conversations are kept. Default: false. */
  keepTitles?: boolean | undefined;
  /** Absent: each data folder has its own alone. */
  postgres?: PostgresSettings | undefined;
}

export interface PostgresSettings {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. */
  url: string;
  password?: string | undefined;
  /** Certificate authorities in PEM that are trusted instead of those of Node. */
  caFile?: string | undefined;
  /** Default: true, but for this machine and private networks. */
  tls?: boolean | undefined;
  /** Default: waybill. */
  schema?: string | undefined;
  /** Default: 4. */
  connections?: number | undefined;
  /** Default: records are kept for ever. */
  retentionDays?: number | undefined;
  /** Default: the name of the machine. */
  name?: string | undefined;
}
