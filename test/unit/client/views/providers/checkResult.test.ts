import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockText } from '../../../../../server/api/condition.ts';
import type { Condition } from '../../../../../server/api/condition.ts';
import { checkResult } from '../../../../../client/views/providers/checkResult.ts';

const now = new Date(2026, 10, 26, 18, 0).getTime();
const found = (...conditions: Condition[]) => checkResult(conditions.map((condition, index) => ({ endpoint: ['north', 'south', 'east', 'west', 'far'][index] ?? 'x', condition })), now);

test('a check says in one sentence how many are up, which is not and why', () => {
  const cases: [Condition[], string, boolean][] = [
    [[], 'There is no enabled provider to check; add one first.', true],
    [[{ kind: 'healthy' }], 'north: healthy.', true],
    [[{ kind: 'rate-limited', until: now + 300_000 }], `north: rate-limited, back at ${clockText(now + 300_000, now, 'up')}.`, false],
    [[{ kind: 'healthy' }, { kind: 'healthy' }], 'All 2 providers are up.', true],
    [[{ kind: 'healthy' }, { kind: 'degraded', why: 'rate limited' }], 'All 2 providers are up; south: degraded (rate limited).', true],
    [[{ kind: 'healthy' }, { kind: 'down', why: 'network error' }, { kind: 'healthy' }], '2 of 3 providers up; south: down (network error).', false],
    [[{ kind: 'down' }, { kind: 'down' }, { kind: 'down' }, { kind: 'down' }, { kind: 'healthy' }], '1 of 5 providers up; north: down; south: down; east: down; the Providers view shows 1 more.', false],
  ];
  for (const [conditions, text, allUp] of cases) assert.deepEqual([found(...conditions).text, found(...conditions).allUp], [text, allUp]);
});

test('a rejected key comes with the button that replaces it', () => {
  assert.deepEqual(found({ kind: 'healthy' }, { kind: 'key-rejected' }).action, { title: 'Replace Key…', command: 'waybill.replaceKey', endpoint: 'south' });
  assert.equal(found({ kind: 'healthy' }).action, undefined);
});
