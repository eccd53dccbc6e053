import { Worker } from 'node:worker_threads';

/** How long a server may take to end, in milliseconds. */
export const endWithinMs = 10_000;

export interface ExpectedEnd {
  /** How long the process may still run, in milliseconds. */
  withinMs: number;
  /** The subject of the report's first sentence: "The server". */
  subject: string;
}

/**
 * Expects this process to end soon. If it does not, a report goes to standard error and the process is killed: the
 * report holds the stack of the main thread where that is busy, and the open handles and timers that keep it alive.
 * The watch is a thread of its own, since a main thread that spins runs no timer; it keeps no process alive.
 */
export function expectEnd({ withinMs, subject }: ExpectedEnd): void {
  const worker = new Worker(watchSource, { eval: true, workerData: { withinMs, subject }, execArgv: [], env: {}, name: 'end-watch' });
  worker.unref();
  // Where the thread fails, the end is not watched; nothing else depends on it.
  worker.on('error', () => undefined);
}

/**
 * Plain JavaScript, because a bundle has no separate file for a thread. The inspector of the main thread is reached from here
 * without a port. The interval is needed, because answers of the main thread do not wake a thread that sleeps.
 */
const watchSource = String.raw`
const { Session } = require('node:inspector');
const { writeSync } = require('node:fs');
const { workerData: { withinMs, subject } } = require('node:worker_threads');

const pollMs = 50, pauseMs = 1000, patienceMs = 5000;
const keepers = ${JSON.stringify(`(() => {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const name = handle => [handle?.constructor?.name, handle?.pid && 'process ' + handle.pid, (handle?.localPort ?? handle?.address?.()?.port) && 'port ' + (handle.localPort ?? handle.address().port), handle?.remotePort && 'to port ' + handle.remotePort, typeof handle?.fd === 'number' && 'fd ' + handle.fd].filter(Boolean).join(' ');
  return [...counts].map(([kind, count]) => count + ' ' + kind).concat((process._getActiveHandles?.() ?? []).map(name)).join(', ');
})()`)};

function say(text) {
  try { writeSync(2, text + '\n'); } catch {}
}
function end() {
  process.kill(process.pid, 'SIGKILL');
}
function stackOf(frames, files) {
  return frames.map(({ functionName, location }) => '    at ' + (functionName || '(anonymous)') + ' (' + (files.get(location.scriptId) || 'unknown file') + ':' + (location.lineNumber + 1) + ':' + (location.columnNumber + 1) + ')').join('\n');
}

setTimeout(() => {
  setInterval(() => {}, pollMs);
  say(subject + ' has not ended ' + withinMs / 1000 + ' s after it should have; it is killed.');
  setTimeout(() => { say('Its main thread does not answer: it is inside native code.'); end(); }, patienceMs);
  const session = new Session();
  session.connectToMainThread();
  let busy = false;
  const files = new Map();
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => files.set(scriptId, url));
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    if (busy) return;
    busy = true;
    say('Its main thread is busy:\n' + stackOf(callFrames, files));
    session.post('Debugger.evaluateOnCallFrame', { callFrameId: callFrames[0].callFrameId, expression: keepers, returnByValue: true }, report);
  });
  function report(error, answer) {
    say('It is kept alive by: ' + (error ? error.message : answer.result.value || 'nothing') + '.');
    end();
  }
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  setTimeout(() => {
    if (busy) return;
    busy = true;
    session.post('Debugger.disable', () => session.post('Runtime.evaluate', { expression: keepers, returnByValue: true }, report));
  }, pauseMs);
}, withinMs);
`;
