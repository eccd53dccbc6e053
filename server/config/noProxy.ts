import { BlockList, isIP } from 'node:net';

/** Targets that are reached without a proxy. Source: curl's NO_PROXY, and the forms that Go and VS Code take besides. */
export interface NoProxy {
  readonly all: boolean;
  readonly names: readonly { readonly name: string; readonly port: number | undefined }[];
  readonly addresses: BlockList | undefined;
}

/** Nothing is excepted. */
export const noException: NoProxy = { all: false, names: [], addresses: undefined };

/**
 * Reads entries, which commas or blanks separate: `*`, `host` (with all names below it), `.domain`, `*.domain`,
 * `host:port`, an address, or a range such as `10.0.0.0/8`. What is none of these excepts nothing.
 */
export function readNoProxy(lists: readonly (string | undefined)[]): NoProxy {
  const names: { name: string; port: number | undefined }[] = [];
  let addresses: BlockList | undefined;
  let all = false;
  for (const entry of lists.flatMap(list => (list ?? '').split(/[\s,]+/))) {
    if (entry === '') continue;
    if (entry === '*') all = true;
    const range = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/i.exec(entry);
    const [, network = '', bits = ''] = range ?? [];
    const family = isIP(network);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) (addresses ??= new BlockList()).addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
    else names.push(nameAndPort(entry));
  }
  return { all, names, addresses };
}

function nameAndPort(entry: string): { name: string; port: number | undefined } {
  const lower = entry.toLowerCase();
  // More than one colon without brackets is an IPv6 address.
  const [, host = lower, port] = (isIP(lower) === 6 ? undefined : /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(lower)) ?? [];
  return { name: plain(host.replace(/^\*?\./, '')), port: port === undefined ? undefined : Number(port) };
}

/** @param hostname as `URL.hostname` gives it @param port the one that is connected to */
export function isExcepted({ all, names, addresses }: NoProxy, hostname: string, port: number): boolean {
  if (all) return true;
  const host = plain(hostname.toLowerCase());
  const family = isIP(host);
  if (family !== 0 && addresses?.check(host, family === 4 ? 'ipv4' : 'ipv6') === true) return true;
  return names.some(entry => (entry.port === undefined || entry.port === port) && (host === entry.name || (family === 0 && entry.name !== '' && host.endsWith(`.${entry.name}`))));
}

function plain(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
