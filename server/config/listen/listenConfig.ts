import { isIP } from 'node:net';
import { isLoopbackHost } from '../baseUrl.ts';

const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** What is said of where `serve` listens; what is absent is left to the other place, or to the default. */
export interface ListenConfig {
  host?: string | undefined;
  port?: number | undefined;
  tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  behindProxy?: boolean | undefined;
  /** In lower case. */
  hostNames?: readonly string[] | undefined;
  trustedProxies?: readonly string[] | undefined;
}

/** Whether a server may listen there: what is sent cannot be read on the way. */
export function isSafe({ host, tls, behindProxy }: ListenConfig): boolean {
  return tls !== undefined || behindProxy === true || host === undefined || isLoopbackHost(host);
}

/** An IP address in its usual form. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** @param name in lower case */
export function isHostName(name: string): boolean {
  return hostName.test(name);
}
