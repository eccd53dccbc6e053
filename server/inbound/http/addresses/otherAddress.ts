/** Where the server listens beside its own loopback port, and what it believes there. */
export interface OtherAddress {
  /** An IP address; `0.0.0.0` and `::` are all of the machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM files; absent: plain HTTP. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Names, without port, that `Host` may have beside IP addresses; in lower case. */
  readonly hostNames: readonly string[];
  /** Addresses or CIDR ranges of proxies whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
}
