import { request } from 'node:http';
import type { Socket } from 'node:net';
import { Socks5Client } from 'undici/lib/core/socks5-client.js';

/** What a proxy that was reached did instead of connecting to the target. Plain data: this file is a bundle of its own. */
export type TunnelTrouble =
  /** It answered CONNECT with another status than a good one. `challenge`: the kinds of login it offers. */
  | { readonly kind: 'status'; readonly status: number; readonly challenge: string }
  | { readonly kind: 'socks-refused'; readonly says: string }
  | { readonly kind: 'socks-login'; readonly says: string }
  /** It closed the connection, stayed silent, or answered what is no answer. */
  | { readonly kind: 'broken'; readonly cause: unknown };

export interface TunnelOrder {
  /** A connection to the proxy. It belongs to the tunnel from here on. */
  readonly socket: Socket;
  readonly socks: boolean;
  readonly login: { readonly username: string; readonly password: string } | undefined;
  readonly authorization: string | undefined;
  /** The target. An IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

type Done = (trouble: TunnelTrouble | undefined) => void;

/** Has a proxy connect to the target. @param done called once; without trouble the socket leads to the target */
export function openTunnel(order: TunnelOrder, done: Done): void {
  const { socket, timeoutMs } = order;
  let settled = false;
  const finish: Done = trouble => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    if (trouble !== undefined) socket.on('error', () => undefined).destroy();
    done(trouble);
  };
  const timer = setTimeout(() => { finish({ kind: 'broken', cause: new Error(`no answer within ${timeoutMs} ms`) }); }, timeoutMs);
  if (order.socks) overSocks(order, finish);
  else overConnect(order, finish);
}

/** Source: RFC 9110, section 9.3.6. */
function overConnect({ socket, authorization, host, port }: TunnelOrder, done: Done): void {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const asked = request({
    method: 'CONNECT', path: authority, createConnection: () => socket,
    headers: { 'host': authority, 'user-agent': 'waybill', 'proxy-connection': 'keep-alive', ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
  });
  asked.once('connect', (answer, _socket, head) => {
    const status = answer.statusCode ?? 0;
    if (status < 200 || status >= 300) {
      done({ kind: 'status', status, challenge: answer.headers['proxy-authenticate']?.toString() ?? '' });
      return;
    }
    if (head.length > 0) socket.unshift(head);
    done(undefined);
  });
  asked.on('error', cause => { done({ kind: 'broken', cause }); });
  asked.end();
}

/** Source: RFC 1928 and RFC 1929. */
function overSocks({ socket, login, host, port }: TunnelOrder, done: Done): void {
  const client = new Socks5Client(socket, login === undefined ? {} : { ...login });
  client.on('authenticated', () => { client.connect(host, port); });
  client.on('connected', () => { done(undefined); });
  client.on('close', () => { done({ kind: 'broken', cause: new Error('the connection was closed') }); });
  client.on('error', (cause: Error & { code?: string }) => {
    const code = cause.code ?? '';
    if (code.startsWith('UND_ERR_SOCKS5_AUTH_')) done({ kind: 'socks-login', says: cause.message });
    else if (code.startsWith('UND_ERR_SOCKS5_REPLY_') && code !== 'UND_ERR_SOCKS5_REPLY_VERSION') done({ kind: 'socks-refused', says: cause.message.replace(/^.*: /, '').toLowerCase() });
    else done({ kind: 'broken', cause });
  });
  client.handshake();
}
