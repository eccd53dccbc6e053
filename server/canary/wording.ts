/** `4 of 12 requests`. */
export function countsText(part: number, all: number): string {
  return `${String(part)} of ${String(all)} ${all === 1 ? 'request' : 'requests'}`;
}

/** @param share 0..1 */
export function percentText(share: number): string {
  return `${String(Math.round(share * 1000) / 10)} %`;
}

export function durationText(ms: number): string {
  return ms < 1000 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
