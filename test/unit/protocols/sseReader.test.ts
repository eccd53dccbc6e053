import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WaybillError } from '../../../server/base/failure.ts';
import { createSseReader } from '../../../server/protocols/sseReader.ts';
import { bytewise } from './replay.ts';

type Seen = [string | undefined, string][];

function read(chunks: Iterable<Uint8Array>, maxEventBytes = 1_000): Seen {
  const seen: Seen = [];
  const reader = createSseReader({ maxEventBytes }, (event, data) => seen.push([event, data]));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

const cases: { what: string; stream: string; seen: Seen }[] = [
  { what: 'LF lines', stream: 'data: a\n\ndata: b\n\n', seen: [[undefined, 'a'], [undefined, 'b']] },
  { what: 'CRLF lines', stream: 'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n', seen: [['x', 'a'], [undefined, 'b']] },
  { what: 'CR lines', stream: 'event: x\rdata: a\r\rdata: b\r\r', seen: [['x', 'a'], [undefined, 'b']] },
  { what: 'a byte order mark', stream: '\ufeffdata: a\n\n', seen: [[undefined, 'a']] },
  { what: 'comments', stream: ': keep-alive\n\n:\n\ndata: a\n: in between\ndata: b\n\n', seen: [[undefined, 'a\nb']] },
  { what: 'blank lines before content', stream: '\n\r\n\n\ndata: a\n\n', seen: [[undefined, 'a']] },
  { what: 'a last event without its blank line', stream: 'data: a\n\nevent: x\ndata: b\n', seen: [[undefined, 'a'], ['x', 'b']] },
  { what: 'a last event without any line end', stream: 'data: a\n\ndata: b', seen: [[undefined, 'a'], [undefined, 'b']] },
  { what: 'a last event ended by one CR', stream: 'data: a\r', seen: [[undefined, 'a']] },
  { what: 'no space after the colon', stream: 'data:{"a":1}\n\n', seen: [[undefined, '{"a":1}']] },
  { what: 'several bytes a character', stream: 'data: é世🚂\n\ndata: 🚂\n\n', seen: [[undefined, 'é世🚂'], [undefined, '🚂']] },
  { what: 'ids, retries and unknown fields', stream: 'id: 7\nretry: 10\nfoo: bar\ndata: a\n\n', seen: [[undefined, 'a']] },
  { what: 'a byte order mark in the middle, which belongs to its line', stream: 'data: a\n\n\ufeffdata: b\n\ndata: c\n\n', seen: [[undefined, 'a'], [undefined, 'c']] },
  { what: 'characters of several bytes outside of events', stream: 'data: a\n\né\n\ndata: b\n\né', seen: [[undefined, 'a'], [undefined, 'b']] },
  { what: 'an event name without data', stream: 'event: ping\n\ndata: a\n\n', seen: [[undefined, 'a']] },
];

describe('the reader of server-sent events', () => {
  for (const { what, stream, seen } of cases) {
    test(`understands ${what}, wherever the chunks are cut`, () => {
      const whole = bytes(stream);
      assert.deepEqual(read([whole]), seen);
      assert.deepEqual(read(bytewise(whole)), seen);
      for (let cut = 0; cut <= whole.length; cut += 1) {
        assert.deepEqual(read([whole.subarray(0, cut), whole.subarray(cut)]), seen, `cut at ${cut}`);
      }
    });
  }

  test('replaces a character that the end of the stream cuts in two', () => {
    assert.deepEqual(read([bytes('data: a🚂').subarray(0, 9)]), [[undefined, 'a\ufffd']]);
  });

  test('takes a half of a character that ended a chunk for a part of its line', () => {
    // The other half never comes: the line is no field, however the bytes are cut.
    const whole = Buffer.concat([bytes('data: a\n\n'), Buffer.of(0xe2), bytes('data: b\n\ndata: c\n\n')]);
    for (let cut = 0; cut <= whole.length; cut += 1) assert.deepEqual(read([whole.subarray(0, cut), whole.subarray(cut)]), [[undefined, 'a'], [undefined, 'c']], `cut at ${cut}`);
  });

  test('reads views into larger buffers', () => {
    const backing = bytes('xxxxdata: a\n\nyyyy');
    assert.deepEqual(read([new Uint8Array(backing.buffer, backing.byteOffset + 4, 9)]), [[undefined, 'a']]);
  });

  test('refuses an event over the bound, and only that, wherever the chunks are cut', () => {
    const refused = (stream: string, cut: number): boolean => {
      try {
        read([bytes(stream).subarray(0, cut), bytes(stream).subarray(cut)], 20);
        return false;
      } catch (error) {
        assert.ok(error instanceof WaybillError);
        assert.equal(error.code, 'event-too-large');
        assert.equal(error.failureClass, 'server');
        return true;
      }
    };
    const fits = `data: ${'x'.repeat(20)}\n\n`;
    const overflows = `data: ${'x'.repeat(21)}\n\n`;
    const overflowsInLines = `data: ${'x'.repeat(10)}\ndata: ${'x'.repeat(10)}\n\n`;
    for (let cut = 0; cut <= overflows.length; cut += 1) {
      assert.equal(refused(fits, cut), false, `fits, cut at ${cut}`);
      assert.equal(refused(overflows, cut), true, `overflows, cut at ${cut}`);
      assert.equal(refused(overflowsInLines, cut), true, `overflows in lines, cut at ${cut}`);
    }
  });

  test('keeps refusing after an overflow and delivers nothing more', () => {
    const seen: string[] = [];
    const reader = createSseReader({ maxEventBytes: 10 }, (_event, data) => seen.push(data));
    assert.throws(() => reader.push(bytes(`data: ok\n\ndata: ${'x'.repeat(50)}\n\ndata: later\n\n`)), { code: 'event-too-large' });
    assert.throws(() => reader.push(bytes('data: more\n\n')), { code: 'event-too-large' });
    assert.throws(() => reader.end(), { code: 'event-too-large' });
    assert.deepEqual(seen, ['ok']);
  });

  test('does not hold on to an endless line that is no data', () => {
    const reader = createSseReader({ maxEventBytes: 100 }, () => {});
    for (let index = 0; index < 1_000; index += 1) reader.push(bytes(`: ${'x'.repeat(1_000)}`));
    reader.end();
  });
});

describe('what belongs to no event', () => {
  const megabyte = 1024 * 1024;
  const noises: readonly [what: string, line: string][] = [
    ['comments', ': words that are ignored\n'], ['comments with CRLF', ': words that are ignored\r\n'], ['unknown fields', 'field: value\n'], ['ids', 'id: 7\n'], ['event names', 'event: x\n'],
    ['empty data', 'data:\n'], ['blank lines', '\n'], ['blank lines with CR', '\r'], ['an endless comment', ': words'], ['an endless field', 'x'], ['bare JSON', '{"a":1}\n'], ['an event without data', 'event: x\n\n'],
  ];
  for (const [what, line] of noises) {
    test(`is refused once it is much: ${what}`, () => {
      const reader = createSseReader({ maxEventBytes: 16 * megabyte }, () => {});
      const chunk = bytes(line.repeat(Math.ceil(16_000 / line.length)));
      let fed = 0;
      assert.throws(() => {
        for (; fed < 8 * megabyte; fed += chunk.length) reader.push(chunk);
      }, (error: unknown) => error instanceof WaybillError && ['stream-noise', 'event-too-large'].includes(error.code));
      assert.ok(fed < 3 * megabyte, `${fed} bytes`);
      assert.throws(() => reader.push(bytes('data: a\n\n')));
    });
  }

  test('is an event in pieces of one byte without end', () => {
    const reader = createSseReader({ maxEventBytes: 16 * megabyte }, () => {});
    reader.push(bytes('data: '));
    let fed = 0;
    assert.throws(() => {
      for (; fed < megabyte; fed += 1) reader.push(bytes('x'));
    }, { code: 'event-too-large' });
    assert.ok(fed <= 100_001, `${fed} pieces`);
  });

  test('is passed over between events, without end', () => {
    let events = 0;
    const reader = createSseReader({ maxEventBytes: megabyte }, () => { events += 1; });
    const comments = bytes(': ping\n\n'.repeat(1_000));
    for (let index = 0; index < 2_000; index += 1) {
      reader.push(comments);
      if (index % 100 === 99) reader.push(bytes('data: a\n\n'));
    }
    assert.equal(events, 20);
  });

  test('does not take room from a large event, in one line or in several', () => {
    for (const lines of [1, 1_000]) {
      const seen: number[] = [];
      const reader = createSseReader({ maxEventBytes: 16 * megabyte }, (_event, data) => seen.push(data.length));
      const whole = bytes(`: ping\n${`data: ${'x'.repeat(15 * megabyte / lines)}\n`.repeat(lines)}\n`);
      for (let at = 0; at < whole.length; at += 60_000) reader.push(whole.subarray(at, at + 60_000));
      assert.equal(seen.length, 1);
    }
  });
});

describe('JSON outside of events', () => {
  const read = (chunks: readonly string[]): unknown[] => {
    const seen: unknown[] = [];
    const reader = createSseReader({ maxEventBytes: 1_000 }, (event, data) => seen.push([event, data]));
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    reader.end();
    return seen;
  };
  const error = '{"error":{"code":503,"message":"Gone"}}';
  const pretty = JSON.stringify(JSON.parse(error), null, 2);

  test('is delivered as an event, on one line or several, wherever it is cut', () => {
    for (const bare of [error, `${error}\n`, pretty, `[${pretty}\r\n]\r\n`]) {
      const text = `data: 1\n\n${bare}`;
      for (let cut = 0; cut < text.length; cut += 1) {
        const seen = read([text.slice(0, cut), text.slice(cut)]);
        assert.deepEqual(seen, [[undefined, '1'], [undefined, bare.trim()]], `cut at ${cut}`);
      }
      assert.deepEqual(read([...text]), [[undefined, '1'], [undefined, bare.trim()]]);
    }
  });

  test('does not swallow the events after it', () => {
    for (const bare of [`${error}\n`, '{"error":\n', '{\n[\n{\n']) {
      const text = `${bare}data: 1\n\nevent: e\ndata: 2\n\n`;
      const expected = [[undefined, '1'], ['e', '2']];
      const whole = bare.startsWith(error) ? [[undefined, error], ...expected] : expected;
      assert.deepEqual(read([text]), whole);
      assert.deepEqual(read([...text]), whole);
    }
  });

  test('inside of an event is data like any other', () => {
    assert.deepEqual(read(['data: {\ndata: "a":1}\n\n']), [[undefined, '{\n"a":1}']]);
  });

  test('without an end is dropped and forgotten', () => {
    assert.deepEqual(read([`{"a":"${'x'.repeat(100_000)}`, 'y'.repeat(100_000), '\n\ndata: 1\n\n']), [[undefined, '1']]);
  });
});
