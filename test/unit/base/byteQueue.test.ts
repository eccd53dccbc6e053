import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteQueue } from '../../../server/base/byteQueue.ts';

test('bytes come out in the order in which they went in, whatever the size of the pieces', () => {
  const queue = new ByteQueue();
  const expected: Buffer[] = [];
  for (let index = 0; index < 3_000; index += 1) {
    const size = index % 97 === 0 ? 40_000 : index % 5 === 0 ? 3_000 : index % 3;
    const piece = Buffer.alloc(size, index % 251);
    queue.add(piece);
    expected.push(piece);
    if (index % 700 === 0) assert.deepEqual(queue.whole(), Buffer.concat(expected), `at ${index}`);
  }
  const whole = Buffer.concat(expected);
  assert.equal(queue.length, whole.length);
  assert.deepEqual(queue.take(), whole);
  assert.equal(queue.length, 0);
  queue.add(Buffer.from('again'));
  assert.equal(queue.take().toString(), 'again');
});

test('one piece comes out as it is', () => {
  const queue = new ByteQueue();
  const piece = Buffer.from('one');
  queue.add(piece);
  assert.equal(queue.take(), piece);
});

test('a million pieces of one byte keep a few buffers, and none of the buffers they were cut from', () => {
  const queue = new ByteQueue();
  const alive: WeakRef<ArrayBufferLike>[] = [];
  for (let index = 0; index < 1_000_000; index += 1) {
    const piece = Buffer.allocUnsafeSlow(1).fill(65);
    if (index % 1_000 === 999) alive.push(new WeakRef(piece.buffer));
    queue.add(piece);
  }
  assert.equal(queue.take().length, 1_000_000);
  assert.equal(alive.length, 1_000);
});
