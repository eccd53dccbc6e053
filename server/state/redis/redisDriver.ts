import { createClient, createCluster } from '@redis/client';
import { readOrdinaryFile } from '../../base/files/ordinaryFile.ts';
import { shownAddress, type RedisConfig } from '../../config/state/stateConfig.ts';
import type { StateDriver } from '../stateDriver.ts';
import type { StateReply } from '../stateStore.ts';

const mostPemBytes = 1_000_000;

/** Opens a connection to Redis, or to a cluster of it. Each ends at the first error: who uses it makes another one. */
export async function openRedis(config: RedisConfig, lost: (cause: Error) => void): Promise<StateDriver> {
  const socket = socketOptions(config);
  return config.cluster ? openCluster(config, socket, lost) : openNode(config, socket, lost);
}

type SocketOptions = ReturnType<typeof socketOptions>;

function socketOptions({ host, port, tls, connectTimeoutMs }: RedisConfig) {
  const common = { host, port, connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const;
  if (tls === undefined) return common;
  const [ca, cert, key] = [tls.caFile, tls.certFile, tls.keyFile].map(file => (file === undefined ? undefined : readOrdinaryFile(file, mostPemBytes)));
  return {
    ...common, tls: true, servername: tls.serverName ?? host,
    ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }),
  } as const;
}

function credentials({ username, password }: RedisConfig): { username?: string; password?: string } {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** What a client of one node and one of a cluster have in common. */
interface RedisClient {
  connect(): Promise<unknown>;
  subscribe(channel: string, listen: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
}

function openNode(config: RedisConfig, socket: SocketOptions, lost: (cause: Error) => void): Promise<StateDriver> {
  const client = createClient({ RESP: 2, socket, database: config.database, ...credentials(config), disableOfflineQueue: true, disableClientInfo: true });
  const end = endOnce(() => { client.destroy(); }, lost);
  client.on('error', end.failed);
  client.on('end', () => { end.failed(new Error(`The connection to ${shownAddress(config)} was closed.`)); });
  return opened(client, end, (_key, args) => client.sendCommand<StateReply>([...args]));
}

function openCluster(config: RedisConfig, socket: SocketOptions, lost: (cause: Error) => void): Promise<StateDriver> {
  const { host, port, ...ofNodes } = socket;
  const client = createCluster({
    RESP: 2, rootNodes: [{ socket: { ...ofNodes, host, port } }],
    defaults: { socket: ofNodes, ...credentials(config), disableOfflineQueue: true, disableClientInfo: true },
  });
  const end = endOnce(() => { client.destroy(); }, lost);
  client.on('error', end.failed);
  client.on('node-error', end.failed);
  return opened(client, end, (key, args) => client.sendCommand<StateReply>(key, false, [...args]));
}

/** Connects a client that is listened to already. */
async function opened(client: RedisClient, end: ReturnType<typeof endOnce>, send: StateDriver['send']): Promise<StateDriver> {
  try {
    await client.connect();
  } catch (cause) {
    end.close();
    throw cause;
  }
  end.opened();
  return {
    send,
    subscribe: async (channel, listen) => { await client.subscribe(channel, listen); },
    unsubscribe: async channel => { await client.unsubscribe(channel); },
    close: end.close,
  };
}

/** Ends a connection once, and tells of it where it was open and ended by itself. */
function endOnce(destroy: () => void, lost: (cause: Error) => void): { failed(cause: Error): void; opened(): void; close(): void } {
  let isOpen = false;
  let isOver = false;
  const close = (): void => {
    if (isOver) return;
    isOver = true;
    try {
      destroy();
    } catch {
      // It was closed before.
    }
  };
  return {
    close,
    opened() { isOpen = true; },
    failed(cause) {
      const wasOver = isOver;
      close();
      if (isOpen && !wasOver) lost(cause);
    },
  };
}
