import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventFrames } from '../../../../server/upstream/aws/frames.ts';
import { chunkFrame, eventFrame, exceptionFrame, frame } from '../../../integration/support/bedrock/frames.ts';

const stream = Buffer.concat([
  frame({ ':event-type': 'initial-response', ':message-type': 'event' }, '{}'),
  eventFrame('messageStart', { role: 'assistant' }),
  chunkFrame({ type: 'message_start', message: { text: 'größer' } }),
  exceptionFrame('throttlingException', 'Too many tokens'),
  frame({ ':message-type': 'error', ':error-code': 'internalServerException', ':error-message': 'broken' }, ''),
]);
const text = [
  'event: messageStart\ndata: {"role":"assistant"}\n\n',
  'event: message_start\ndata: {"type":"message_start","message":{"text":"größer"}}\n\n',
  'event: error\ndata: {"type":"error","error":{"type":"ThrottlingException","message":"Too many tokens","status":429}}\n\n',
  'event: error\ndata: {"type":"error","error":{"type":"InternalServerException","message":"broken","status":500}}\n\n',
].join('');

describe('frames of AWS', () => {
  it('are read the same wherever the bytes are cut', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const frames = new EventFrames();
      assert.equal(frames.push(stream.subarray(0, at)) + frames.push(stream.subarray(at)), text);
    }
    for (const size of [1, 2, 5, 17]) {
      const frames = new EventFrames();
      let read = '';
      for (let at = 0; at < stream.length; at += size) read += frames.push(stream.subarray(at, at + size));
      assert.equal(read, text);
    }
  });

  it('with any wrong bit are refused, or wait for bytes that never come', () => {
    const good = chunkFrame({ type: 'ping' });
    for (let at = 4; at < good.length; at += 1) {
      const damaged = Buffer.from(good);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      assert.throws(() => new EventFrames().push(damaged), Error, String(at));
    }
  });

  it('of an impossible length are refused before they are kept', () => {
    const huge = Buffer.alloc(12);
    huge.writeUInt32BE(0x7fffffff, 0);
    assert.throws(() => new EventFrames().push(huge), /a frame of 2147483647 bytes/);
    assert.throws(() => new EventFrames().push(Buffer.alloc(12)), /a frame of 0 bytes/);
  });

  it('whose text has line breaks stay one event', () => {
    assert.equal(new EventFrames().push(frame({ ':event-type': 'metadata', ':message-type': 'event' }, '{\n "usage": {}\r\n}\n')), 'event: metadata\ndata: {\ndata:  "usage": {}\ndata: }\n\n');
  });
});
