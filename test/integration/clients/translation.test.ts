import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import { features } from '../support/translationFeatures.ts';
import { playAllTranslations, surprise, translationTables, type TranslationCell } from '../support/translationTable.ts';

describe('the table of translations', () => {
  let cells: TranslationCell[] = [];
  before(async () => {
    cells = await playAllTranslations();
  });

  it('has every feature for every pair of protocols', () => {
    assert.equal(cells.length, features.length * protocolNames.length ** 2);
  });

  it('has no cell that is not as expected', () => {
    assert.deepEqual(cells.flatMap(cell => surprise(cell) ?? []), []);
  });

  it('is what docs/translation.md says (written by test/integration/clients/writeTranslationTable.ts)', () => {
    assert.equal(readFileSync(new URL('../../../docs/translation.md', import.meta.url), 'utf8'), translationTables(cells));
  });
});
