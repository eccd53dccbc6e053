import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readBody } from '../../../../../server/inbound/http/request/readBody.ts';

/** Words that cannot be searched: the scan of a body with one of them in it fails. */
class FailingWords extends Set<string> {
  override has(): boolean {
    throw new Error('the scan failed');
  }
}

function request(headers: Record<string, string>, body: Buffer): IncomingMessage {
  const stream = new PassThrough();
  stream.end(body);
  return Object.assign(stream, { headers }) as unknown as IncomingMessage;
}

test('a failure while a compressed body is read reaches the caller, who would wait for ever', { timeout: 5000 }, async () => {
  const failure = await new Promise<unknown>(resolve => {
    readBody(request({ 'content-encoding': 'gzip' }, gzipSync('{"a":"word"}')), new FailingWords(['word']), () => assert.fail('no body'), resolve);
  });
  assert.match(String(failure), /the scan failed/);
});

test('a failure in the use of a body is not taken for a failure to read it', { timeout: 5000 }, async () => {
  const used = await new Promise<unknown>(resolve => {
    readBody(request({ 'content-encoding': 'gzip' }, gzipSync('{"a":1}')), new Set(), resolve, () => assert.fail('it can be read'));
  });
  assert.ok(typeof used === 'object' && used !== null && 'bytes' in used && String(used.bytes) === '{"a":1}');
});
