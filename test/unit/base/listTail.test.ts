import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { elementBefore } from '../../../server/base/listTail.ts';

/** The elements from the last one on, as values. */
function elementsOf(text: string, longest = 1_000_000): unknown[] {
  const bytes = Buffer.from(`{"before":["x",{"messages":[1]}],"messages":${text},"after":"]"}`);
  const start = bytes.indexOf('"messages":', 30) + '"messages":'.length;
  const list = { start, end: start + Buffer.byteLength(text) };
  const found: unknown[] = [];
  let before = list.end - 1;
  for (;;) {
    const range = elementBefore(bytes, list, before, longest);
    if (range === undefined) return found;
    found.push(JSON.parse(bytes.toString('utf8', range.start, range.end)));
    before = range.start - 1;
  }
}

const strings = ['', '"', '\\', '\\"', 'a\\', '],[', '}{', '"],"', 'é"ệ', '\\\\"', ','.repeat(200), '"'.repeat(100), `${'x'.repeat(300)}"${'y'.repeat(300)}`, '\n\t', '/'];

describe('the elements of a list from its end', () => {
  it('are those that a parser finds', () => {
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor(seed / 65536) % below;
    };
    const value = (depth: number): unknown => {
      const kind = next(depth > 2 ? 4 : 6);
      if (kind === 0) return next(1000) - 500;
      if (kind === 1) return [true, false, null][next(3)];
      if (kind < 4) return strings[next(strings.length)];
      if (kind === 4) return Array.from({ length: next(4) }, () => value(depth + 1));
      return Object.fromEntries(Array.from({ length: next(4) }, (_, index) => [`${strings[next(strings.length)] ?? ''}${index}`, value(depth + 1)]));
    };
    for (let round = 0; round < 2000; round++) {
      const list = Array.from({ length: next(6) }, () => value(0));
      for (const text of [JSON.stringify(list), JSON.stringify(list, undefined, 2)]) assert.deepEqual(elementsOf(text), [...list].reverse(), text);
    }
  });

  it('are none in an empty list', () => {
    assert.deepEqual([elementsOf('[]'), elementsOf('[ \n ]')], [[], []]);
  });

  it('are found up to the bound', () => {
    assert.deepEqual(elementsOf(JSON.stringify(['x'.repeat(500), 1, 2]), 100), [2, 1]);
    assert.deepEqual(elementsOf(JSON.stringify(['\\"'.repeat(500), 1, 2]), 100), [2, 1]);
  });
});
