import type { Client, Dispatcher } from 'undici';
import ClientClass from 'undici/lib/dispatcher/client.js';

/** A handler that is given the connection over which its request goes. */
export interface ConnectionUser { connection: Connection | undefined }

/** One connection of a pool. It records whether it has carried a request before, and carries one at a time. */
export class Connection extends ClientClass {
  /** `fresh`: made, and nothing was sent yet. `kept`: a request went out on it already. */
  #state: 'none' | 'fresh' | 'kept' = 'none';

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options);
    this.on('connect', () => { this.#state = 'fresh'; });
    this.on('disconnect', () => { this.#state = 'none'; });
  }

  /** The connection is open and was used before. */
  get kept(): boolean {
    return this.#state === 'kept';
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
