import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldValue, scanObject, spliceFields } from '../../../server/base/objectScan.ts';
import { seededRandom } from '../support/seededRandom.ts';

function scanned(text: string): Record<string, unknown> | undefined {
  const bytes = Buffer.from(text);
  const scan = scanObject(bytes);
  if (scan === undefined) return undefined;
  return Object.fromEntries([...scan.fields.keys()].map(name => [name, fieldValue(bytes, scan, name)]));
}

function spliced(text: string, edits: Parameters<typeof spliceFields>[2]): string {
  const bytes = Buffer.from(text);
  const scan = scanObject(bytes);
  assert.ok(scan !== undefined);
  return Buffer.concat(spliceFields(bytes, scan, edits)).toString();
}

describe('scanning an object', () => {
  const good: readonly string[] = [
    '{}', ' \r\n\t{ } ', '{"a":1}', '{ "a" : -1.5e+3 , "b" : [ ] }', '{"a":"","b":"x"}', '{"a":"quote \\" backslash \\\\","b":1}', '{"a":"\\\\","b":"\\\\\\""}',
    '{"a":{"b":[{"c":"}]"}]},"d":null}', '{"\\u0061b":true,"b":false}', '{"ключ":"значение","キー":"値 🙂"}', '{"a":1,"a":2}', `{"long":"${'x'.repeat(300)}\\"${'y'.repeat(300)}\\\\","after":1}`,
    `{"edge":"${'x'.repeat(95)}\\"tail","after":[1,2]}`, `{"edge":"${'x'.repeat(94)}\\\\","after":[1,2]}`,
  ];
  for (const text of good) it(`finds the fields of ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`, () => {
    assert.deepEqual(scanned(text), JSON.parse(text));
  });

  for (const text of ['', ' ', '[]', '1', 'null', '"a"', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a" 1}', '{a:1}', '{"a":1}x', '{"a":1}{}', '{"a":"x}', '{"a":[1}', '{,}', '{"a":,"b":1}', '{"a":1,}']) {
    it(`takes ${JSON.stringify(text)} for no object`, () => {
      assert.equal(scanObject(Buffer.from(text)), undefined);
    });
  }

  it('agrees with JSON.parse on random objects, however they are spaced', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round += 1) {
      const value = Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [randomText(random), randomValue(random, 3)]));
      const text = JSON.stringify(value, undefined, [0, 1, '\t'][Math.floor(random() * 3)]);
      assert.deepEqual(scanned(text), JSON.parse(text), text);
    }
  });

  it('never says that a cut object is whole', () => {
    const text = JSON.stringify({ model: 'a"\\b', messages: [{ content: 'x{y}' }], n: 1 });
    for (let end = 0; end < text.length; end += 1) assert.equal(scanObject(Buffer.from(text.slice(0, end))), undefined, text.slice(0, end));
  });

  it('counts long strings of base64, and not long prose', () => {
    const picture = 'QUJDREVG'.repeat(1000);
    const count = (value: unknown): number | undefined => scanObject(Buffer.from(JSON.stringify(value)))?.base64Bytes;
    assert.equal(count({ a: [{ data: picture }] }), picture.length);
    assert.equal(count({ url: `data:image/png;base64,${picture}` }), picture.length + 'data:image/png;base64,'.length);
    assert.equal(count({ prose: 'so many words, '.repeat(500) }), 0);
  });
});

describe('splicing fields', () => {
  it('replaces values and keeps every other byte', () => {
    const text = '{ "model" : "old" ,\n\t"x":1.50, "messages":[ "…" ], "y" : {"model":"inner"} }';
    assert.equal(spliced(text, [{ name: 'model', json: '"new"' }]), text.replace('"old"', '"new"'));
    assert.equal(spliced(text, [{ name: 'messages', json: '[]' }, { name: 'model', json: '"new"' }]), text.replace('"old"', '"new"').replace('[ "…" ]', '[]'));
  });

  it('adds fields that are not there, also to an empty object', () => {
    assert.equal(spliced('{}', [{ name: 'a', json: '1' }, { name: 'b', json: '2' }]), '{"a":1,"b":2}');
    assert.equal(spliced('{"x":[{}]} ', [{ name: 'x', json: '0' }, { name: 'a"', json: 'true' }]), '{"x":0,"a\\"":true} ');
  });

  it('leaves the same object with the fields changed, for random ones', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 200; round += 1) {
      const value: Record<string, unknown> = Object.fromEntries(Array.from({ length: Math.floor(random() * 5) }, () => [randomText(random), randomValue(random, 2)]));
      if (random() < 0.5) value['model'] = randomValue(random, 1);
      const result = spliced(JSON.stringify(value, undefined, random() < 0.5 ? 2 : 0), [{ name: 'model', json: '"m"' }, { name: 'stream_options', json: '{"include_usage":true}' }]);
      assert.deepEqual(JSON.parse(result), { ...value, model: 'm', stream_options: { include_usage: true } });
    }
  });
});

describe('scanning a body while it arrives', () => {
  for (const pieceBytes of [4000, 10_000]) it(`never looks beyond what has arrived, so that a large body costs no more for each of its bytes than a small one: pieces of ${pieceBytes} bytes`, async (t) => {
    let lookedAt = 0;
    const original = Uint8Array.prototype.indexOf;
    t.mock.method(Uint8Array.prototype, 'indexOf', function counted(this: Uint8Array, byte: number, from = 0): number {
      const found = original.call(this, byte, from);
      lookedAt += (found === -1 ? this.length : found) - from;
      return found;
    });
    // What is read in blocks is copied first.
    const copy = Uint8Array.prototype.set;
    t.mock.method(Uint8Array.prototype, 'set', function counted(this: Uint8Array, from: Uint8Array, at = 0): void {
      lookedAt += from.length;
      copy.call(this, from, at);
    });
    // The scanner takes the method when it is loaded.
    const fresh = new URL(`../../../server/base/objectScan.ts?counted=${pieceBytes}`, import.meta.url);
    const { ObjectScanner } = await import(fresh.href) as typeof import('../../../server/base/objectScan.ts');
    const bytes = Buffer.from(JSON.stringify({ image: 'A'.repeat(1_000_000), after: 1 }));
    const scanner = new ObjectScanner();
    for (let filled = 0; filled < bytes.length;) {
      filled = Math.min(filled + pieceBytes, bytes.length);
      assert.ok(scanner.advance(bytes, filled));
    }
    assert.deepEqual([...scanner.result()?.fields.keys() ?? []], ['image', 'after']);
    assert.ok(lookedAt > 0 && lookedAt <= bytes.length, `${lookedAt} of ${bytes.length}`);
  });
});

function randomText(random: () => number): string {
  const letters = ['a', 'Z', '"', '\\', '\n', '{', '}', '[', ']', ',', ':', ' ', 'é', '漢', '🙂', '\u0001'];
  return Array.from({ length: Math.floor(random() ** 3 * 250) }, () => letters[Math.floor(random() * letters.length)]).join('');
}

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth === 0 ? 4 : 6));
  switch (kind) {
    case 0: return randomText(random);
    case 1: return (random() - 0.5) * 10 ** Math.floor(random() * 20 - 5);
    case 2: return random() < 0.5;
    case 3: return null;
    case 4: return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1));
    default: return Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [randomText(random), randomValue(random, depth - 1)]));
  }
}

describe('fields that are removed', () => {
  const names = ['a', 'b"c', 'd', 'e'];
  const written = ['"a":1', '"b\\"c" : "x, \\"a\\":2"', '"d":[{"a":1}]', '"e":null'];

  for (const [title, join] of [['without space', (members: string[]) => `{${members.join(',')}}`], ['with space', (members: string[]) => `{ ${members.join(' ,\n ')} }`]] as const) {
    it(`any of them can go, ${title}, and the others stay`, () => {
      const text = join(written);
      for (let removed = 0; removed < 15; removed += 1) {
        const edits = names.filter((_name, index) => (removed >> index) % 2 === 1).map(name => ({ name, json: undefined }));
        const expected = Object.fromEntries(Object.entries(JSON.parse(text) as Record<string, unknown>).filter(([name]) => !edits.some(edit => edit.name === name)));
        assert.deepEqual(JSON.parse(spliced(text, edits)), expected, String(removed));
        assert.deepEqual(JSON.parse(spliced(text, [...edits, { name: 'new', json: '7' }])), { ...expected, new: 7 }, String(removed));
      }
    });
  }

  it('a field that is not there changes nothing', () => {
    assert.equal(spliced('{"a":1}', [{ name: 'b', json: undefined }]), '{"a":1}');
  });
});
