import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { currentLanguage, useLanguage } from '../../../../server/api/localization/localization.ts';
import { countOf, formatCount, formatDay, formatDuration, formatListTime, formatTokens, tokenFigures } from '../../../../client/base/figures.ts';
import { certaintyNotes, formatCost, formatMicroUsd, formatSpend } from '../../../../client/base/money.ts';
import { speakMoney } from '../../../../client/base/format.ts';
import { englishOf, said, shownMessage } from '../../../../server/api/localization/said.ts';
import { providerOffers } from '../../../../server/catalog/offers.ts';
import { compareBill } from '../../../../server/pricing/bills/compareBill.ts';
import { buildBillPage } from '../../../../client/views/bill/billModel.ts';
import { buildDrillReportPage } from '../../../../client/views/drill/drillReportModel.ts';
import { buildSpendPage } from '../../../../client/views/spend/spendModel.ts';

const texts = JSON.parse(readFileSync(new URL('../../../../l10n/bundle.l10n.vi.json', import.meta.url), 'utf8')) as Record<string, string>;
const totals = { microUsd: 1_234_560_000, estimatedMicroUsd: 1_000_000, unknownAttempts: 2, exchanges: 1_234, usage: { inputTokens: 12_345, cacheReadTokens: 10, outputTokens: 1_000 } };

describe('figures and texts in Vietnamese', () => {
  before(() => { useLanguage('vi', texts); });
  after(() => { useLanguage('en', undefined); });

  it('are written as the language writes them, and money as everywhere', () => {
    const style = { locale: currentLanguage(), timeZone: 'UTC' };
    const at = Date.UTC(2026, 10, 27, 21, 55);
    assert.equal(formatListTime(at, at, style), '21:55');
    assert.match(formatDay('2026-11-27', 'long', style), /27/);
    assert.deepEqual([formatCount(12_345), formatDuration(1_234), formatTokens(1_234)], ['12.345', '1,2 giây', '1,2K']);
    assert.deepEqual([countOf(1, 'request'), countOf(1_234, 'request'), countOf(2, 'attempt')], ['1 yêu cầu', '1.234 yêu cầu', '2 lần thử']);
    assert.equal(formatMicroUsd(1_234_560_000), '$1,234.56');
  });

  it('keep the marks of what is estimated and unknown', () => {
    assert.equal(formatSpend(totals), '~$1,234.56+');
    assert.deepEqual(certaintyNotes(totals), ['~ trong đó $1.00 là ước tính', '+ 2 lần thử không rõ chi phí']);
    assert.equal(formatCost({ certainty: 'unknown' }), 'không rõ');
    assert.equal(speakMoney({ microUsd: 1_370_000, estimated: true, unknown: 1 }), 'khoảng 1.37 đô la cộng chi phí không rõ');
    assert.deepEqual(tokenFigures({}).map(({ label, exact }) => [label, exact]), [['Đầu vào mới', 'không rõ'], ['Từ bộ nhớ đệm', 'không rõ'], ['Đầu ra', 'không rõ']]);
  });

  it('are all of the Spend page', () => {
    const group = { name: 'north', ...totals };
    const page = buildSpendPage({
      period: 'week', chartSlots: 7, hasProviders: true, style: { locale: currentLanguage(), timeZone: 'UTC' }, chartDays: [{ day: '2026-11-27', ...totals }],
      report: { range: { from: 0, to: 1 }, totals, byEndpoint: [group], byModel: [], byTool: [], byWorkspace: [], byDay: [{ day: '2026-11-27', ...totals }] },
    });
    assert.deepEqual(page.sections.map(({ title, rows }) => [title, rows[0]?.detail]), [['Theo nhà cung cấp', '1.234 yêu cầu · 2 lần thử không rõ chi phí · 13K token']]);
    assert.deepEqual([page.chart?.title, page.chart?.lastLabel, page.requestsText], ['7 ngày qua', 'Hôm nay', '1.234 yêu cầu']);
  });

  it('are what the list of providers says of each', () => {
    const offers = providerOffers();
    assert.equal(offers.find(({ id }) => id === 'openai')?.description, 'GPT models, straight from OpenAI');
    const untranslated = offers.filter(({ description, said: text }) => description !== undefined && shownMessage({ message: description, said: text }) === description);
    assert.deepEqual(untranslated.map(({ id }) => id), []);
  });

  it('are what a server says of a bill and of the gaps of a route', () => {
    const style = { locale: currentLanguage(), timeZone: 'UTC' };
    const bill = compareBill({
      ours: [{ day: '2026-11-27', model: 'gpt', upstreamModel: 'gpt', requests: 2, microUsd: 10_000, estimated: 0, unknown: 1, tokens: 0, priceSources: [] }],
      attempts: [{ day: '2026-11-27', exchangeId: 'wb_1', upstreamModel: 'gpt', certainty: 'unknown', unpriced: [], crossesMidnight: false }],
      theirs: [{ day: '2026-11-27', model: 'gpt', exactUsd: 50_000_000_000_000n, requests: 3 }],
      about: { provider: 'OpenAI', endpoints: ['openai'], source: 'a file', saidSource: said('a file'), fromDay: '2026-11-27', toDay: '2026-11-27', utcOffset: 'UTC', at: Date.UTC(2026, 10, 28), offsetMs: 0 },
    });
    assert.deepEqual(buildBillPage(bill, style).days[0]?.rows[0]?.reasons.map(({ text }) => text), ['1 yêu cầu không rõ chi phí: không nằm trong tổng của sổ cái.', '1 yêu cầu không đi qua Waybill: hóa đơn có 3, sổ cái có 2.']);
    const target = { target: 'north/m', state: 'not-now' as const, note: 'north refused the connection' };
    const problem = said('"{0}" cannot serve now: {1}.', 'north/m', 'north refused the connection');
    const action = said('Add a key for "{0}".', 'north');
    const { routes } = buildDrillReportPage({ at: 0, drills: [], routes: [{
      name: 'default', kind: 'route', verdict: 'gaps', targets: [target], losses: [], gaps: [{ problem: englishOf(problem), action: englishOf(action), saidProblem: problem, saidAction: action, fix: 'add-key' }],
    }] }, style);
    assert.deepEqual([routes[0]?.targets[0]?.note, routes[0]?.gaps[0]?.problem, routes[0]?.gaps[0]?.action], ['north từ chối kết nối', '"north/m" lúc này không phục vụ được: north từ chối kết nối.', 'Hãy thêm khóa cho "north".']);
  });
});
