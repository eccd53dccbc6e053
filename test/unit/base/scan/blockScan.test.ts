import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ObjectScanner, type ObjectScan } from '../../../../server/base/objectScan.ts';
import { sharedBlockScan } from '../../../../server/base/scan/blockScan.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const words = new Set(['image', 'image_url', 'application/pdf']);
/** Pieces too small for blocks are read byte by byte. */
const smallPiece = 1000;

function scan(bytes: Buffer, pieceBytes: () => number): ObjectScan | undefined {
  const scanner = new ObjectScanner(words);
  for (let filled = 0; filled < bytes.length;) {
    filled = Math.min(bytes.length, filled + pieceBytes());
    scanner.advance(bytes, filled);
  }
  return scanner.result();
}

/** Both ways of reading find the same, and what JSON.parse finds. */
function assertSame(text: string, pieceBytes: () => number = () => text.length * 4): void {
  const bytes = Buffer.from(text);
  const inBlocks = scan(bytes, pieceBytes);
  assert.deepEqual(inBlocks, scan(bytes, () => smallPiece), text.slice(0, 300));
  const read = Object.fromEntries([...inBlocks?.fields ?? []].map(([name, { start, end }]) => [name, JSON.parse(bytes.toString('utf8', start, end)) as unknown]));
  assert.deepEqual(read, JSON.parse(text));
}

const parts = ['x', ' ', '\\', '"', '\\\\', '\\"', '{', '}', '[', ']', ':', ',', '\n', 'é', '字', '😀', 'word ', 'image', '    const a = { b: "c" };\n'];

function randomText(random: () => number, longest: number): string {
  if (random() < 0.1) return ['image', 'image_url', 'application/pdf', 'text', ''][Math.floor(random() * 5)] ?? '';
  if (random() < 0.05) return 'QUJD'.repeat(600 + Math.floor(random() * 100));
  return Array.from({ length: Math.floor(random() * longest) }, () => parts[Math.floor(random() * parts.length)]).join('');
}

function randomValue(random: () => number, depth: number): unknown {
  const kind = random();
  if (depth === 0 || kind < 0.4) return randomText(random, random() < 0.1 ? 2000 : 40);
  if (kind < 0.5) return [1, -2.5e10, true, null][Math.floor(random() * 4)];
  const values = Array.from({ length: Math.floor(random() * 9) }, () => randomValue(random, depth - 1));
  return kind < 0.75 ? values : Object.fromEntries(values.map(value => [randomText(random, 5), value]));
}

describe('reading a value in blocks', () => {
  it('is possible on this machine, so that these tests say something', () => {
    assert.notEqual(sharedBlockScan(), undefined);
  });

  it('runs what blockScan.wat says (node scripts/generateBlockScan.mjs mends it)', async () => {
    const { blockScanModule } = await import(new URL('../../../../scripts/generateBlockScan.mjs', import.meta.url).href) as { blockScanModule(): Promise<string> };
    assert.equal(readFileSync(new URL('../../../../server/base/scan/blockScanWasm.ts', import.meta.url), 'utf8'), await blockScanModule());
  });

  it('finds what reading byte by byte finds, in random objects that arrive in random pieces', () => {
    const random = seededRandom(5);
    let blocks = 0;
    for (let round = 0; round < 100; round += 1) {
      const value = { model: 'm', messages: Array.from({ length: 30 }, () => randomValue(random, 4)), text: randomText(random, 3000), last: 1 };
      const text = JSON.stringify(value, undefined, [0, 0, 1, '\t'][Math.floor(random() * 4)]);
      if (text.length > 8192) blocks += 1;
      assertSame(text, random() < 0.3 ? undefined : () => 1 + Math.floor(random() * 20_000));
    }
    assert.ok(blocks > 60, `only ${blocks} objects are large enough`);
  });

  it('keeps an escape, a string and a bracket that end at any byte of a block or a piece', () => {
    for (const size of [5000, 65_536]) {
      for (let shift = 0; shift < 70; shift += 1) {
        const filler = 'x'.repeat(size - 40 + shift);
        for (let backslashes = 0; backslashes < 5; backslashes += 1) {
          const run = `${'\\\\'.repeat(backslashes)}\\"`;
          assertSame(`{"a":["${filler}${run}"],"b":"${filler}${run}","c":{"type":"image","d":[{}]}}`);
        }
        assertSame(`{"a":[${' '.repeat(size + shift)}],"b":[[["${filler}"]]],"c":2}`);
      }
    }
  });

  it('follows nesting that is deeper than a block', () => {
    for (const depth of [63, 64, 65, 600]) assertSame(`{"a":${'['.repeat(depth)}"${'x'.repeat(5000)}"${']'.repeat(depth)},"b":${'{"k":'.repeat(depth)}"${'image'}"${'}'.repeat(depth)}}`);
  });

  it('notes as many strings as a piece can hold', () => {
    assertSame(`{"a":[${'"",'.repeat(60_000)}""],"b":[${'{"type":"image_url"},'.repeat(9000)}1]}`);
    const bytes = Buffer.from(`{"a":[${'""'.repeat(100_000)}],"b":1}`);
    assert.deepEqual(scan(bytes, () => bytes.length), scan(bytes, () => smallPiece), 'not JSON, but its ends are clear');
  });

  it('never says that a cut object is whole', () => {
    const text = JSON.stringify({ messages: [{ content: 'a"\\b{['.repeat(1200) }], n: 'x'.repeat(5000) });
    for (let end = 0; end < text.length; end += 17) assert.equal(scan(Buffer.from(text.slice(0, end)), () => text.length), undefined);
  });
});
