import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { t } from '@vscode/l10n';
import { currentLanguage, textLanguage, useLanguage } from '../../../server/api/localization/localization.ts';
import { englishOf, said, shownOf } from '../../../server/api/localization/said.ts';
import { formatCount } from '../../../client/base/figures.ts';
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

  it('has English numbers in English texts where the editor\'s language has no texts, and the dates of the editor', () => {
    useLanguage('de', undefined);
    assert.deepEqual([formatCount(1234), textLanguage(), currentLanguage()], ['1,234', 'en', 'de']);
    useLanguage('vi', {});
    assert.deepEqual([formatCount(1234), textLanguage()], ['1.234', 'vi']);
  });

  it('is English for Intl where the editor names a language that Intl does not have', () => {
    for (const unknown of ['', 'no_language', 'x']) {
      useLanguage(unknown, undefined);
      assert.equal(currentLanguage(), 'en');
    }
  });
});

describe('tables of texts, which are made when their files are loaded', () => {
  for (const [entry, first] of [['client/extension.ts', './base/language.ts'], ['client/views/page/main.ts', './language.ts']] as const) {
    it(`find the language set: it is the first import of ${entry}`, () => {
      const text = readFileSync(new URL(`../../../${entry}`, import.meta.url), 'utf8');
      assert.equal(/^import (?:[^;]* from )?'([^']+)';/.exec(text)?.[1], first);
    });
  }
});

describe('a text that a server sends', () => {
  afterEach(() => { useLanguage('en', undefined); });

  it('is English where it is made, and in the language of the editor where it is shown', () => {
    const text = said('{0} answers, because {1}', 'north', said('{0} of {1} up', 1, 2));
    useLanguage('vi', { '{0} answers, because {1}': '{0} trả lời, vì {1}', '{0} of {1} up': '{0} trên {1} hoạt động' });
    assert.equal(englishOf(text), 'north answers, because 1 of 2 up');
    assert.equal(shownOf(text), 'north trả lời, vì 1 trên 2 hoạt động');
    assert.equal(shownOf(JSON.parse(JSON.stringify(text)) as typeof text), shownOf(text), 'a message carries it');
  });

  it('takes values as they are, also where they look like a place for one', () => {
    assert.equal(englishOf(said('{0} and {1}', '{1}', '$&')), '{1} and $&');
    assert.equal(shownOf(said('{0} and {1}', '{1}', '$&')), '{1} and $&');
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
