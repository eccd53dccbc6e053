import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestSummary } from '../../../../../server/api/receipt.ts';
import { buildRequestItem } from '../../../../../client/views/requests/requestsItem.ts';

const now = Date.UTC(2026, 10, 20, 14, 30);
const style = { locale: 'en-GB', timeZone: 'UTC' };
const request: RequestSummary = {
  id: 'r1', startedAt: now - 60_000, requestedModel: 'best-coder', target: 'openai/gpt-4.1', attempts: 1, failedAttempts: 0, outcome: 'ok', totalMs: 1_234, firstTokenMs: 300,
  usage: { inputTokens: 1_000, outputTokens: 200 }, cost: { microUsd: 4_200, certainty: 'exact' }, caller: { tool: 'vscode-chat', purpose: 'agent', workspace: 'shop' },
};
const build = (changes: Partial<RequestSummary> = {}) => buildRequestItem({ ...request, ...changes }, now, style);

test('a line says when who asked, which model answered, for how much and how fast; the rest is in the tooltip', () => {
  const item = build();
  assert.equal(item.label, '14:29 Chat');
  assert.equal(item.description, 'gpt-4.1 · $0.0042 · 1.2 s');
  assert.match(item.tooltip, /\| Asked for \| best-coder \|\n\| Answered by \| openai\/gpt-4\.1 \|/);
  assert.match(item.tooltip, /\| Started \| 20 Nov 2026, 14:29:00 \|/);
  assert.match(build({ target: 'relay/meta/llama-4' }).description, /^meta\/llama-4 · /);
  assert.deepEqual(item.icon, { id: 'hubot', color: 'testing.iconPassed' });
  assert.equal(build({ caller: { tool: 'codex' } }).icon.id, 'pass');
  assert.equal(build({ caller: { tool: 'codex', purpose: 'inline' } }).icon.id, 'edit');
});

test('an answer after a failed attempt looks unlike a plain answer', () => {
  const item = build({ attempts: 2, failedAttempts: 1, target: 'claude/claude-sonnet-4.5' });
  assert.equal(item.description, 'claude-sonnet-4.5 · $0.0042 · 2 attempts · 1.2 s');
  assert.deepEqual(item.icon, { id: 'arrow-swap', color: 'problemsWarningIcon.foreground' });
  assert.equal(item.contextValue, 'request.failover');
  assert.match(item.spoken, /Answered after 1 failed attempt, by claude\/claude-sonnet-4\.5/);
});

test('a line says where a kept answer came from', () => {
  assert.equal(build({ cache: { state: 'hit' } }).description, 'from memory · gpt-4.1 · $0.0042 · 1.2 s');
  assert.equal(build({ cache: { state: 'hit', from: 'replicas' } }).description, 'from replicas · gpt-4.1 · $0.0042 · 1.2 s');
});

test('an answer that declines is marked everywhere, and has no green tick', () => {
  const item = build({ failureClass: 'content-policy' });
  assert.equal(item.icon.id, 'circle-slash');
  assert.equal(item.description, 'refused · gpt-4.1 · $0.0042 · 1.2 s');
  assert.match(item.spoken, /Refused by the model/);
  assert.match(item.tooltip, /: Refused by the model/);
  assert.match(build({ failureClass: 'content-policy', attempts: 2, failedAttempts: 1 }).spoken, /Refused by the model after 1 failed attempt/);
});

test('is read out with the tool that asked, and the purpose', () => {
  assert.match(build().spoken, /, asked by VS Code chat \(agent\), /);
});

test('a failure says why, and shows no cost unless one is known', () => {
  const item = build({ outcome: 'failed', failureClass: 'quota', target: undefined, cost: { certainty: 'unknown' } });
  assert.equal(item.description, 'no money left · best-coder · 1.2 s');
  assert.equal(build({ outcome: 'failed', failureClass: 'timeout' }).description, 'timed out · gpt-4.1 · $0.0042 · 1.2 s');
  assert.equal(build({ cost: { certainty: 'unknown' } }).description, 'gpt-4.1 · – · 1.2 s');
  assert.equal(item.icon.id, 'error');
});

test('of an answer whose cost is unknown a line shows a dash, and says so where it is read out', () => {
  assert.equal(build({ attempts: 2, failedAttempts: 1, cost: { certainty: 'unknown' } }).description, 'gpt-4.1 · – · 2 attempts · 1.2 s');
  assert.match(build({ cost: { certainty: 'unknown' } }).spoken, /, cost unknown$/);
});

test('of a request that was sent to no provider it does not say that a server failed', () => {
  const item = build({ outcome: 'failed', failureClass: 'server', target: undefined, attempts: 0, cost: { microUsd: 0, certainty: 'exact' } });
  assert.equal(item.description, 'no target can serve · best-coder · 1.2 s');
  assert.match(item.spoken, /Failed: no target can serve/);
  assert.equal(build({ outcome: 'failed', failureClass: 'server', target: undefined, cost: { microUsd: 0, certainty: 'exact' } }).description, 'server error · best-coder · 1.2 s');
});

test('each outcome has its icon', () => {
  const cases: [RequestSummary['outcome'], string][] = [['cancelled', 'circle-slash'], ['interrupted', 'circle-slash'], ['open', 'sync~spin']];
  for (const [outcome, icon] of cases) assert.equal(build({ outcome }).icon.id, icon);
});

test('a running request shows for how long it has run, where, and no cost', () => {
  for (const cost of [{ certainty: 'unknown' }, { certainty: 'exact', microUsd: 0 }] as const) {
    const item = build({ outcome: 'open', target: undefined, cost });
    assert.equal(item.description, 'running · 1 min 0 s · best-coder');
    assert.equal(item.contextValue, 'request.running');
    assert.doesNotMatch(item.tooltip, /\| Cost/);
    assert.doesNotMatch(item.spoken, /\$|cost/);
  }
});

test('names from outside cannot write Markdown into the tooltip', () => {
  const { tooltip } = build({ requestedModel: '[x](command:evil) <b>', target: 'a|b\n# c' });
  assert.ok(tooltip.startsWith('**a\\|b \\# c**: Answered'));
  assert.ok(tooltip.includes('| Asked for | \\[x\\](command:evil) \\<b\\> |'));
  assert.ok(tooltip.includes('| Answered by | a\\|b \\# c |'));
  assert.ok(tooltip.includes('| Asked by | VS Code chat (agent) |'));
});

test('a request of another window says so, and cannot be cancelled from here', () => {
  const item = buildRequestItem({ ...request, outcome: 'open' }, now, style, { ofPeer: true, title: 'Fix the login bug' });
  assert.deepEqual([item.label, item.description, item.contextValue], ['14:29 Chat: Fix the login bug', 'running · 1 min 0 s · in another window · gpt-4.1', 'request.running']);
  assert.match(item.spoken, /^Fix the login bug, best-coder, Running, in another window, /);
});
