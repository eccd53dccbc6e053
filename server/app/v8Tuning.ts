import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const pollMs = 500;
/** A young generation of this size is collected rarely enough. Without a bound V8 lets it grow past 100 MB under load. */
const enoughYoungBytes = 8 * 1024 * 1024;

/**
 * Tunes V8 for a small heap. A router makes mostly short-lived garbage, for which V8 reserves more and more memory; a process
 * that runs beside an editor all day should not hold it. These settings are flags of the command line, which a person who
 * runs `node server.js` does not set; V8 also reads them at run time:
 * - the old generation at most doubles between collections (about 15 MB of it are in use);
 * - the middle compiler is off, because the allocator keeps its work memory;
 * - the young generation stops growing where it is large enough.
 */
export function tuneHeap(): { dispose(): void } {
  setFlagsFromString('--heap-growing-percent=100');
  setFlagsFromString('--no-maglev');
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
