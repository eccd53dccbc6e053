import assert from 'node:assert/strict';

/** What a run takes of this thread's own time, at least: whatever else the machine does is not in it. */
export function leastMs(run: () => unknown, runs = 5): number {
  let least = Infinity;
  for (let turn = 0; turn < runs; turn += 1) {
    const begun = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(begun);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const stepsMs = 100;

/**
 * Asserts that work on ten times as much takes about ten times as long; work that grows with the square takes a hundred
 * times as long. Some systems count time in steps of 10 ms, so what takes less than a few of them proves nothing.
 */
export function assertLinear(what: string, small: () => unknown, large: () => unknown): void {
  const [before, after] = [leastMs(small), leastMs(large)];
  assert.ok(after < stepsMs + before * 45, `${what}: ${before.toFixed(2)} ms, and ${after.toFixed(2)} ms for ten times as much`);
}
