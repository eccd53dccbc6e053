import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector, Client, Dispatcher } from 'undici';
import ClientClass from 'undici/lib/dispatcher/client.js';
import { withBaselineWasm } from './baselineWasm.ts';

/** A handler that is given the connection over which its request goes. */
export interface ConnectionUser { connection: Connection | undefined }

/** What a pool gives its connections: its own options, with the function that connects them. */
export type ConnectionOptions = Client.Options & { connect: buildConnector.connector };

/** One connection of a pool. It records whether it has carried a request before, and carries one at a time. */
export class Connection extends ClientClass {
  /** `fresh`: made, and nothing was sent yet. `kept`: a request went out on it already. */
  #state: 'none' | 'fresh' | 'kept' = 'none';

  #socket: Socket | undefined;

  constructor(origin: string | URL, options: ConnectionOptions) {
    const { connect } = options;
    super(origin, {
      ...options,
      connect: (to, done) => connect(to, (...[error, socket]) => {
        this.#socket = socket ?? undefined;
        if (error === null) withBaselineWasm(() => { done(null, socket); });
        else done(error, null);
      }),
    });
    this.on('connect', () => { this.#state = 'fresh'; });
    this.on('disconnect', () => {
      this.#state = 'none';
      this.#socket = undefined;
    });
  }

  /** The connection is open and was used before. */
  get kept(): boolean {
    return this.#state === 'kept';
  }

  /** The system has taken every byte that was written to the connection. Of HTTP/2 that is not known: its session writes past the socket. */
  get flushed(): boolean {
    const socket = this.#socket;
    return socket !== undefined && !socket.destroyed && socket.writableLength === 0 && (socket as Partial<TLSSocket>).alpnProtocol !== 'h2';
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (handler as Partial<ConnectionUser>).connection = this;
    return super.dispatch(options, handler);
  }

  /** A request begins to go out. @returns whether one did before */
  use(): boolean {
    const { kept } = this;
    this.#state = 'kept';
    return kept;
  }
}
