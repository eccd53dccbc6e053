import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestsParams } from '../../../../../server/api/messages.ts';
import type { RequestSummary } from '../../../../../server/api/receipt.ts';
import { collectRequests } from '../../../../../client/views/shared/requestsPaging.ts';

/** A ledger of exchanges that began at the given moments, newest first; never gives more than `most` at once. */
function ledger(startedAt: readonly number[], most = 1000) {
  const all = startedAt.map((at, index): RequestSummary => ({
    id: `r${index}`, startedAt: at, requestedModel: 'auto', attempts: 1, failedAttempts: 0, outcome: 'ok', totalMs: 1, usage: {}, cost: { certainty: 'unknown' }, caller: { tool: 'http' },
  })).sort((one, other) => other.startedAt - one.startedAt);
  return async (params: RequestsParams): Promise<RequestSummary[]> =>
    all.filter((request) => params.before === undefined || request.startedAt < params.before).slice(0, Math.min(params.limit, most));
}
const moments = (collected: { requests: RequestSummary[] }) => collected.requests.map((request) => request.startedAt);

test('pages are put together newest first, each exchange once', async () => {
  const collected = await collectRequests(ledger([1, 2, 3, 4, 5, 6, 7]), { limit: 100, pageSize: 3 });
  assert.deepEqual(moments(collected), [7, 6, 5, 4, 3, 2, 1]);
  assert.equal(collected.more, false);
});

test('the limit holds and says whether there is more', async () => {
  assert.deepEqual(await collectRequests(ledger([1, 2, 3]), { limit: 2, pageSize: 3 }).then(({ requests, more }) => [requests.length, more]), [2, true]);
  assert.deepEqual(await collectRequests(ledger([1, 2, 3]), { limit: 3, pageSize: 4 }).then(({ requests, more }) => [requests.length, more]), [3, false]);
});

test('exchanges that began in the same millisecond are not lost at a page’s edge', async () => {
  const collected = await collectRequests(ledger([5, 4, 4, 4, 3]), { limit: 100, pageSize: 4 });
  assert.equal(new Set(collected.requests.map(({ id }) => id)).size, 5);
});

test('a server that gives smaller pages than asked for is read to the end', async () => {
  assert.deepEqual(moments(await collectRequests(ledger([1, 2, 3, 4, 5], 2), { limit: 100, pageSize: 50 })), [5, 4, 3, 2, 1]);
});

test('a range is half-open', async () => {
  assert.deepEqual(moments(await collectRequests(ledger([1, 2, 3, 4, 5]), { limit: 100, pageSize: 2, from: 2, to: 5 })), [4, 3, 2]);
});

test('an empty ledger ends at once, and a cancelled collection asks no more', async () => {
  assert.deepEqual(await collectRequests(ledger([]), { limit: 10, pageSize: 5 }), { requests: [], more: false });
  let asked = 0;
  await collectRequests(async () => {
    asked += 1;
    return [];
  }, { limit: 10, pageSize: 5, isCancelled: () => true });
  assert.equal(asked, 0);
});
