import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { billPeriods } from '../../../../../client/commands/bill/reconcileSteps.ts';
import { billCsv } from '../../../../../client/views/bill/billExport.ts';
import { isFromBillPage, isToBillPage } from '../../../../../client/views/bill/billMessages.ts';
import { buildBillPage } from '../../../../../client/views/bill/billModel.ts';
import type { BillReport } from '../../../../../server/api/bill.ts';
import { englishOf, said, type Said } from '../../../../../server/api/localization/said.ts';

const sentence = (text: Said): { text: string; said: Said } => ({ text: englishOf(text), said: text });
const known = { oursEstimated: 0, oursUnknown: 0 };

const report: BillReport = {
  provider: 'OpenAI', endpoints: ['main', 'europe'], source: 'the cost API of OpenAI', saidSource: said('the cost API of {0}', 'OpenAI'), fromDay: '2026-11-20', toDay: '2026-11-21', utcOffset: 'UTC', at: Date.UTC(2026, 10, 22, 12),
  totals: { oursMicroUsd: 12_000, oursEstimated: 1, oursUnknown: 1, theirsMicroUsd: 468_000, differenceMicroUsd: 456_000 },
  lines: [
    { day: '2026-11-21', model: 'gpt-4.1', oursMicroUsd: 6_000, ...known, theirsMicroUsd: 6_000, differenceMicroUsd: 0, ourRequests: 1, theirRequests: 1, ourTokens: 1500, theirTokens: 1500, reasons: [] },
    {
      day: '2026-11-20', model: '=gpt,5', oursMicroUsd: 6_000, oursEstimated: 1, oursUnknown: 1, theirsMicroUsd: 462_000, differenceMicroUsd: 456_000, ourRequests: 2, theirRequests: 3, ourTokens: 3000, theirTokens: 4500,
      reasons: [
        { kind: 'unknown-cost', ...sentence(said('1 request of unknown cost: it is not in the sum of the ledger.')), exchanges: ['wb_1'] },
        { kind: 'outside', ...sentence(said('{0} did not go through Waybill: the bill has {1}, the ledger {2}.', said('1 request'), 3, 2)) },
      ],
    },
    { day: '2026-11-20', model: 'web search', oursMicroUsd: 0, ...known, theirsMicroUsd: -20, differenceMicroUsd: -20, ourRequests: 0, reasons: [] },
  ],
};

describe('a bill beside the ledger', () => {
  it('is drawn day by day, with signs, and with what explains each difference', () => {
    const page = buildBillPage(report, { locale: 'en-US', timeZone: 'UTC' });
    assert.equal(page.title, 'Bill of OpenAI');
    assert.equal(page.verdict, '1 of 3 lines differ; the bill is ~$0.46 higher than the ledger.');
    assert.deepEqual([page.ours, page.theirs, page.difference, page.isSame], ['~$0.0120+', '$0.47', '~+$0.46', false]);
    assert.match(page.made, /^2026-11-20 to 2026-11-21 \(days in UTC\) · main, europe · from the cost API of OpenAI · /);
    assert.deepEqual(page.days.map(({ rows }) => rows.map(({ model, difference, detail, isSame }) => [model, difference, detail, isSame])), [
      [['gpt-4.1', '$0.00', '1 request · 1.5K tokens', true]],
      [['=gpt,5', '~+$0.46', '2 requests, billed 3 · 3.0K tokens, billed 4.5K', false], ['web search', '−<$0.0001', '', true]],
    ]);
    assert.deepEqual(page.days[1]?.rows[0]?.reasons[0], { text: '1 request of unknown cost: it is not in the sum of the ledger.', exchanges: ['wb_1'] });
    assert.ok(isToBillPage({ type: 'page', page }));
  });

  it('has no figure and no difference where nothing of the ledger is known', () => {
    const [first] = report.lines;
    assert.ok(first !== undefined);
    const line = { ...first, oursMicroUsd: 0, oursUnknown: 1, differenceMicroUsd: 6_000, reasons: [{ kind: 'unknown-cost' as const, ...sentence(said('1 request of unknown cost: it is not in the sum of the ledger.')) }] };
    const page = buildBillPage({ ...report, totals: line, lines: [line] }, { locale: 'en-US' });
    assert.deepEqual([page.ours, page.theirs, page.difference, page.verdict], ['unknown', '$0.0060', 'unknown', '1 of 1 lines differ; the cost in the ledger is unknown.']);
    assert.deepEqual(page.days[0]?.rows.map(({ ours, difference }) => [ours, difference]), [['unknown', 'unknown']]);
  });

  it('says that both agree, and that there is nothing', () => {
    const style = { locale: 'en-US' };
    assert.equal(buildBillPage({ ...report, lines: report.lines.slice(0, 1) }, style).verdict, 'Bill and ledger agree on every day and model.');
    assert.equal(buildBillPage({ ...report, lines: [] }, style).verdict, 'Neither the bill nor the ledger has anything in these days.');
  });

  it('is exported with every micro-dollar, and no name runs as a formula', () => {
    assert.deepEqual(billCsv(report).split('\r\n'), [
      'day,model,ours_usd,theirs_usd,difference_usd,our_requests,their_requests,our_tokens,their_tokens,reasons,requests',
      'total,,0.012000,0.468000,0.456000,,,,,,',
      '2026-11-21,gpt-4.1,0.006000,0.006000,0.000000,1,1,1500,1500,,',
      '2026-11-20,"\'=gpt,5",0.006000,0.462000,0.456000,2,3,3000,4500,"1 request of unknown cost: it is not in the sum of the ledger. 1 request did not go through Waybill: the bill has 3, the ledger 2.",wb_1',
      '2026-11-20,web search,0.000000,-0.000020,-0.000020,0,,,,,',
      '',
    ]);
  });

  it('has a page that may ask for few things', () => {
    for (const message of [{ type: 'ready' }, { type: 'export' }, { type: 'again' }, { type: 'open', exchange: 'wb_1' }]) assert.ok(isFromBillPage(message));
    for (const message of [{ type: 'open' }, { type: 'command', command: 'x' }, null, 'ready']) assert.ok(!isFromBillPage(message));
  });

  it('is compared for days of UTC, whatever the hour here', () => {
    assert.deepEqual(billPeriods(Date.UTC(2026, 0, 1, 0, 30)).map(({ fromDay, toDay }) => [fromDay, toDay]), [
      ['2026-01-01', '2026-01-01'], ['2025-12-01', '2025-12-31'], ['2025-12-26', '2026-01-01'], ['2025-12-31', '2025-12-31'],
    ]);
  });
});
