// Only the pool and its connections are loaded, not the whole of undici: fetch, WebSocket and caches would double the start-up time.
declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool } from 'undici';
  const PoolClass: typeof Pool;
  export default PoolClass;
}
declare module 'undici/lib/dispatcher/client.js' {
  import type { Client } from 'undici';
  const ClientClass: typeof Client;
  export default ClientClass;
}
declare module 'undici/lib/core/connect.js' {
  import type { Socket } from 'node:net';
  import type { SecureContext } from 'node:tls';
  export interface ConnectorOptions {
    allowH2?: boolean; timeout?: number; autoSelectFamily?: boolean; autoSelectFamilyAttemptTimeout?: number; keepAlive?: boolean; keepAliveInitialDelay?: number;
    rejectUnauthorized?: boolean; secureContext?: SecureContext;
  }
  export interface ConnectOptions {
    hostname: string; host?: string | undefined; protocol: string; port: string; servername?: string | null | undefined; localAddress?: string | null | undefined;
    /** A connection that is to be encrypted. */
    httpSocket?: Socket | undefined;
  }
  export type Connect = (options: ConnectOptions, callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void) => void;
  export default function buildConnector(options: ConnectorOptions): Connect;
}
declare module 'undici/lib/core/socks5-client.js' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';
  export class Socks5Client extends EventEmitter {
    constructor(socket: Socket, options: { username?: string; password?: string });
    handshake(): void;
    connect(address: string, port: number): void;
  }
}
