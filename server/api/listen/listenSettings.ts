/** Where `serve` listens, beside what its command line says, which comes first. */
export interface ListenSettings {
  /** An IP address; `0.0.0.0` and `::` are all of the machine. Default: 127.0.0.1. */
  host?: string | undefined;
  /** 0 takes a free one. Default: 7717. */
  port?: number | undefined;
  tls?: ListenTlsSettings | undefined;
  /** A proxy in front has TLS, so that other machines are served without. Default: false. */
  behindProxy?: boolean | undefined;
  /** Names by which callers reach it, without scheme and port. */
  hostNames?: string[] | undefined;
  /** IP addresses or CIDR ranges of proxies whose `X-Forwarded-*` is believed. */
  trustedProxies?: string[] | undefined;
}

/** Files in PEM; paths are relative to the folder that the server was started in. */
export interface ListenTlsSettings {
  /** With its chain. */
  certFile: string;
  keyFile: string;
}
