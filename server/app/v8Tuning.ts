import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import type { TickedPart } from '../router/ticker.ts';

/** A young generation of this size is collected rarely enough. Without a bound V8 lets it grow past 100 MB under load. */
const enoughYoungBytes = 8 * 1024 * 1024;
/** The first V8 that has the middle compiler on: that of Node 22. */
const firstWithMiddleCompiler = 12;

/** A flag of V8, as it is by default and as it is set here. */
interface Flag { byDefault: string; tuned: string }

const oldGeneration: Flag = { byDefault: '--heap-growing-percent=0', tuned: '--heap-growing-percent=100' };
const middleCompiler: Flag = { byDefault: '--maglev-destroy-on-background', tuned: '--no-maglev-destroy-on-background' };
const youngGeneration: Flag = { byDefault: '--semi-space-growth-factor=2', tuned: '--semi-space-growth-factor=1' };

/**
 * Tunes V8 for a small heap. A router makes mostly short-lived garbage, for which V8 reserves more and more memory; a process
 * that runs beside an editor all day should not hold it. These settings are flags of the command line, which a person who
 * runs `node server.js` does not set; V8 also reads them at run time:
 * - the old generation at most doubles between collections (about 18 MB of it are in use). Less would save some 5 MB, and large bodies would
 *   be collected for twice as long: their buffers count;
 * - the middle compiler (Maglev) frees its work memory at once. By default V8 puts finished jobs into a queue for a background
 *   thread, where about 35 MB of them stay. Switching this compiler off would save 10 MB more after a load, and some compiling in
 *   the first seconds; it would cost a third of all CPU after that;
 * - the young generation stops growing where it is large enough.
 *
 * The flags are set a second after the start: V8 takes compiled code (Node's own, and `CompiledParts`) only where all
 * flags are as they were when it was made.
 */
export class HeapTuning implements TickedPart {
  readonly name = 'The settings of V8';
  readonly #set = new Set<Flag>();

  /** Does some work with all flags as V8 has them by default. */
  withDefaults<Result>(work: () => Result): Result {
    for (const flag of this.#set) setFlagsFromString(flag.byDefault);
    try {
      return work();
    } finally {
      for (const flag of this.#set) setFlagsFromString(flag.tuned);
    }
  }

  /** Sets the flags as they are to be now. */
  tick(): void {
    this.#apply(oldGeneration, true);
    // An older V8 writes a line about a flag that it does not know to standard error.
    if (Number.parseInt(process.versions.v8, 10) >= firstWithMiddleCompiler) this.#apply(middleCompiler, true);
    const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space');
    this.#apply(youngGeneration, young !== undefined && young.space_size >= enoughYoungBytes);
  }

  #apply(flag: Flag, tuned: boolean): void {
    if (this.#set.has(flag) === tuned) return;
    setFlagsFromString(tuned ? flag.tuned : flag.byDefault);
    if (tuned) this.#set.add(flag);
    else this.#set.delete(flag);
  }
}
