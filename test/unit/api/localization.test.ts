import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { t } from '@vscode/l10n';
import { currentLanguage, useLanguage } from '../../../server/api/localization/localization.ts';
import { readTexts } from '../../../server/base/files/textsFile.ts';
import { readPageTexts, textsElement } from '../../../client/views/shared/pageTexts.ts';

describe('the language of a process', () => {
  afterEach(() => { useLanguage('en', undefined); });

  it('gives the texts of the editor\'s language, and English where there is none', () => {
    assert.equal(t('{0} keys', 2), '2 keys');
    useLanguage('vi', { '{0} keys': '{0} khóa' });
    assert.deepEqual([t('{0} keys', 2), t('Other'), currentLanguage()], ['2 khóa', 'Other', 'vi']);
    useLanguage('en', undefined);
    assert.deepEqual([t('{0} keys', 2), currentLanguage()], ['2 keys', 'en']);
  });

  it('is English for Intl where the editor names a language that Intl does not have', () => {
    for (const unknown of ['', 'no_language', 'x']) {
      useLanguage(unknown, undefined);
      assert.equal(currentLanguage(), 'en');
    }
  });
});

describe('a file of texts', () => {
  it('is read, and a damaged or missing one leaves texts English', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'waybill-texts-'));
    const file = path.join(folder, 'texts.json');
    try {
      assert.equal(readTexts(file), undefined);
      for (const damaged of ['', '{"a": ', '[]', '{"a": 1}']) {
        writeFileSync(file, damaged);
        assert.equal(readTexts(file), undefined, damaged);
      }
      writeFileSync(file, '{"One":"Một"}');
      assert.deepEqual(readTexts(file), { One: 'Một' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the texts of a page', () => {
  it('arrive as they are, and cannot leave the element that holds them', () => {
    const texts = { 'A </script><script>alert(1)</script>': 'Một <!-- </SCRIPT>' };
    const [element = ''] = textsElement(texts);
    const inner = /^<script type="application\/json" id="texts">(.*)<\/script>$/s.exec(element)?.[1] ?? '';
    assert.ok(!inner.includes('<'));
    assert.deepEqual(readPageTexts(inner), texts);
  });

  it('are absent where texts are English', () => {
    assert.deepEqual(textsElement(undefined), []);
    assert.equal(readPageTexts(undefined), undefined);
  });
});
