import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonLength } from '../../../server/api/jsonLength.ts';
import { seededRandom } from '../support/seededRandom.ts';

const letters = ['a', 'Z', ' ', 'é', '数', '"', '\\', '\n', '\u0007', '\ud83d\ude00', '\ud800'];

/** A value of plain data, with fields that JSON leaves out among it. */
function randomValue(random: () => number, depth: number, plainText: boolean): unknown {
  const kind = Math.floor(random() * (depth > 3 ? 6 : 8));
  const text = (): string => Array.from({ length: Math.floor(random() * 6) }, () => letters[Math.floor(random() * (plainText ? 5 : letters.length))]).join('');
  switch (kind) {
    case 0: return null;
    case 1: return random() < 0.5;
    case 2: return Math.floor(random() * 1e6) - 5e5;
    case 3: return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
    case 4: return text();
    case 5: return random() < 0.3 ? undefined : random() < 0.2 ? NaN : text();
    case 6: return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth + 1, plainText));
    default: return Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, (_, index) => [`${text()}${String(index)}`, randomValue(random, depth + 1, plainText)]));
  }
}

describe('the length of a JSON text that is not made', () => {
  it('is exact where nothing has to be escaped', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const value = randomValue(seededRandom(seed), 0, true);
      assert.equal(jsonLength(value), (JSON.stringify(value) ?? '').length, `seed ${String(seed)}`);
    }
  });

  it('is never more than the text', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const value = randomValue(seededRandom(seed), 0, false);
      assert.ok(jsonLength(value) <= (JSON.stringify(value) ?? '').length, `seed ${String(seed)}`);
    }
  });

  it('counts names and texts as it is asked to', () => {
    assert.equal(jsonLength({ name: ['text', 7] }, text => text.length * 10), '{"":["",7]}'.length + 80);
  });
});
