import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readPage, readPeers } from '../../faultwall/files.ts';
import { faultWallPage, withoutTimes } from '../../faultwall/page.ts';
import { allRows } from '../../faultwall/rows/allRows.ts';
import { cellWords, cellsOf, playWall, type WallResult } from '../../faultwall/wall.ts';

describe('the fault wall', () => {
  let results: WallResult[] = [];
  before(async () => {
    results = await playWall();
  });

  for (const row of allRows) for (const mode of row.modes) {
    const cells = cellsOf(row).filter(cell => cell.mode === mode);
    it(`${row.number}. a provider that ${row.fault}, ${mode} (${cells.length} cells)`, () => {
      const played = results.filter(result => result.row === row && result.cell.mode === mode);
      assert.equal(played.length, cells.length);
      assert.deepEqual(played.flatMap(result => (result.wrong.length === 0 ? [] : [`${cellWords(result)}: ${result.wrong.join('; ')}`])), []);
    });
  }

  it('covers all 32 rows', () => {
    assert.deepEqual([...new Set(allRows.map(row => row.number))], Array.from({ length: 32 }, (_, index) => index + 1));
  });

  it('is published in docs/fault-wall.md as it was played, times apart; `npm run faultwall` writes it', () => {
    assert.equal(withoutTimes(readPage()), withoutTimes(faultWallPage(results, readPeers())));
  });
});
