import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestSummary, SpendReport } from '../../../../../server/api/receipt.ts';
import { csvText } from '../../../../../server/api/reports/csv.ts';
import { requestsCsv } from '../../../../../server/api/reports/requestRows.ts';
import { spendSummaryCsv } from '../../../../../client/views/spend/spendCsv.ts';

test('cells are quoted exactly when they must be', () => {
  assert.equal(csvText([['a', 'b'], ['x,y', 'say "hi"'], ['two\nlines', ' padded '], ['plain', 5], [undefined, 0]]),
    'a,b\r\n"x,y","say ""hi"""\r\n"two\nlines"," padded "\r\nplain,5\r\n,0\r\n');
});

test('text that a spreadsheet would run is made text', () => {
  const cases: [string, string][] = [
    ['=1+1', "'=1+1"], ['+1', "'+1"], ['-1', "'-1"], ['@SUM(A1)', "'@SUM(A1)"], ['＝1', "'＝1"], ['\t=1', `"'\t=1"`], ['\r=1', `"'\r=1"`], ['  =1', `'  =1`],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`], ['a=b', 'a=b'], ['gpt-4.1', 'gpt-4.1'], ['claude/x', 'claude/x'],
  ];
  for (const [cell, text] of cases) assert.equal(csvText([[cell]]), `${text}\r\n`, JSON.stringify(cell));
});

test('every line is as wide as the first', () => {
  assert.equal(csvText([['a', 'b', 'c'], ['x']]), 'a,b,c\r\nx,,\r\n');
});

test('the summary has the total, every group and every day, with exact money and empty unknowns', () => {
  const sums = { microUsd: 1_370_001, estimatedMicroUsd: 1, unknownAttempts: 2, exchanges: 3, usage: { inputTokens: 10, outputTokens: 5 } };
  const unknown = { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 2, exchanges: 2 };
  const report: SpendReport = {
    range: { from: 0, to: 1 }, totals: sums, byEndpoint: [{ name: 'openai', ...sums }, { name: 'south', ...unknown, usage: { inputTokens: 7, cacheWriteTokens: 0, outputTokens: 3 }, incompleteUsage: ['cacheWriteTokens', 'inputTokens'] }], byModel: [{ name: 'gpt-4.1', ...sums }], byTool: [{ name: '=cmd', ...sums }],
    byWorkspace: [{ name: 'shop, "old"', ...sums }], byDay: [
      { day: '2026-11-20', microUsd: 1_370_001, estimatedMicroUsd: 1, unknownAttempts: 2, exchanges: 3 }, { day: '2026-11-21', ...unknown },
      { day: '2026-11-22', microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0, coveredAttempts: 4 },
      { day: '2026-11-23', microUsd: 5, estimatedMicroUsd: 5, unknownAttempts: 0, exchanges: 3, unpricedAttempts: 2, unpriced: ['audio tokens', 'fast mode'] },
    ],
  };
  assert.deepEqual(spendSummaryCsv(report).split('\r\n'), [
    'group,name,cost_usd,estimated_cost_usd,requests_of_unknown_cost,requests,input_tokens,cache_read_tokens,cache_write_tokens,cache_write_1h_tokens,output_tokens,reasoning_tokens,incomplete_token_columns,requests_in_part,not_in_cost,requests_covered',
    'total,,1.370001,0.000001,2,3,10,,,,5,,,0,,0',
    'provider,openai,1.370001,0.000001,2,3,10,,,,5,,,0,,0',
    'provider,south,,,2,2,7,,,,3,,input_tokens cache_write_tokens,0,,0',
    'model,gpt-4.1,1.370001,0.000001,2,3,10,,,,5,,,0,,0',
    "tool,'=cmd,1.370001,0.000001,2,3,10,,,,5,,,0,,0",
    'workspace,"shop, ""old""",1.370001,0.000001,2,3,10,,,,5,,,0,,0',
    'day,2026-11-20,1.370001,0.000001,2,3,,,,,,,,0,,0',
    'day,2026-11-21,,,2,2,,,,,,,,0,,0',
    'day,2026-11-22,0.000000,0.000000,0,0,,,,,,,,0,,4',
    'day,2026-11-23,0.000005,0.000005,0,3,,,,,,,,2,"audio tokens, fast mode",0',
    '',
  ]);
});

test('every request is a line, and an unknown cost is empty and not zero', () => {
  const request: RequestSummary = {
    id: 'r1', startedAt: Date.UTC(2026, 10, 20, 12, 0, 0, 7), requestedModel: 'auto', target: 'openai/gpt-4.1', attempts: 2, failedAttempts: 1, outcome: 'ok', totalMs: 1234.6, firstTokenMs: 500.2,
    usage: { inputTokens: 10, cacheReadTokens: 0, outputTokens: 5 }, cost: { microUsd: 4_200, certainty: 'estimated', priceSource: 'config' }, caller: { tool: 'vscode-chat', purpose: 'agent' },
  };
  const lines = requestsCsv([request, { ...request, id: 'r2', outcome: 'failed', failureClass: 'quota', target: undefined, cost: { certainty: 'unknown' } }]).split('\r\n');
  assert.equal(lines[1], '2026-11-20T12:00:00.007Z,r1,auto,openai/gpt-4.1,ok,,2,500,1235,10,0,,,5,,0.004200,estimated,config,vscode-chat,agent,,,0,,,,,');
  assert.equal(lines[2], '2026-11-20T12:00:00.007Z,r2,auto,,failed,quota,2,500,1235,10,0,,,5,,,unknown,,vscode-chat,agent,,,,,,,,');
  assert.match(requestsCsv([{ ...request, cost: { microUsd: 4_200, certainty: 'estimated', unknownParts: 1 } }]), /,estimated,,vscode-chat,agent,,,1,,,,,\r\n$/);
  assert.match(requestsCsv([{ ...request, cost: { microUsd: 4_200, certainty: 'estimated', unpriced: ['code execution', 'fast mode'] } }]), /,agent,,,0,"code execution, fast mode",,,,\r\n$/);
});
