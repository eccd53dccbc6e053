import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRequestFilter, requestFilterFields } from '../../../server/api/reports/requestFilter.ts';

describe('a filter of requests from outside', () => {
  it('is read from a message and from the parameters of a query alike', () => {
    const filter = { fromMs: 1, toMs: 2, endpoint: 'a', provider: 'b', model: 'c', route: 'd', tool: 'e', workspace: 'f', branch: 'g', conversation: 'h', purpose: 'i', kind: 'l', extension: 'j', token: 'm', user: 'n', team: 'o', part: 'hedge', notRecorded: ['conversation'], outcome: 'failed', minCostMicroUsd: 0, text: 'k' };
    assert.deepEqual(Object.keys(filter).sort(), [...requestFilterFields].sort());
    assert.deepEqual(readRequestFilter(filter), filter);
    assert.deepEqual(readRequestFilter(Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, String(value)]))), filter);
  });

  it('leaves out what is empty or no part of it', () => {
    assert.deepEqual(readRequestFilter({ tool: '', fromMs: '', outcome: null, limit: 5 }), {});
  });

  it('says what cannot be read', () => {
    for (const [given, field] of [[{ tool: 5 }, 'tool'], [{ fromMs: 'soon' }, 'fromMs'], [{ minCostMicroUsd: -1 }, 'minCostMicroUsd'], [{ outcome: 'fine' }, 'outcome'], [{ part: 'whole' }, 'part'], [{ notRecorded: ['tool'] }, 'notRecorded'], [{ text: 'x'.repeat(301) }, 'text']] as const) {
      const read = readRequestFilter(given);
      assert.ok(typeof read === 'string' && read.includes(field), String(read));
    }
  });
});
