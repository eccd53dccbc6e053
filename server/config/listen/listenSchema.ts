import * as z from 'zod/mini';
import { described, optional, text, whole } from '../fields/fields.ts';

export const listenTlsSchema = z.strictObject({
  certFile: described(text(), 'The certificate with its chain, in PEM. A new one is taken within seconds.'),
  keyFile: described(text(), 'Its private key, in PEM.'),
});

export const listenSchema = z.strictObject({
  host: optional(text(1, 64), 'The IP address where it listens, as `--host`; `0.0.0.0` or `::` for all. One that other machines reach needs `tls`, or `behindProxy`. Default `127.0.0.1`.'),
  port: optional(whole(0, 65_535), 'The port, as `--port`; 0 takes a free one. Default 7717.'),
  tls: optional(listenTlsSchema, 'It speaks TLS with this certificate, as with `--tls-cert` and `--tls-key`.'),
  behindProxy: optional(z.boolean(), 'Serves other machines without TLS, because a proxy in front has it, as `--insecure-behind-proxy`. Default false.'),
  hostNames: optional(z.array(text(1, 253)), 'Names by which callers reach it, without scheme and port, as `--host-name`. Without any, they use its IP address.'),
  trustedProxies: optional(z.array(text(1, 64)), 'Proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed, by IP address or CIDR range such as `10.0.0.0/8`, as `--trusted-proxy`.'),
});
