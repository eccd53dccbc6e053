import { BlockList, isIP } from 'node:net';
import { isLoopbackHost } from '../../config/baseUrl.ts';
import { addRange } from '../../inbound/http/addresses/proxyRanges.ts';
import type { OtherAddress } from '../../inbound/http/addresses/otherAddress.ts';
import { wrong, type Wrong } from './command.ts';
import type { Given, OptionSpec } from './commandSpec.ts';

const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Options of `serve` about addresses other than the usual one. */
export const listening: Readonly<Record<string, OptionSpec>> = {
  'host': { value: 'ADDRESS', text: 'The IP address where it listens; 0.0.0.0 or :: for all. One that other machines reach needs TLS. Default 127.0.0.1.' },
  'tls-cert': { value: 'FILE', text: 'The certificate with its chain (PEM). A new one is taken within seconds.' },
  'tls-key': { value: 'FILE', text: 'Its private key (PEM).' },
  'insecure-behind-proxy': { text: 'Serves other machines without TLS, because a proxy in front has it.' },
  'host-name': { value: 'NAME', many: true, text: 'A name by which callers reach it. Without any, they use its IP address.' },
  'trusted-proxy': { value: 'CIDR', many: true, text: 'A proxy whose X-Forwarded-For, -Host and -Proto are believed, such as 10.0.0.0/8.' },
};

/** @returns undefined where it listens at the usual address */
export function addressOf(given: Given, port: number): OtherAddress | undefined | Wrong {
  if (!Object.keys(listening).some(name => given.has(name))) return undefined;
  const host = given.value('host') ?? '127.0.0.1';
  const [certFile, keyFile] = [given.value('tls-cert'), given.value('tls-key')];
  const hostNames = given.all('host-name').map(name => name.toLowerCase());
  const trustedProxies = given.all('trusted-proxy');
  if (isIP(host) === 0) return wrong(`--host wants an IP address, not "${host}"; --host-name gives the name by which callers reach it.`);
  if ((certFile === undefined) !== (keyFile === undefined)) return wrong('Give --tls-cert and --tls-key together.');
  const odd = hostNames.find(name => !hostName.test(name));
  if (odd !== undefined) return wrong(`--host-name wants a name without scheme and port, such as waybill.example.com, not "${odd}".`);
  const noRange = trustedProxies.find(range => !addRange(new BlockList(), range));
  if (noRange !== undefined) return wrong(`--trusted-proxy wants an IP address or a CIDR range such as 10.0.0.0/8, not "${noRange}".`);
  const isSafe = certFile !== undefined || given.has('insecure-behind-proxy') || isLoopbackHost(host);
  if (!isSafe) return wrong(`At ${host} other machines could read tokens and prompts on their way: add --tls-cert FILE and --tls-key FILE, or --insecure-behind-proxy where a proxy in front has TLS.`);
  if (host === '127.0.0.1' && certFile === undefined && hostNames.length === 0 && trustedProxies.length === 0) return undefined;
  return { host, port, ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }), hostNames, trustedProxies };
}
