import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP connection between a client and an engine that a test can cut, stall or slow down. */
export interface Network {
  readonly port: number;
  /** The address of the engine through this network, with its login. */
  through(url: string): string;
  /** `up`: bytes pass. `cut`: connections are reset, and new ones too. `silent`: connections stay and new ones are accepted, and no byte passes. */
  state: 'up' | 'cut' | 'silent';
  /** How long each piece of bytes is held before it goes on, in milliseconds and each direction. */
  delayMs: number;
  /** Connections that were made so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** What has not passed yet in one direction of one connection, in order. */
type Direction = (() => void)[];

function passAll(waiting: Direction): void {
  while (waiting.length > 0) waiting.shift()?.();
}

/** @param port of the engine on 127.0.0.1 */
export async function startNetwork(port: number): Promise<Network> {
  const sockets = new Set<Socket>();
  let state: Network['state'] = 'up';
  let connections = 0;
  let delayMs = 0;
  const directions = new Set<Direction>();
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const own = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.setNoDelay(true).on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const join = (from: Socket, to: Socket): void => {
    const waiting: Direction = [];
    directions.add(waiting);
    const pass = (action: () => void): void => {
      waiting.push(action);
      if (state === 'silent') return;
      if (delayMs > 0) setTimeout(() => { if (state !== 'silent') waiting.shift()?.(); }, delayMs).unref();
      else passAll(waiting);
    };
    from.on('data', bytes => { pass(() => { if (!to.destroyed) to.write(bytes); }); });
    from.once('end', () => { pass(() => { if (!to.destroyed) to.end(); }); });
    from.once('close', () => {
      pass(() => {
        to.destroy();
        directions.delete(waiting);
      });
    });
  };
  const server = createServer(client => {
    connections++;
    own(client);
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const engine = own(connect(port, '127.0.0.1'));
    join(client, engine);
    join(engine, client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const listening = (server.address() as AddressInfo).port;
  return {
    port: listening,
    through(url) {
      const address = new URL(url);
      address.port = String(listening);
      return address.href;
    },
    get connections() { return connections; },
    get delayMs() { return delayMs; },
    set delayMs(value) { delayMs = value; },
    get state() { return state; },
    set state(value) {
      state = value;
      if (value === 'cut') reset();
      if (value === 'up') for (const waiting of directions) passAll(waiting);
    },
    async close() {
      reset();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
