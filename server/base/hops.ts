/** The instances of Waybill that a request has passed, in order and separated by commas; sent to other Waybills only. */
export const hopsHeader = 'x-waybill-hops';

/** A chain of more Waybills than this is a mistake, too. */
const mostHops = 16;
const hopsShape = /^[\w-]{1,32}(?:,[\w-]{1,32})*$/;
const longestHeader = 1000;

/** Whether a request has passed this instance before, or more of them than any sensible chain has. @param hops the header; what has another form is of no Waybill */
export function isLoop(hops: string | readonly string[], instance: string): boolean {
  const passed = readHops(hops)?.split(',') ?? [];
  return passed.includes(instance) || passed.length >= mostHops;
}

/** The header as it goes on; undefined where it is none. */
export function readHops(hops: string | readonly string[] | undefined): string | undefined {
  return typeof hops === 'string' && hops.length <= longestHeader && hopsShape.test(hops) ? hops : undefined;
}
