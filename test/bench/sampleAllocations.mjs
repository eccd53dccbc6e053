/**
 * Loaded into a process under test with `--import`: samples what is allocated between two SIGUSR2, garbage included, and writes
 * one line of JSON for each to file descriptor 3: `{"sampling":true}`, then the bytes by script address, those that V8 allocates
 * inside of itself counted for the script that called it. Changes nothing else in the process.
 */
import { Session } from 'node:inspector';
import { writeSync } from 'node:fs';

const reportDescriptor = 3;
const intervalBytes = 4096;

const session = new Session();
session.connect();
let sampling = false;

function report(line) {
  // A pipe takes 64 KB at once; the addresses of some hundred scripts fit.
  writeSync(reportDescriptor, `${JSON.stringify(line)}\n`);
}

/** Adds the bytes of a node and all below it to the script that is nearest above. */
function count(node, nearest, sums) {
  const url = node.callFrame.url === '' ? nearest : node.callFrame.url;
  if (node.selfSize > 0) sums[url] = (sums[url] ?? 0) + node.selfSize;
  for (const child of node.children) count(child, url, sums);
}

process.on('SIGUSR2', () => {
  if (!sampling) {
    sampling = true;
    session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }, () => report({ sampling }));
    return;
  }
  sampling = false;
  session.post('HeapProfiler.stopSampling', (_error, { profile }) => {
    const sums = {};
    count(profile.head, '', sums);
    report(sums);
  });
});
