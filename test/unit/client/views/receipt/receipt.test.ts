import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attempt, Receipt } from '../../../../../server/api/receipt.ts';
import { isFromReceiptPage, isReceiptState, isToReceiptPage } from '../../../../../client/views/receipt/receiptMessages.ts';
import { receiptMarkdown } from '../../../../../client/views/receipt/receiptMarkdown.ts';
import { buildReceiptPage, receiptTitle } from '../../../../../client/views/receipt/receiptModel.ts';
import { attemptTimeline } from '../../../../../client/views/receipt/receiptTimeline.ts';

const startedAt = Date.UTC(2026, 10, 20, 14, 30);
const style = { locale: 'en-GB', timeZone: 'UTC' };
const planned = (endpoint: string, model: string, upstreamModel = model) => ({ target: `${endpoint}/${model}`, endpoint, model, upstreamModel });

const failed: Attempt = {
  number: 1, ...planned('openai', 'gpt-4.1'), protocol: 'openai-chat', keyLabel: 'Work', keyLast4: 'a1b2', startedAt, headersMs: 400, totalMs: 420, status: 429,
  outcome: 'failed', failureClass: 'rate-limit', message: 'Too many requests | wait 12 s.', usage: {}, usageEstimated: false, cost: { microUsd: 0, certainty: 'exact' },
};
const answered: Attempt = {
  number: 2, ...planned('claude', 'claude-sonnet-4.5', 'claude-sonnet-4-5-20250929'), protocol: 'anthropic-messages', keyLast4: 'Zx9Q', startedAt: startedAt + 500,
  headersMs: 500, firstTokenMs: 1_000, totalMs: 1_500, status: 200, outcome: 'ok', usage: { inputTokens: 1_000, cacheReadTokens: 3_000, outputTokens: 200 }, usageEstimated: true,
  cost: { microUsd: 4_200, certainty: 'estimated', priceSource: 'genai-prices 0.1.8' },
};
const receipt: Receipt = {
  id: 'x1', inbound: 'http', protocol: 'openai-chat', stream: true, caller: { tool: 'codex', workspace: 'shop' }, startedAt, firstTokenMs: 1_500, totalMs: 2_000, outcome: 'ok',
  target: 'claude/claude-sonnet-4.5',
  plan: {
    requestedModel: 'auto_2', kind: 'route', strategy: 'priority', targets: [planned('openai', 'gpt-4.1'), planned('claude', 'claude-sonnet-4.5', 'claude-sonnet-4-5-20250929'), planned('relay', 'm')],
    excluded: [{ target: 'local/qwen', reason: 'Its context of 32,768 tokens is too small.' }],
  },
  attempts: [failed, answered], usage: answered.usage, cost: answered.cost,
};

test('a receipt says what happened to every target of the plan', () => {
  const page = buildReceiptPage(receipt, style);
  assert.equal(page.outcome, 'Answered after 1 failed attempt');
  assert.deepEqual(page.plan.targets.map(({ target, state, tone, upstream }) => [target, state, tone, upstream]), [
    ['openai/gpt-4.1', 'failed', 'failed', undefined],
    ['claude/claude-sonnet-4.5', 'answered', 'ok', 'claude-sonnet-4-5-20250929'],
    ['relay/m', 'not needed', 'stopped', undefined],
  ]);
  assert.deepEqual(page.plan.excluded, [{ target: 'local/qwen', reason: 'Its context of 32,768 tokens is too small.' }]);
});

test('the tab of a receipt says when it was and who answered, else what was asked for', () => {
  const title = (one: Receipt): string => receiptTitle(one, startedAt + 60_000, style);
  assert.equal(title(receipt), 'Receipt 14:30 · claude');
  const { target: _, ...unanswered } = receipt;
  assert.equal(title(unanswered), 'Receipt 14:30 · auto_2');
});

test('a receipt names the trace of its request, where it has one', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const factsOf = (plan: Receipt['plan']): unknown[] => buildReceiptPage({ ...receipt, plan }, style).facts.filter(({ label }) => label === 'Trace');
  assert.deepEqual(factsOf({ ...receipt.plan, trace }), [{ label: 'Trace', value: trace, isId: true }]);
  assert.deepEqual(factsOf(receipt.plan), []);
});

test('a receipt says whether a kept answer is of this memory or of what replicas keep for each other', () => {
  const said = (cache: NonNullable<Receipt['cache']>): unknown => buildReceiptPage({ ...receipt, cache }, style).facts.find(({ label }) => label === 'Response cache')?.value;
  assert.equal(said({ state: 'hit', ageMs: 90_000, of: 'x0', savedMicroUsd: 4_200 }), 'answered from memory, 1 min 30 s old; saved $0.0042; paid for by x0');
  assert.equal(said({ state: 'hit', from: 'replicas', ageMs: 90_000, of: 'x0' }), 'answered from what replicas keep for each other, 1 min 30 s old; what it saved is not known; paid for by x0');
});

test('an attempt shows its key by label and last four, its status and its times', () => {
  const [first, second] = buildReceiptPage(receipt, style).attempts;
  const facts = new Map(first?.facts.map(({ label, value }) => [label, value]));
  assert.equal(first?.outcome, 'Rate limited (429)');
  assert.equal(facts.get('Key'), 'Work …a1b2');
  assert.equal(facts.get('Headers'), '400 ms');
  assert.equal(facts.has('First token'), false);
  assert.deepEqual([first?.cost.text, second?.cost.text], ['no cost', '~$0.0042']);
  assert.equal(second?.cost.note, 'estimated · price from genai-prices 0.1.8');
  assert.equal(second?.facts.find(({ label }) => label === 'Key')?.value, 'key …Zx9Q');
  assert.equal(second?.tokensEstimated, true);
  assert.deepEqual(first?.tokens, [], 'an attempt that used nothing has no rows of unknown tokens');
});

test('an attempt whose cost is unknown never says that it cost nothing, and says which of usage and price is missing', () => {
  const lost: Attempt = { ...failed, failureClass: 'timeout', status: undefined, cost: { certainty: 'unknown' } };
  const unpriced: Attempt = { ...answered, cost: { certainty: 'unknown' } };
  const page = buildReceiptPage({ ...receipt, attempts: [lost, unpriced], cost: { certainty: 'unknown' } }, style);
  assert.deepEqual(page.attempts.map(({ cost }) => [cost.text, cost.note]), [
    ['unknown', 'what it used is not known'], ['unknown', 'no price is known for claude/claude-sonnet-4.5'],
  ]);
  assert.deepEqual(page.cost, { text: 'unknown', note: 'no price is known for claude/claude-sonnet-4.5' });
  assert.equal(page.unpriced, 'claude/claude-sonnet-4.5', 'whose price can be set from here');
  assert.equal(buildReceiptPage({ ...receipt, attempts: [lost] }, style).unpriced, undefined, 'a price would not help');
  assert.ok(isFromReceiptPage({ type: 'setPrices', target: 'relay/m' }));
  assert.ok(!isFromReceiptPage({ type: 'setPrices' }));
});

test('a refused answer is marked in the receipt, its attempt and its target', () => {
  const page = buildReceiptPage({ ...receipt, failureClass: 'content-policy', attempts: [failed, { ...answered, failureClass: 'content-policy' }] }, style);
  assert.deepEqual([page.outcome, page.tone], ['Refused by the model after 1 failed attempt', 'stopped']);
  assert.deepEqual([page.attempts[1]?.outcome, page.attempts[1]?.tone], ['Refused by the model', 'stopped']);
  assert.deepEqual([page.plan.targets[1]?.state, page.plan.targets[1]?.tone], ['refused', 'stopped']);
});

test('an attempt that met a fire drill says so', () => {
  const page = buildReceiptPage({ ...receipt, attempts: [{ ...failed, drill: true }, answered] }, style);
  assert.deepEqual(page.attempts.map(({ drill }) => drill), [true, false]);
  assert.match(receiptMarkdown(page), /Rate limited \(429\) \(fire drill\)/);
});

test('targets that were never reached are not called unneeded when the exchange failed', () => {
  const page = buildReceiptPage({ ...receipt, outcome: 'failed', failureClass: 'rate-limit', target: undefined, attempts: [failed] }, style);
  assert.deepEqual(page.plan.targets.map(({ state }) => state), ['failed', 'not tried', 'not tried']);
  assert.equal(page.outcome, 'Failed: rate limited');
});

test('the time line places attempts one after the other within the exchange', () => {
  assert.deepEqual(attemptTimeline(answered, startedAt, 2_000), {
    left: 0.25, width: 0.75, phases: [{ phase: 'headers', width: 0.25 }, { phase: 'first-token', width: 0.25 }, { phase: 'answer', width: 0.25 }],
  });
});

test('an attempt that never saw headers is one phase, and bad clocks cannot leave the lane', () => {
  assert.deepEqual(attemptTimeline({ startedAt, totalMs: 1_000 }, startedAt, 2_000), { left: 0, width: 0.5, phases: [{ phase: 'headers', width: 0.5 }] });
  const early = attemptTimeline({ startedAt: startedAt - 500, headersMs: 9_000, totalMs: 1_000 }, startedAt, 1_000);
  assert.equal(early.left, 0);
  assert.ok(early.left + early.width <= 1);
  assert.ok(early.phases.reduce((sum, { width }) => sum + width, 0) <= early.width + 1e-9);
});

test('the Markdown holds the plan, the reasons, every attempt and the money', () => {
  const text = receiptMarkdown(buildReceiptPage(receipt, style));
  for (const part of [
    '# Receipt: `auto_2`',
    'Answered after 1 failed attempt by `claude/claude-sonnet-4.5`, cost ~$0.0042 (estimated · price from genai-prices 0.1.8).',
    '1. `openai/gpt-4.1`: failed\n2. `claude/claude-sonnet-4.5` (as `claude-sonnet-4-5-20250929`): answered\n3. `relay/m`: not needed',
    '- `local/qwen`: Its context of 32,768 tokens is too small.',
    '### 1. `openai/gpt-4.1`: Rate limited (429)',
    '> Too many requests \\| wait 12 s.',
    '| Tokens (estimated) | fresh input 1,000, from cache 3,000, output 200 |',
    '| Key | Work …a1b2 |',
    '| Came in through | the local endpoint, as openai-chat |',
  ]) assert.ok(text.includes(part), part);
  assert.ok(!text.includes('\n\n\n'));
});

test('ids and names stand in the Markdown as they are, so that a search for them finds them', () => {
  const id = 'wb_0mw_a1';
  const text = receiptMarkdown(buildReceiptPage({ ...receipt, id, caller: { ...receipt.caller, conversation: 'a|`b_c' } }, style));
  assert.ok(text.includes(`| Request | \`${id}\` |`), text);
  assert.ok(text.includes('| Conversation | ``a\\|`b_c`` |'), text);
  assert.ok(text.includes('Route auto_2: its targets in order'), text);
});

test('a plan says what its request was taken for, and what that put first', () => {
  const purpose = { role: 'main', kind: 'low-cost', why: 'it asks for a summary', entry: 'byKind.low-cost', first: 'cheap' } as const;
  const text = (plan: Partial<typeof receipt.plan>): string => receiptMarkdown(buildReceiptPage({ ...receipt, plan: { ...receipt.plan, ...plan } }, style));
  assert.ok(text({ purpose }).includes('Route auto_2: cheap first (byKind.low-cost), because it asks for a summary.'), text({ purpose }));
  assert.ok(text({ purpose, why: 'sticky: b is its place' }).includes('because it asks for a summary; sticky: b is its place.'));
  assert.ok(text({ purpose: { role: 'main', kind: 'balanced', why: 'w' } }).includes('Route auto_2: its targets in order'));
});

test('a plan says why its first target came first', () => {
  const why = 'weighted: openai/gpt-4.1 has 70 % of the requests';
  const text = receiptMarkdown(buildReceiptPage({ ...receipt, plan: { ...receipt.plan, strategy: 'weighted', why } }, style));
  assert.ok(text.includes(`Route auto_2, ${why}`), text);
});

test('an exchange that found no target says so', () => {
  const text = receiptMarkdown(buildReceiptPage({ ...receipt, outcome: 'failed', attempts: [], target: undefined, plan: { ...receipt.plan, targets: [] } }, style));
  assert.ok(text.includes('None: no request was sent to a provider.'));
  assert.ok(!text.includes('undefined'));
});

test('messages between receipt page and extension are checked both ways', () => {
  const message: unknown = JSON.parse(JSON.stringify({ type: 'page', page: buildReceiptPage(receipt, style) }));
  assert.equal(isToReceiptPage(message), true);
  assert.equal(isToReceiptPage({ type: 'page', page: {} }), false);
  assert.equal(isToReceiptPage({ type: 'copied', what: 'as JSON' }), true);
  assert.equal(isToReceiptPage({ type: 'copied' }), false);
  assert.equal(isFromReceiptPage({ type: 'copyFact', label: 'Request' }), true);
  assert.equal(isFromReceiptPage({ type: 'copyFact' }), false);
  assert.equal(isFromReceiptPage({ type: 'copyJson' }), true);
  assert.equal(isFromReceiptPage({ type: 'showConversation' }), true);
  assert.equal(isFromReceiptPage({ type: 'eval' }), false);
  assert.equal(isReceiptState({ id: 'x1' }), true);
  assert.equal(isReceiptState(undefined), false);
});

test('a receipt says who asked from where, and what was wanted', () => {
  const asked: Receipt = {
    ...receipt, features: 5, caller: { ...receipt.caller, branch: 'fix', extension: 'acme.helper' },
    plan: { ...receipt.plan, requirements: { tools: true, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 4_200, maxOutputTokens: 800 }, purpose: { role: 'main', kind: 'balanced', why: 'it writes code' } },
  };
  const facts = new Map(buildReceiptPage(asked, style).facts.map(({ label, value }) => [label, value]));
  assert.deepEqual(['Extension', 'Branch', 'Wanted'].map(label => facts.get(label)), ['acme.helper', 'fix', 'balanced work (it writes code), a prompt of at least 4,200 tokens, an answer of at most 800 tokens, tools, documents']);
  assert.equal(buildReceiptPage(receipt, style).facts.some(({ label }) => label === 'Wanted'), false, 'nothing is said where nothing was recorded');
});

test('a receipt does not say that a budget had too little left where it stopped a request for a price that is not known', () => {
  const said = (unpriced?: true): string | undefined => {
    const budgets: Receipt['plan']['budgets'] = [{ name: 'daily', period: 'day', per: 'everything', limitMicroUsd: 5_000_000, leftMicroUsd: 4_000_000, resetsAt: startedAt, did: 'stopped', ...(unpriced === undefined ? {} : { unpriced }) }];
    return buildReceiptPage({ ...receipt, plan: { ...receipt.plan, budgets } }, style).facts.find(({ label }) => label === 'Budgets')?.value;
  };
  assert.equal(said(true), 'daily: $4.00 of $5.00 a day was left, no target with a known price was there');
  assert.equal(said(), 'daily: $4.00 of $5.00 a day was left, nothing that fits was there');
});
