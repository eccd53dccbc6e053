import type { ByteSink } from './request.ts';

/** Takes the place of a caller that went away after its whole answer was read: the rest of the stream is read for its usage only. */
export function goneCaller(): ByteSink {
  return { kind: 'bytes', begin: nothing, bytes: taken, events: taken, buffered: nothing, keepAlive: nothing, end: nothing, fail: nothing };
}

function nothing(): void { /* Nothing is written. */ }

function taken(): boolean {
  return true;
}
