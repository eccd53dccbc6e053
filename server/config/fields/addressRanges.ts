import { BlockList, isIP } from 'node:net';

/** @param text an IP address or a CIDR range @returns false when it is neither */
export function addRange(list: BlockList, text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  const most = version === 4 ? 32 : 128;
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most)) return false;
  list.addSubnet(address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

/** Whether a text is an IP address or a CIDR range. */
export function isRange(text: string): boolean {
  return addRange(new BlockList(), text);
}

/** @param address IPv4 that is written as IPv6 counts as IPv6; `plainAddress` makes IPv4 of it */
export function isInRanges(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
