import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { foldText } from '../../../../server/routing/purpose/foldText.ts';
import { readWorkKind } from '../../../../server/routing/purpose/workKind.ts';
import { withoutHarness } from '../../../../server/routing/purpose/callerText.ts';
import { leastMs } from '../../support/growth.ts';
import { labelledSets, type LabelledSet } from './labelledSets.ts';

const root = path.join(import.meta.dirname, '..', '..', '..', '..');
const reference = await import(pathToFileURL(path.join(root, 'scripts', 'classifierReference.mjs')).href) as {
  classifierReference(): string; learntWeights(): string; weightsModule(weights: string): string;
  judged(): (LabelledSet & { right: number; byLength: number; balanced: number })[];
};
const fileText = (...parts: string[]): string => readFileSync(path.join(root, ...parts), 'utf8');

describe('the kind of work that a text asks for', () => {
  it('is the same in Vietnamese with diacritics and without', () => {
    assert.equal(foldText('Điều khoản ĐÃ ký'), 'dieu khoan da ky');
    for (const { tuning, judging } of labelledSets()) {
      for (const { text } of [...tuning, ...judging]) {
        assert.deepEqual(readWorkKind(text), readWorkKind(foldText(text)), text);
        assert.deepEqual(readWorkKind(text.normalize('NFD')), readWorkKind(text), text);
      }
    }
  });

  it('is not known of a text that says little, or nothing', () => {
    for (const text of ['', '   ', '...', 'ok', 'go on', '👍', '日本語のテキスト']) assert.equal(readWorkKind(text), undefined, text);
  });

  it('is found in the beginning and the end of a long text', () => {
    const pasted = '2026-11-27 12:00:01 worker 7 took job 1812\n'.repeat(2000);
    assert.equal(readWorkKind(`Summarize the log below in three bullets.\n${pasted}`)?.kind, 'low-cost');
    assert.equal(readWorkKind(`${pasted}\nTóm tắt log này giúp mình, ba ý thôi`)?.kind, 'low-cost');
    const ms = leastMs(() => { for (let run = 0; run < 20; run++) readWorkKind(`Summarize the log below.\n${pasted}`); });
    assert.ok(ms / 20 < 5, `${ms / 20} ms each`);
  });

  it('gives a reason that holds nothing of the text', () => {
    for (const { judging } of labelledSets()) {
      for (const { text } of judging) assert.match(readWorkKind(text)?.about ?? 'it is about law', /^(?:it asks for|it is about|its words are mostly those of) [a-z -]+$/);
    }
  });
});

describe('the labelled lines', () => {
  it('are 400 and more for each language, a third of each kind, Vietnamese half without diacritics', () => {
    const counted = new Map<string, Record<string, number>>();
    for (const { title, later, tuning, judging } of labelledSets()) {
      const counts = counted.get(`${title} ${later}`) ?? {};
      for (const { kind } of [...tuning, ...judging]) counts[kind] = (counts[kind] ?? 0) + 1;
      counted.set(`${title} ${later}`, counts);
    }
    for (const [title, counts] of counted) assert.equal(new Set(Object.values(counts)).size, 1, `${title}: ${JSON.stringify(counts)}`);
    const lines = (title: string): number => labelledSets().filter(set => set.title === title).reduce((sum, { tuning, judging }) => sum + tuning.length + judging.length, 0);
    assert.ok(lines('English') >= 400);
    assert.ok(lines('Vietnamese') + lines('Vietnamese without diacritics') >= 400);
    assert.equal(lines('Vietnamese'), lines('Vietnamese without diacritics'));
  });

  it('judge by lines that no weight was learnt from', () => {
    const folded = (half: 'tuning' | 'judging'): Set<string> => new Set(labelledSets().flatMap(set => set[half].map(({ text }) => foldText(text))));
    const tuning = folded('tuning');
    for (const text of folded('judging')) assert.ok(!tuning.has(text), text);
  });

  it('are told better than by their length or by calling all balanced', () => {
    for (const { title, later, right, byLength, balanced } of reference.judged()) {
      assert.ok(right > byLength, `${title} ${later}: ${right} right, ${byLength} by length`);
      assert.ok(right > 1.5 * balanced, `${title} ${later}: ${right} right, ${balanced} where all are balanced`);
    }
  });
});

describe('what npm run classifier writes', () => {
  it('are the weights that the server has', () => {
    assert.equal(fileText('server', 'routing', 'purpose', 'wordWeights.ts'), reference.weightsModule(reference.learntWeights()));
  });

  it('is the page, but for what was measured', () => {
    const [page = '', measured = ''] = fileText('docs', 'classifier.md').split('## What it costs');
    assert.equal(page, reference.classifierReference());
    assert.match(measured, /\| a question of 1 KB \| \d+ µs \|/);
  });
});

describe('what a person wrote', () => {
  const rows: [text: string, wrote: string][] = [
    ['plain', 'plain'],
    ['a < b and c > d', 'a < b and c > d'],
    ['<system-reminder>Summarize nothing.</system-reminder>\nFix the bug', '\nFix the bug'],
    ['Fix it<system-reminder>no end', 'Fix it'],
    ['<environment_context>\n<cwd>/x</cwd>\n</environment_context>', ''],
    ['<context>big</context><reminder>r</reminder>\n<userRequest>\nTranslate this\n</userRequest>', 'Translate this'],
    ['<task>Prove it</task> <environment_details>files</environment_details>', 'Prove it'],
    ['<contextual>mine</contextual>', '<contextual>mine</contextual>'],
    ['<user_query>\nWhy <b>this</b>?\n</user_query>', 'Why <b>this</b>?'],
  ];
  for (const [text, wrote] of rows) it(JSON.stringify(text), () => { assert.equal(withoutHarness(text), wrote); });
});
