import type { RouterHoldings } from './router.ts';

/**
 * What may stay behind without being a leak: the parsers, the last message each of them keeps for reuse, and one client of the
 * connection pool (an emitter) for each connection that was ever open at once, which is one for each caller and endpoint at the most.
 */
const slack: Readonly<Record<keyof RouterHoldings['objects'], number>> = { timers: 12, emitters: 300, sockets: 4, requests: 24, responses: 4 };
/** Memory after the last quarter may exceed the memory after the first by this much: the noise of garbage collection. */
const heapMarginBytes = 6 * 1024 * 1024;
const residentMarginBytes = 40 * 1024 * 1024;

/**
 * Compares what a router holds after its callers have gone with what it held before, and its memory after the last quarter
 * with that after the first.
 */
export function leakViolations(before: RouterHoldings, afterEachQuarter: readonly RouterHoldings[]): string[] {
  const violations: string[] = [];
  const last = afterEachQuarter.at(-1);
  const first = afterEachQuarter[0];
  if (last === undefined || first === undefined) return ['nothing was measured after the run'];
  if (last.openSockets !== undefined && before.openSockets !== undefined && last.openSockets > before.openSockets) {
    violations.push(`${last.openSockets} sockets are open, ${before.openSockets} were before`);
  }
  if (last.openFiles !== undefined && before.openFiles !== undefined && last.openFiles > before.openFiles) {
    violations.push(`${last.openFiles} files are open, ${before.openFiles} were before`);
  }
  for (const [kind, allowed] of Object.entries(slack) as [keyof RouterHoldings['objects'], number][]) {
    if (last.objects[kind] > before.objects[kind] + allowed) violations.push(`${last.objects[kind]} ${kind} are alive, ${before.objects[kind]} were before`);
  }
  const extra = surplus(before.active, last.active);
  if (extra.length > 0) violations.push(`these keep the event loop alive and did not before: ${extra.join(', ')}`);
  if (last.processListeners > before.processListeners) violations.push(`${last.processListeners} listeners on the process, ${before.processListeners} were before`);
  if (last.heapUsed + last.external > first.heapUsed + first.external + heapMarginBytes) {
    violations.push(`${megabytes(last.heapUsed + last.external)} MB of live memory, ${megabytes(first.heapUsed + first.external)} MB after the first quarter`);
  }
  if (last.rss > first.rss + residentMarginBytes) violations.push(`${megabytes(last.rss)} MB resident, ${megabytes(first.rss)} MB after the first quarter`);
  return violations;
}

/** Entries of `now` that `before` lacks; an entry counts as often as it occurs. */
function surplus(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter(entry => {
    const index = left.indexOf(entry);
    if (index < 0) return true;
    left.splice(index, 1);
    return false;
  });
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}
