import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpStatus } from '../../api/status.ts';
import type { Log } from '../../base/log.ts';

const retryMs = 1000;
/** Connections that cannot be taken are told of no oftener than this. */
const warnEveryMs = 60_000;

/**
 * Holds the local endpoint's port. Of several windows one listens; the others ask again every second, so that another
 * one takes over when it ends.
 */
export class PortHolder {
  #server: Server;
  #tokenFile: string;
  #log: Log;
  #changed: () => void;
  #status: HttpStatus = { state: 'off' };
  #port: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #sockets = new Set<Socket>();
  #warnedAt = -Infinity;

  constructor(server: Server, tokenFile: string, log: Log, changed: () => void) {
    this.#server = server;
    this.#tokenFile = tokenFile;
    this.#log = log;
    this.#changed = changed;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    server.on('listening', () => this.#listening());
  }

  get status(): HttpStatus {
    return this.#status;
  }

  /** Listens on a port of the loopback interface; 0 takes a free one. undefined: stops listening. */
  hold(port: number | undefined): void {
    if (port === this.#port) return;
    this.#port = port;
    clearTimeout(this.#retry);
    if (this.#server.listening) this.release();
    if (port === undefined) this.#set({ state: 'off' });
    else this.#listen();
  }

  /** Takes no new callers; those that are served stay. */
  close(): void {
    clearTimeout(this.#retry);
    this.#server.close();
  }

  /** Gives the port up at once; running exchanges of its callers end. */
  release(): void {
    this.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(): void {
    if (this.#port !== undefined) this.#server.listen({ port: this.#port, host: '127.0.0.1', exclusive: true });
  }

  #listening(): void {
    const { port } = this.#server.address() as AddressInfo;
    this.#set({ state: 'listening', url: `http://127.0.0.1:${port}`, tokenFile: this.#tokenFile });
    this.#log.info(`local endpoint at http://127.0.0.1:${port}`);
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.syscall === 'accept') {
      this.#notTaken(error);
      return;
    }
    if (error.code === 'EADDRINUSE') {
      const url = `http://127.0.0.1:${this.#port ?? 0}`;
      this.#set({ state: 'held-by-another-window', url, tokenFile: this.#tokenFile, message: `Port ${this.#port ?? 0} is taken: another window serves it, or another program holds it.` });
      this.#retry = setTimeout(() => this.#listen(), retryMs);
      this.#retry.unref();
      return;
    }
    this.#log.error('the local endpoint cannot listen', error);
    this.#set({ state: 'failed', message: `The local endpoint cannot listen on port ${this.#port ?? 0} (${error.code ?? error.message}); choose another port in the settings.` });
  }

  /** One connection was not taken, for want of files mostly: the server listens on. */
  #notTaken(error: NodeJS.ErrnoException): void {
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#log.warn(`the local endpoint could not take a connection (${error.code ?? error.message}); raise the limit of open files (ulimit -n), or run fewer requests at once.`);
  }

  #set(status: HttpStatus): void {
    if (status.state === this.#status.state && status.url === this.#status.url) return;
    this.#status = status;
    this.#changed();
  }
}
