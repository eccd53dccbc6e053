import type { Random } from '../../server/base/clock.ts';
import { seededRandom } from '../unit/support/seededRandom.ts';
import { drawFault, healthy, type Fault } from './faults.ts';

/** From this moment on, counted from the start of the run, a provider does something else. */
export interface Change {
  atMs: number;
  /** Index of the provider. */
  provider: number;
  fault: Fault;
}

/** A guardian stays well so much longer than its era, so that requests which began late in it have one too. */
const handOverMs = 250;

/**
 * The faults of all providers, without end, in the order of time; the same for the same seed. Time goes in eras. In most
 * of them some providers ("guardians") are well from beginning to end, so that requests have a healthy target throughout;
 * in some of them none is. All others change what they do every few tens to hundreds of milliseconds.
 */
export function* faultChanges(seed: number, providers: number): Generator<Change, never> {
  const random = seededRandom(seed);
  /** For each provider: until when its behaviour is decided, and until when it asked callers to wait. */
  const decidedMs = Array.from({ length: providers }, () => 0);
  const awayMs = Array.from({ length: providers }, () => 0);
  let eraMs = 0;
  for (;;) {
    const guardians = guardiansOf(random, awayMs, eraMs);
    const endMs = eraMs + (guardians.size === 0 ? 150 + random() * 350 : 700 + random() * 2300);
    const changes: Change[] = [];
    for (let provider = 0; provider < providers; provider++) {
      let atMs = decidedMs[provider] ?? 0;
      if (guardians.has(provider)) {
        changes.push({ atMs, provider, fault: healthy });
        decidedMs[provider] = endMs + handOverMs;
        continue;
      }
      while (atMs < endMs) {
        const fault = drawFault(random, guardians.size === 0);
        const untilMs = Math.min(endMs, atMs + 30 + random() ** 2 * 500);
        changes.push({ atMs, provider, fault });
        if (fault.waitMs > 0) awayMs[provider] = Math.max(awayMs[provider] ?? 0, untilMs + fault.waitMs);
        atMs = untilMs;
      }
      decidedMs[provider] = atMs;
    }
    yield* changes.sort((one, other) => one.atMs - other.atMs);
    eraMs = endMs;
  }
}

/** Two providers in most eras, so that every choice of three out of four has one of them; in some one or none. */
function guardiansOf(random: Random, awayMs: readonly number[], nowMs: number): Set<number> {
  const drawn = random();
  const wanted = drawn < 0.76 ? 2 : drawn < 0.88 ? 1 : 0;
  const free = awayMs.flatMap((untilMs, provider) => (untilMs <= nowMs ? [provider] : []));
  const guardians = new Set<number>();
  while (guardians.size < wanted && free.length > 0) guardians.add(free.splice(Math.floor(random() * free.length), 1)[0] ?? 0);
  return guardians;
}
