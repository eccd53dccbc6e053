import type { TestContext } from 'node:test';

export interface MockClock { /** Lets time pass, in steps of at least a millisecond. */ tick(ms: number): void }

/**
 * Timers and the monotonic clock, mocked together: deadlines are moments of the clock, and the timers that watch them are set
 * for what is left. What waits for the end of the turn runs after each step.
 */
export function mockClock(t: TestContext): MockClock {
  let now = performance.now();
  const immediates: (() => void)[] = [];
  t.mock.method(performance, 'now', () => now);
  t.mock.method(globalThis, 'setImmediate', (work: (...args: unknown[]) => void, ...args: unknown[]) => { immediates.push(() => work(...args)); });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return {
    tick(ms) {
      const longestStep = Math.max(1, Math.floor(ms / 1000));
      for (let left = ms; left > 0;) {
        const step = Math.min(left, longestStep);
        now += step;
        left -= step;
        t.mock.timers.tick(step);
        for (const work of immediates.splice(0)) work();
      }
    },
  };
}
