import { isLoopbackHost } from '../../config/baseUrl.ts';
import { isRange } from '../../config/fields/addressRanges.ts';
import { isAddress, isHostName, isSafe, type ListenConfig } from '../../config/listen/listenConfig.ts';
import type { OtherAddress } from '../../inbound/http/addresses/otherAddress.ts';
import { defaultPort, wrong, type Wrong } from './command.ts';
import type { Given, OptionSpec } from './commandSpec.ts';

/** Options of `serve` about addresses other than the usual one. */
export const listening: Readonly<Record<string, OptionSpec>> = {
  'host': { value: 'ADDRESS', text: 'The IP address where it listens; 0.0.0.0 or :: for all. One that other machines reach needs TLS. Default 127.0.0.1.' },
  'tls-cert': { value: 'FILE', text: 'The certificate with its chain (PEM). A new one is taken within seconds.' },
  'tls-key': { value: 'FILE', text: 'Its private key (PEM).' },
  'insecure-behind-proxy': { text: 'Serves other machines without TLS, because a proxy in front has it.' },
  'host-name': { value: 'NAME', many: true, text: 'A name by which callers reach it. Without any, they use its IP address.' },
  'trusted-proxy': { value: 'CIDR', many: true, text: 'A proxy whose X-Forwarded-For, -Host and -Proto are believed, such as 10.0.0.0/8.' },
};

/** What the command line says of where it listens. @param port undefined where none is given */
export function listenOf(given: Given, port: number | undefined): ListenConfig | Wrong {
  const host = given.value('host');
  const [certFile, keyFile] = [given.value('tls-cert'), given.value('tls-key')];
  const hostNames = given.all('host-name').map(name => name.toLowerCase());
  const trustedProxies = given.all('trusted-proxy');
  if (host !== undefined && !isAddress(host)) return wrong(`--host wants an IP address, not "${host}"; --host-name gives the name by which callers reach it.`);
  if ((certFile === undefined) !== (keyFile === undefined)) return wrong('Give --tls-cert and --tls-key together.');
  const odd = hostNames.find(name => !isHostName(name));
  if (odd !== undefined) return wrong(`--host-name wants a name without scheme and port, such as waybill.example.com, not "${odd}".`);
  const noRange = trustedProxies.find(range => !isRange(range));
  if (noRange !== undefined) return wrong(`--trusted-proxy wants an IP address or a CIDR range such as 10.0.0.0/8, not "${noRange}".`);
  return {
    ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }),
    ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }), ...(given.has('insecure-behind-proxy') ? { behindProxy: true } : {}),
    ...(hostNames.length === 0 ? {} : { hostNames }), ...(trustedProxies.length === 0 ? {} : { trustedProxies }),
  };
}

/** Where a server listens. @property address absent: the loopback port alone @property forOthers other machines reach it */
export interface ListenPlace { readonly port: number; readonly address?: OtherAddress; readonly forOthers: boolean }

/**
 * Where to listen: each option of the command line comes before the field of the configuration.
 * @returns one sentence where that would not be safe
 */
export function placeToListen(options: ListenConfig, written: ListenConfig = {}): ListenPlace | string {
  const listen = { ...written, ...options };
  const { host = '127.0.0.1', port = defaultPort, tls, hostNames = [], trustedProxies = [] } = listen;
  if (!isSafe(listen)) return `At ${host} other machines could read tokens and prompts on their way: add --tls-cert FILE and --tls-key FILE, or --insecure-behind-proxy where a proxy in front has TLS.`;
  if (host === '127.0.0.1' && tls === undefined && hostNames.length === 0 && trustedProxies.length === 0) return { port, forOthers: false };
  return { port, address: { host, port, ...(tls === undefined ? {} : { tls }), hostNames, trustedProxies }, forOthers: !isLoopbackHost(host) };
}
