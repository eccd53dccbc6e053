import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy in place of the internet. It lets nothing through and records the requested hosts. */
export class NoInternet {
  readonly #asked = new Set<string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#asked.add(new URL(request.url ?? '/', 'http://unknown').host);
      response.writeHead(403).end();
    });
    this.#server.on('connect', (request, socket) => {
      this.#asked.add(request.url ?? 'unknown');
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
  }

  static async start(): Promise<NoInternet> {
    const proxy = new NoInternet();
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Requested hosts, in alphabetical order. */
  get asked(): string[] {
    return [...this.#asked].sort();
  }

  /** Variables that make a program use this proxy, except for addresses of this machine. */
  get environment(): Record<string, string> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const own = '127.0.0.1,localhost';
    return { HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url, http_proxy: url, https_proxy: url, all_proxy: url, NO_PROXY: own, no_proxy: own };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
