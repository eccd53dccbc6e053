import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonMarkdown } from '../../../../../client/views/requests/comparison.ts';
import type { Receipt } from '../../../../../server/api/receipt.ts';
import { aReceipt, anAttempt, exact, noon } from '../../../ledger/receipts.ts';

const style = { locale: 'en-GB', timeZone: 'UTC' };

/** The cells of the line of a table with a name. */
function line(report: string, name: string): string[] | undefined {
  return report.split('\n').find(one => one.startsWith(`| ${name} |`))?.slice(2, -2).split(' | ').slice(1);
}

test('two requests stand side by side, with what the later one has more or less', () => {
  const one = aReceipt('x-1');
  const second = anAttempt({ number: 2, endpoint: 'relay', model: 'deepseek-v3.2', totalMs: 1_400, usage: { inputTokens: 1_500, cacheReadTokens: 0, outputTokens: 40 }, cost: exact(800) });
  const failed = anAttempt({ outcome: 'failed', failureClass: 'overloaded', status: 529, usage: {}, cost: { microUsd: 0, certainty: 'exact' } });
  const other = aReceipt('x-2', { startedAt: noon + 60_000, firstTokenMs: 760, totalMs: 2_410, attempts: [failed, second], caller: { tool: 'codex|x' } });
  const report = comparisonMarkdown(one, other, style);
  assert.deepEqual(line(report, 'Asked by'), ['claude-code (agent), for mai of team shop', 'codex\\|x', 'differs']);
  assert.deepEqual(line(report, 'Asked for'), ['`auto`', '`auto`', 'same']);
  assert.deepEqual(line(report, 'Answered by'), ['`openai/gpt-4.1`', '`relay/deepseek-v3.2`', 'differs']);
  assert.deepEqual(line(report, '**Cost**'), ['$0.0028', '$0.0008', '−$0.0020']);
  assert.deepEqual(line(report, 'First token'), ['260 ms', '760 ms', '+500 ms']);
  assert.deepEqual(line(report, 'Total time'), ['910 ms', '2.4 s', '+1.5 s']);
  assert.deepEqual(line(report, 'Fresh input tokens'), ['1,000', '1,500', '+500']);
  assert.deepEqual(line(report, 'Output tokens'), ['100', '40', '−60']);
  assert.deepEqual(line(report, 'From cache tokens'), ['0', '0', 'same']);
  assert.match(report, /\| 1\. \| `openai\/gpt-4\.1`: Answered, 900 ms, cost \$0\.0028 \| `openai\/gpt-4\.1`: Overloaded \(529\), 900 ms, cost \$0\.00 \| same \|/);
  assert.match(report, /\| 2\. \| – \| `relay\/deepseek-v3\.2`: Answered, 1\.4 s, cost \$0\.0008 \| – \|/);
  assert.match(report, /## Left out\n\n.*\n.*\n\| `local\/llama` \| The prompt is longer than its context window\. \|/);
});

test('what neither request has is no line', () => {
  const bare = (id: string): Receipt => aReceipt(id, { caller: { tool: 'codex' } });
  assert.doesNotMatch(comparisonMarkdown(bare('x-1'), bare('x-2'), style), /^\| (?:Token|Branch|Workspace|Conversation) \|/m);
  assert.match(comparisonMarkdown(bare('x-1'), aReceipt('x-2', { caller: { tool: 'codex', branch: 'main' } }), style), /^\| Branch \| – \| main \| differs \|$/m);
});

test('what is unknown, or a lower bound, has no difference', () => {
  const unknown = aReceipt('x-1', { attempts: [anAttempt({ usage: {}, cost: { certainty: 'unknown' } })] });
  const bound = aReceipt('x-2', { attempts: [anAttempt({ cost: { microUsd: 900, certainty: 'exact', unpriced: ['shell'] } })] });
  const estimated = aReceipt('x-3', { attempts: [anAttempt({ cost: { microUsd: 5_000, certainty: 'estimated' } })] });
  assert.deepEqual(line(comparisonMarkdown(unknown, estimated, style), '**Cost**'), ['unknown', '\\~$0.0050', 'unknown']);
  assert.deepEqual(line(comparisonMarkdown(unknown, estimated, style), 'Output tokens'), ['unknown', '100', 'unknown']);
  assert.deepEqual(line(comparisonMarkdown(bound, estimated, style), '**Cost**')?.[2], 'unknown');
  assert.deepEqual(line(comparisonMarkdown(aReceipt('x-4'), estimated, style), '**Cost**')?.[2], '\\~+$0.0022');
});

test('requests that were sent nowhere are compared, too', () => {
  const nowhere = (id: string) => aReceipt(id, { attempts: [], outcome: 'failed', failureClass: 'server', plan: { requestedModel: 'nope', kind: 'model', strategy: 'none', targets: [], excluded: [] } });
  assert.match(comparisonMarkdown(nowhere('x-1'), nowhere('x-2'), style), /Neither was sent to a provider\./);
});
