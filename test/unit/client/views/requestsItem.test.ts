import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestSummary } from '../../../../server/api/receipt.ts';
import { buildRequestItem } from '../../../../client/views/requestsItem.ts';

const now = Date.UTC(2026, 10, 20, 14, 30);
const style = { locale: 'en-GB', timeZone: 'UTC' };
const request: RequestSummary = {
  id: 'r1', startedAt: now - 60_000, wanted: 'best-coder', target: 'openai/gpt-4.1', attempts: 1, outcome: 'ok', totalMs: 1_234, firstTokenMs: 300,
  usage: { inputTokens: 1_000, outputTokens: 200 }, cost: { microUsd: 4_200, certainty: 'exact' }, caller: { tool: 'vscode-chat', purpose: 'agent', workspace: 'shop' },
};
const build = (changes: Partial<RequestSummary> = {}) => buildRequestItem({ ...request, ...changes }, now, style);

test('a line says what was asked, who answered, when, how long and for how much', () => {
  const item = build();
  assert.equal(item.label, 'best-coder');
  assert.equal(item.description, 'openai/gpt-4.1 · 14:29 · 1.2 s · $0.0042');
  assert.deepEqual(item.icon, { id: 'pass', color: 'testing.iconPassed' });
});

test('an answer after a failed attempt looks unlike a plain answer', () => {
  const item = build({ attempts: 2, target: 'claude/claude-sonnet-4.5' });
  assert.equal(item.description, 'claude/claude-sonnet-4.5 · 14:29 · 1.2 s · $0.0042 · 2 attempts');
  assert.deepEqual(item.icon, { id: 'arrow-swap', color: 'list.warningForeground' });
  assert.equal(item.contextValue, 'request.failover');
  assert.match(item.spoken, /Answered after 1 failed attempt, by claude\/claude-sonnet-4\.5/);
});

test('a failure says why where the target would be, and its cost is unknown rather than nothing', () => {
  const item = build({ outcome: 'failed', failureClass: 'quota', target: undefined, cost: { certainty: 'unknown' } });
  assert.equal(item.description, 'Failed: no money left · 14:29 · 1.2 s · cost unknown');
  assert.equal(item.icon.id, 'error');
});

test('each outcome has its icon', () => {
  const cases: [RequestSummary['outcome'], string][] = [['cancelled', 'circle-slash'], ['interrupted', 'circle-slash'], ['open', 'sync~spin']];
  for (const [outcome, icon] of cases) assert.equal(build({ outcome }).icon.id, icon);
});

test('a running request shows no duration', () => {
  assert.equal(build({ outcome: 'open', target: undefined, cost: { certainty: 'unknown' } }).description, 'Running · 14:29 · cost unknown');
});

test('names from outside cannot write Markdown into the tooltip', () => {
  const { tooltip } = build({ wanted: '[x](command:evil) <b>', target: 'a|b\n# c' });
  assert.ok(tooltip.startsWith('**\\[x\\](command:evil) \\<b\\>**: Answered'));
  assert.ok(tooltip.includes('| Answered by | a\\|b \\# c |'));
  assert.ok(tooltip.includes('| Asked by | VS Code chat (agent) |'));
});
