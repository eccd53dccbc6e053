// First: tables of texts are made in the language that is set then.
import '../../support/vietnamese.ts';
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { migrationMarkdown } from '../../../../server/api/reports/migrationText.ts';
import { savingsMarkdown } from '../../../../server/api/reports/savingsText.ts';
import { featureBit } from '../../../../server/api/reports/features.ts';
import { MigrationReporter } from '../../../../server/router/migration/migrationReporter.ts';
import { SavingsReporter } from '../../../../server/router/savings/savingsReporter.ts';
import { at, configOf, ReportBench } from './reportBench.ts';

const config = configOf({
  openai: { provider: 'openai', keys: ['${O}'], models: { 'gpt-4.1': {} } },
  local: { provider: 'ollama', models: { llama: {} } },
}, { coding: { targets: ['openai/gpt-4.1'] } });
const days = { fromDay: '2026-11-01', toDay: '2026-11-30' };

/** English words that a sentence has and a name has not. */
const english = /\b(?:the|of|and|is|are|was|were|for|with|what|which|not|no|they|there|each|against|request|requests|answers?|cost|costs|spent|saved)\b/i;

/** Lines with English words, but for code, names of commands and links. */
function englishLines(markdown: string): string[] {
  return markdown.replace(/```[\s\S]*?```/g, '').split('\n').map(line => line.replace(/`[^`]*`|"Waybill:[^"]*"|docs\/\S+/g, '')).filter(line => english.test(line));
}

describe('reports in the language of the editor', () => {
  const bench = new ReportBench(config);
  before(async () => {
    await bench.pricer.ready();
    const usage = { inputTokens: 9_000, cacheReadTokens: 900, outputTokens: 900 };
    bench.add(at(2), [{ endpoint: 'openai', model: 'gpt-4.1', usage }], { route: 'coding', features: featureBit('tools') | featureBit('hostedTools') | featureBit('jsonSchema') | featureBit('documents') });
    bench.add(at(3), [{ endpoint: 'openai', model: 'gpt-4.1', usage, cost: { certainty: 'unknown' } }], { route: 'coding' });
    bench.add(at(4), [{ endpoint: 'local', model: 'llama', usage }], { route: 'gone' });
  });

  it('have no English sentence: what was saved', async () => {
    for (const baseline of ['first', 'anthropic', 'openai']) {
      const result = await new SavingsReporter(bench.options).report({ ...days, baseline });
      const markdown = 'report' in result ? savingsMarkdown(result.report) : assert.fail(result.problem);
      assert.match(markdown, /^# Khoản tiết kiệm so với /);
      assert.deepEqual(englishLines(markdown), []);
    }
  });

  it('have no English sentence: what a migration would mean', async () => {
    for (const to of ['anthropic/claude-sonnet-4.5', 'local']) {
      const result = await new MigrationReporter(bench.options).report({ ...days, to });
      const markdown = 'report' in result ? migrationMarkdown(result.report) : assert.fail(result.problem);
      assert.match(markdown, /^# Báo cáo chuyển đổi/);
      assert.deepEqual(englishLines(markdown), []);
    }
  });
});
