import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpendGroup, SpendReport } from '../../../../../server/api/receipt.ts';
import { isFromSpendPage, isToSpendPage } from '../../../../../client/views/spend/spendMessages.ts';
import { buildSpendPage } from '../../../../../client/views/spend/spendModel.ts';
import type { SpendPageSource } from '../../../../../client/views/spend/spendModel.ts';

const group = (name: string, microUsd: number, changes: Partial<SpendGroup> = {}): SpendGroup =>
  ({ name, microUsd, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 1, usage: { inputTokens: 600, cacheReadTokens: 400, outputTokens: 200 }, ...changes });

const week = Array.from({ length: 7 }, (_, index) => ({ day: `2026-11-${14 + index}`, microUsd: index * 100_000, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 1 }));

function source(report: Partial<SpendReport> = {}, changes: Partial<SpendPageSource> = {}): SpendPageSource {
  return {
    period: 'today',
    report: {
      range: { from: 0, to: 1 },
      totals: group('', 1_000_000, { exchanges: 3 }),
      byEndpoint: [group('relay', 250_000), group('local', 0, { unknownAttempts: 1, usage: {} }), group('openai', 750_000, { estimatedMicroUsd: 100 })],
      byModel: [group('gpt-4.1', 1_000_000)], byTool: [group('vscode-chat', 1_000_000)], byWorkspace: [group('shop', 1_000_000)],
      byDay: week.slice(-1),
      ...report,
    },
    chartDays: week, chartSlots: 7, hasProviders: true, style: { locale: 'en-US' },
    ...changes,
  };
}

test('providers are listed by cost, the highest first, with their share and how sure the figure is', () => {
  const section = buildSpendPage(source()).sections.find(({ title }) => title === 'By provider');
  assert.deepEqual(section?.rows.map(({ name, text, share, detail, notes }) => [name, text, share, detail, notes]), [
    ['openai', '~$0.75', 0.75, '1 request · 1.2K tokens', '~ $0.0001 of it estimated'],
    ['relay', '$0.25', 0.25, '1 request · 1.2K tokens', 'exact'],
    ['local', 'unknown', 0, '1 request · 1 attempt of unknown cost · tokens unknown', '+ 1 attempt of unknown cost'],
  ]);
});

test('today is drawn inside its week, and only today belongs to the period', () => {
  const { chart } = buildSpendPage(source());
  assert.ok(chart !== undefined);
  assert.equal(chart.title, 'Last 7 days');
  assert.deepEqual([chart.firstLabel, chart.lastLabel, chart.ceilingText], ['Nov 14', 'Today', '$1.00']);
  assert.deepEqual(chart.days.map(({ inPeriod }) => inPeriod), [false, false, false, false, false, false, true]);
  assert.deepEqual([chart.days[6]?.label, chart.days[6]?.text], ['Fri, Nov 20', '$0.60']);
});

test('a month’s axis ends with the last of the month', () => {
  const first = { day: '2026-11-01', microUsd: 1, estimatedMicroUsd: 1, unknownAttempts: 0, exchanges: 1 };
  const { chart } = buildSpendPage(source({ byDay: [first] }, {
    period: 'month', chartDays: [first], chartSlots: 30,
  }));
  assert.deepEqual([chart?.firstLabel, chart?.lastLabel, chart?.hasEstimates], ['Nov 1', 'Nov 30', true]);
});

test('without any known cost there is no chart, whose scale would be made up', () => {
  const free = week.map((day) => ({ ...day, microUsd: 0 }));
  const page = buildSpendPage(source({ totals: group('', 0, { unknownAttempts: 3 }), byDay: free.slice(-1) }, { chartDays: free }));
  assert.equal(page.chart, undefined);
  assert.equal(page.totalText, 'unknown');
  assert.deepEqual(page.notes, ['no price is known for 3 attempts']);
  assert.equal(isToSpendPage(JSON.parse(JSON.stringify({ type: 'page', page }))), true);
});

test('a row, a day and a bucket that are known in part say so, as the total does', () => {
  const part = { unknownAttempts: 3, exchanges: 5 };
  const page = buildSpendPage(source({
    totals: group('', 21_700, { ...part, usage: { inputTokens: 1_200, cacheReadTokens: 0, outputTokens: 50 }, incompleteUsage: ['inputTokens', 'cacheReadTokens'] }),
    byEndpoint: [group('north', 21_700, { ...part, incompleteUsage: ['inputTokens'] })], byModel: [group('m', 21_700, part)], byTool: [group('codex', 0, part)],
  }, { chartDays: week.map((day, index) => (index === 6 ? { ...day, unknownAttempts: 1 } : day)) }));
  assert.equal(page.totalText, '$0.0217+');
  assert.deepEqual(page.sections.map(({ rows }) => rows[0]?.text), ['$0.0217+', '$0.0217+', 'unknown']);
  assert.equal(page.sections[0]?.rows[0]?.detail, '5 requests · 3 attempts of unknown cost · 1.2K+ tokens');
  assert.deepEqual(page.tokens.map(({ text, exact }) => [text, exact]), [['1.2K+', 'at least 1,200'], ['–', 'unknown'], ['50', '50']]);
  assert.deepEqual([page.chart?.days[5]?.text, page.chart?.days[6]?.text, page.chart?.hasUnknown], ['$0.50', '$0.60+', true]);
});

test('a sum is whole although a provider reports nothing of its cache, whose tokens are input there', () => {
  const page = buildSpendPage(source({ byTool: [group('codex', 1, { incompleteUsage: ['cacheWriteTokens', 'cacheReadTokens', 'reasoningTokens'] })] }));
  assert.match(page.sections.find(({ title }) => title === 'By tool')?.rows[0]?.detail ?? '', / 1\.2K tokens$/);
});

test('workspaces are shown only when there is more than one', () => {
  assert.equal(buildSpendPage(source()).sections.some(({ title }) => title === 'By workspace'), false);
  assert.equal(buildSpendPage(source({ byWorkspace: [group('a', 1), group('b', 2)] })).sections.some(({ title }) => title === 'By workspace'), true);
});

test('the cache hit share is shown when it is known', () => {
  assert.equal(buildSpendPage(source()).cacheHitText, '40%');
  assert.equal(buildSpendPage(source({ totals: group('', 1, { usage: { inputTokens: 5 } }) })).cacheHitText, undefined);
});

test('an empty period says whether a provider or a request is missing', () => {
  const nothing = { totals: group('', 0, { exchanges: 0, usage: {} }), byEndpoint: [], byModel: [], byTool: [], byWorkspace: [] };
  assert.equal(buildSpendPage(source(nothing)).empty, 'no-requests');
  assert.equal(buildSpendPage(source(nothing, { hasProviders: false })).empty, 'no-providers');
  // What was spent stays visible after the last provider was removed.
  assert.equal(buildSpendPage(source({}, { hasProviders: false })).empty, undefined);
});

test('a page that was sent through JSON is accepted, and one with a wrong part is not', () => {
  const message: unknown = JSON.parse(JSON.stringify({ type: 'page', page: buildSpendPage(source()) }));
  assert.equal(isToSpendPage(message), true);
  const broken: unknown = JSON.parse(JSON.stringify({ type: 'page', page: { ...buildSpendPage(source()), notes: [1] } }));
  assert.equal(isToSpendPage(broken), false);
  assert.equal(isToSpendPage({ type: 'failed', period: 'today', message: 'No.' }), true);
  assert.equal(isToSpendPage({ type: 'failed', period: 'ever', message: 'No.' }), false);
});

test('only known messages of the page are accepted', () => {
  const cases: [unknown, boolean][] = [
    [{ type: 'ready', period: 'month' }, true], [{ type: 'period', period: 'week' }, true], [{ type: 'retry' }, true], [{ type: 'run', action: 'addProvider' }, true],
    [{ type: 'run', action: 'workbench.action.terminal.new' }, false], [{ type: 'period' }, false], [{ type: 'period', period: 'year' }, false],
    [null, false], ['retry', false], [[], false], [{}, false], [Object.create({ type: 'retry' }), false],
  ];
  for (const [message, accepted] of cases) assert.equal(isFromSpendPage(message), accepted, JSON.stringify(message));
});
