import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { readTextFile } from '../../../../server/base/files/textFile.ts';

describe('a text file that is read in pieces', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-text-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'text');

  for (const [name, text] of [
    ['nothing', ''],
    ['a short text', 'một hai ba'],
    ['characters of two, three and four bytes across the ends of pieces', 'a' + 'é€😀'.repeat(50_000)],
    ['exactly one piece', 'x'.repeat(64 * 1024)],
  ] as const) {
    it(`is the same text: ${name}`, () => {
      writeFileSync(file, text);
      assert.equal(readTextFile(file), text);
    });
  }

  it('is an error of the system where there is none', () => {
    assert.throws(() => readTextFile(path.join(folder, 'missing')), { code: 'ENOENT' });
  });
});
