/**
 * Loaded into the router with `--import`, and with `--expose-gc`: asked by SIGUSR2 it collects garbage and writes to file
 * descriptor 3 what is left. Changes nothing else in the process.
 */
import { EventEmitter } from 'node:events';
import { ServerResponse, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';

const reportDescriptor = 3;
const probe = setTimeout(() => undefined, 0);
clearTimeout(probe);
const counted = { timers: probe.constructor, emitters: EventEmitter, sockets: Socket, requests: IncomingMessage, responses: ServerResponse };

async function report() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await nextTurn();
  }
  const objects = Object.fromEntries(Object.entries(counted).map(([name, constructor]) => [name, queryObjects(constructor, { format: 'count' })]));
  const { heapUsed, external, rss } = process.memoryUsage();
  const active = process.getActiveResourcesInfo().sort();
  const processListeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  writeSync(reportDescriptor, `${JSON.stringify({ objects, heapUsed, external, rss, active, processListeners })}\n`);
}

process.on('SIGUSR2', () => void report());
