import { createServer, type Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Guard } from '../../../base/guarded.ts';
import type { Log } from '../../../base/log.ts';
import type { HttpServer } from '../httpServer.ts';
import { AddressRules } from './addressRules.ts';
import { CertificateFiles } from './certificateFiles.ts';
import type { OtherAddress } from './otherAddress.ts';

const renewEveryMs = 2_000;
const minVersion = 'TLSv1.2';

/** An address that is listened at beside the loopback port. */
export interface AddressListener {
  readonly url: string;
  /** Accepts no new callers; those that are served stay. */
  close(): void;
}

/**
 * Listens, and follows the files of the certificate.
 * @param renewMs how often these are looked at
 * @throws an Error in one sentence when the address or the certificate cannot be used
 */
export async function listenAt(address: OtherAddress, httpServer: HttpServer, log: Log, renewMs = renewEveryMs): Promise<AddressListener> {
  const { host, port, tls, hostNames } = address;
  const rules = new AddressRules(address, log);
  const files = tls === undefined ? undefined : new CertificateFiles(tls, log);
  let renewal: NodeJS.Timeout | undefined;
  let server: Server;
  if (files === undefined) {
    server = httpServer.another(rules, createServer);
  } else {
    const { createServer: createSecureServer } = await import('node:https');
    const secure: SecureServer = httpServer.another(rules, (options, listener) => createSecureServer({ ...options, ...files.current, minVersion }, listener));
    const renewing = new Guard('The renewal of the certificate', log);
    renewal = setInterval(renewing.wrap(() => {
      const renewed = files.renewed();
      if (renewed !== undefined) secure.setSecureContext({ ...renewed, minVersion });
    }), renewMs);
    renewal.unref();
    server = secure;
  }
  try {
    await listening(server, host, port);
  } catch (error) {
    clearInterval(renewal);
    throw new Error(troubleOf(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  server.on('error', error => { log.error(`the listener at ${host} failed`, error); });
  const shown = hostNames[0] ?? (host.includes(':') ? `[${host}]` : host);
  const url = `${files === undefined ? 'http' : 'https'}://${shown}:${String((server.address() as AddressInfo).port)}`;
  log.info(`listens at ${url}`);
  return {
    url,
    close: () => {
      clearInterval(renewal);
      server.close();
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function troubleOf({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE': return `Port ${String(port)} of ${host} is taken; --port chooses another one.`;
    case 'EADDRNOTAVAIL': return `${host} is no address of this machine; --host wants one of its own, or 0.0.0.0 for all.`;
    default: return `The server cannot listen at ${host}, port ${String(port)} (${code ?? message}); --host and --port choose another address.`;
  }
}
