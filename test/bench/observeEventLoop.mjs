/**
 * Loaded into a process under test with `--import`: looks every millisecond how long the event loop was away, and how
 * much of that the main thread ran. Asked by SIGUSR2, it writes the longest of both since the last question to file
 * descriptor 3. Changes nothing else in the process.
 */
import { writeSync } from 'node:fs';

const reportDescriptor = 3;
const lookMs = 1;

let lookedAtMs = performance.now();
let ranUntilMs = threadMs();
let longestMs = 0;
let longestRunMs = 0;

/** Processor time of the main thread: unlike the clock it does not run while other programs have the processor. */
function threadMs() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

setInterval(() => {
  const nowMs = performance.now();
  const ranMs = threadMs();
  // A loop that is free comes back after the time between two looks.
  longestMs = Math.max(longestMs, nowMs - lookedAtMs - lookMs);
  longestRunMs = Math.max(longestRunMs, ranMs - ranUntilMs);
  lookedAtMs = nowMs;
  ranUntilMs = ranMs;
}, lookMs).unref();

process.on('SIGUSR2', () => {
  writeSync(reportDescriptor, `${JSON.stringify({ longestMs, longestRunMs })}\n`);
  longestMs = 0;
  longestRunMs = 0;
});
