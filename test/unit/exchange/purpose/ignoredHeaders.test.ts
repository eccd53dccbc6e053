import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ignoredHeaders } from '../../../../server/exchange/purpose/ignoredHeaders.ts';

describe('headers of Waybill with an unknown value', () => {
  it('are named with what is accepted, and without the value', () => {
    assert.deepEqual(ignoredHeaders({ 'x-waybill-kind': 'sk-cheap', 'x-waybill-role': 'Main', 'x-waybill-cache': ['use', 'off'] }), [
      'x-waybill-role has an unknown value; accepted are main, subagent, workflow, compaction, auxiliary, inline',
      'x-waybill-kind has an unknown value; accepted are low-cost, balanced, high-quality',
      'x-waybill-cache has an unknown value; accepted are use, refresh, off',
    ]);
  });

  it('are none where they say a word that is known, or nothing', () => {
    for (const headers of [undefined, {}, { 'x-waybill-kind': '' }, { 'x-waybill-kind': 'balanced ', 'x-waybill-role': 'subagent', 'x-waybill-cache': 'off' }]) assert.equal(ignoredHeaders(headers), undefined);
  });
});
