import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpStatus } from '../../api/status.ts';
import type { Log } from '../../base/log.ts';
import { askIdentity, type PortOwner } from './auth/identity.ts';
import type { LocalToken } from './auth/tokenFile.ts';

const retryMs = 1000;
/** Connections that cannot be accepted are logged at most this often. */
const warnEveryMs = 60_000;
const identityTimeoutMs = 1000;
/** How many retries one proof of the holder's identity serves. */
const retriesPerProof = 5;
/** A holder that is silent more often than this in a row is not ours. */
const silencesAllowed = 3;

/**
 * Holds the local endpoint's port. Of several server processes one listens; its peers ask again every second, so that one
 * of them takes over when it ends. A holder that cannot prove that it has our token is another program: its address is
 * not published.
 */
export class PortLease {
  #server: Server;
  #token: LocalToken;
  #log: Log;
  #changed: () => void;
  #status: HttpStatus = { state: 'off' };
  #port: number | undefined;
  /** Grows when another port is wanted: results of an earlier generation are void. */
  #generation = 0;
  #queue: Promise<void> = Promise.resolve();
  /** Set during listen(): errors of the server are then its result. */
  #asking = false;
  #retry: NodeJS.Timeout | undefined;
  #retriesSinceProof = 0;
  #silences = 0;
  #sockets = new Set<Socket>();
  #warnedAt = -Infinity;

  constructor(server: Server, token: LocalToken, log: Log, changed: () => void) {
    this.#server = server;
    this.#token = token;
    this.#log = log;
    this.#changed = changed;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Errors outside of listen(), such as a connection that cannot be accepted.
    server.on('error', (error: NodeJS.ErrnoException) => { if (!this.#asking) this.#failed(error); });
  }

  get status(): HttpStatus {
    return this.#status;
  }

  /** Listens on a port of the loopback interface; 0 takes a free one. undefined: stops listening. */
  hold(port: number | undefined): void {
    if (port === this.#port) return;
    this.#port = port;
    this.#generation++;
    this.#silences = 0;
    this.#retriesSinceProof = 0;
    clearTimeout(this.#retry);
    if (this.#server.listening) this.release();
    this.#set({ state: port === undefined ? 'off' : 'starting' });
    if (port !== undefined) void this.#enqueue();
  }

  /** Tries to listen, and asks the holder who it is, now. @returns the state that was found */
  async check(): Promise<HttpStatus> {
    if (this.#port === undefined || this.#server.listening) return this.#status;
    this.#retriesSinceProof = 0;
    await this.#enqueue();
    // An earlier proof does not hold for a holder that is silent now.
    return this.#silences === 0 ? this.#status : { state: 'starting', message: 'The local endpoint does not answer yet; try again in a moment.' };
  }

  /** Accepts no new callers; those that are served stay. */
  close(): void {
    this.#generation++;
    this.#port = undefined;
    clearTimeout(this.#retry);
    this.#server.close();
  }

  /** Gives the port up at once; running exchanges of its callers end. */
  release(): void {
    clearTimeout(this.#retry);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One attempt at a time: a server that is about to listen cannot be asked to listen elsewhere. */
  #enqueue(): Promise<void> {
    clearTimeout(this.#retry);
    const generation = this.#generation;
    this.#queue = this.#queue.then(() => this.#tryToHold(generation)).catch((error: unknown) => this.#log.error('the local endpoint cannot listen', error));
    return this.#queue;
  }

  async #tryToHold(generation: number): Promise<void> {
    const port = this.#port;
    if (generation !== this.#generation || port === undefined || this.#server.listening) return;
    const trouble = await this.#listen(port);
    // Another port may be wanted by now, or none.
    if (generation !== this.#generation) {
      if (trouble === undefined) this.release();
      return;
    }
    if (trouble === undefined) this.#listening();
    else if (trouble.code === 'EADDRINUSE') await this.#held(port, generation);
    else {
      this.#log.error('the local endpoint cannot listen', trouble);
      this.#set({ state: 'failed', message: `The local endpoint cannot listen on port ${port} (${trouble.code ?? trouble.message}); choose another port in the settings.` });
    }
  }

  /** @returns why it does not listen; undefined when it does */
  #listen(port: number): Promise<NodeJS.ErrnoException | undefined> {
    return new Promise(resolve => {
      const settle = (error?: NodeJS.ErrnoException): void => {
        this.#server.off('error', settle).off('listening', settle);
        this.#asking = false;
        resolve(error);
      };
      this.#asking = true;
      this.#server.once('error', settle).once('listening', settle);
      this.#server.listen({ port, host: '127.0.0.1', exclusive: true });
    });
  }

  #listening(): void {
    const { port } = this.#server.address() as AddressInfo;
    this.#set({ state: 'listening', url: `http://127.0.0.1:${port}`, tokenFile: this.#token.file });
    this.#log.info(`local endpoint at http://127.0.0.1:${port}`);
  }

  async #held(port: number, generation: number): Promise<void> {
    if (this.#retriesSinceProof === 0) {
      const owner = await askIdentity(port, this.#token.token, identityTimeoutMs);
      if (generation !== this.#generation) return;
      this.#heldBy(owner, port);
    }
    this.#retriesSinceProof = (this.#retriesSinceProof + 1) % retriesPerProof;
    this.#retry = setTimeout(() => void this.#enqueue(), retryMs);
  }

  #heldBy(owner: PortOwner, port: number): void {
    this.#silences = owner === 'silent' ? this.#silences + 1 : 0;
    // A busy server may be late, and one that is about to end does not answer; it is asked again at the next retry.
    if (owner === 'silent' && this.#silences < silencesAllowed) {
      this.#retriesSinceProof = -1;
      return;
    }
    if (owner === 'ours') {
      this.#set({ state: 'held-by-peer', url: `http://127.0.0.1:${port}`, tokenFile: this.#token.file, message: `Port ${port} is taken: another Waybill on this data folder serves it.` });
      return;
    }
    const message = `Port ${port} is taken by another program, so tools cannot reach Waybill there; choose another port.`;
    if (this.#status.message !== message) this.#log.warn(message);
    this.#set({ state: 'held-by-another-program', message });
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.syscall === 'accept') this.#acceptFailed(error);
    else this.#log.error('the local endpoint failed', error);
  }

  /** One connection was not accepted, mostly for want of file descriptors: the server still listens. */
  #acceptFailed(error: NodeJS.ErrnoException): void {
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#log.warn(`the local endpoint could not take a connection (${error.code ?? error.message}); raise the limit of open files (ulimit -n), or run fewer requests at once.`);
  }

  #set(status: HttpStatus): void {
    if (status.state === this.#status.state && status.url === this.#status.url && status.message === this.#status.message) return;
    this.#status = status;
    this.#changed();
  }
}
