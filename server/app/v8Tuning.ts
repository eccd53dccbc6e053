import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const pollMs = 500;
/** A young generation of this size is collected rarely enough. Without a bound V8 lets it grow past 100 MB under load. */
const enoughYoungBytes = 8 * 1024 * 1024;
/** The first V8 that has the middle compiler on: that of Node 22. */
const firstWithMiddleCompiler = 12;

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
 */
export function tuneHeap(): { dispose(): void } {
  setFlagsFromString('--heap-growing-percent=100');
  // An older V8 writes a line about a flag that it does not know to standard error.
  if (Number.parseInt(process.versions.v8, 10) >= firstWithMiddleCompiler) setFlagsFromString('--no-maglev-destroy-on-background');
  let growing = true;
  const tuneGrowth = (): void => {
    const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space');
    const shouldGrow = young === undefined || young.space_size < enoughYoungBytes;
    if (shouldGrow === growing) return;
    growing = shouldGrow;
    setFlagsFromString(`--semi-space-growth-factor=${growing ? 2 : 1}`);
  };
  const timer = setInterval(tuneGrowth, pollMs);
  timer.unref();
  return { dispose: () => clearInterval(timer) };
}
