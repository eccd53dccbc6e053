import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readBody } from '../../../../../server/inbound/http/request/readBody.ts';

/** Words that can be read so many times, then throw: the scan of a body fails. */
class FailingWords extends Set<string> {
  #readings: number;

  constructor(readings: number) {
    super();
    this.#readings = readings;
  }

  override [Symbol.iterator](): SetIterator<string> {
    this.#readings -= 1;
    if (this.#readings < 0) throw new Error('the scan failed');
    return super[Symbol.iterator]();
  }
}

function request(headers: Record<string, string>, body: Buffer): IncomingMessage {
  const stream = new PassThrough();
  stream.end(body);
  return Object.assign(stream, { headers }) as unknown as IncomingMessage;
}

test('a failure while a compressed body is read reaches the caller, who would wait for ever', { timeout: 5000 }, async () => {
  const failure = await new Promise<unknown>(resolve => {
    readBody(request({ 'content-encoding': 'gzip' }, gzipSync('{}')), new FailingWords(1), () => assert.fail('no body'), resolve);
  });
  assert.match(String(failure), /the scan failed/);
});

test('a failure in the use of a body is not taken for a failure to read it', { timeout: 5000 }, async () => {
  const used = await new Promise<unknown>(resolve => {
    readBody(request({ 'content-encoding': 'gzip' }, gzipSync('{"a":1}')), new Set(), resolve, () => assert.fail('it can be read'));
  });
  assert.ok(typeof used === 'object' && used !== null && 'bytes' in used && String(used.bytes) === '{"a":1}');
});
