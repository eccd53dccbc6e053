import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const lookMs = 500;
/** A young generation of this size is collected seldom enough; V8 by itself lets it grow past 100 MB under load. */
const enoughYoungBytes = 8 * 1024 * 1024;

/**
 * Keeps the heap small. A router makes almost nothing but short-lived garbage, which V8 answers with ever more memory;
 * a process that runs beside an editor all day should not take it. These settings are flags of the command line
 * otherwise, which is not ours when somebody runs `node server.js`; V8 also reads them while it runs:
 * - the old generation may double between collections and no more (what lives in it is about 15 MB);
 * - no middle compiler, whose work spaces stay with the allocator;
 * - the young generation stops growing where it is large enough.
 */
export function tuneHeap(): { dispose(): void } {
  setFlagsFromString('--heap-growing-percent=100');
  setFlagsFromString('--no-maglev');
  let growing = true;
  const look = (): void => {
    const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space');
    const shouldGrow = young === undefined || young.space_size < enoughYoungBytes;
    if (shouldGrow === growing) return;
    growing = shouldGrow;
    setFlagsFromString(`--semi-space-growth-factor=${growing ? 2 : 1}`);
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  return { dispose: () => clearInterval(timer) };
}
