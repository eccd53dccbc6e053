import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dryRunText, type DryRunReport } from '../../../server/api/rules/dryRun.ts';

const cost = (microUsd: number): DryRunReport['before'] => ({ microUsd, unknown: 0 });

describe('the text of a dry run', () => {
  it('says that Waybill would have refused requests, and why', () => {
    const text = dryRunText({
      from: 0, to: 1_000, requests: 2, moved: 0, unserved: 2, before: cost(60_000), after: cost(0), assumptions: [], problems: [],
      routes: [{ name: 'coding', requests: 2, moved: 0, unserved: 2, unservedWhy: ['a/m: the endpoint is disabled (2)'], before: [{ target: 'a/m', requests: 2, cost: cost(60_000) }], after: [], moves: [] }],
    });
    assert.match(text, /Waybill would have refused 2, because no target could serve them\. The cost goes from \$0\.060 to about \$0\.$/m);
    assert.match(text, /^coding: 0 of 2 requests would have gone elsewhere, and Waybill would have refused 2\.$/m);
    assert.match(text, /^ {2}Waybill refuses: a\/m: the endpoint is disabled \(2\)$/m);
  });

  it('counts one request as one', () => {
    const after = [{ target: 'b/m', requests: 1, cost: cost(10_000) }, { target: 'c/m', requests: 2, cost: cost(20_000) }];
    const text = dryRunText({
      from: 0, to: 1_000, requests: 3, moved: 3, unserved: 0, before: cost(60_000), after: cost(30_000), assumptions: [], problems: [],
      routes: [{ name: 'coding', requests: 3, moved: 3, unserved: 0, unservedWhy: [], before: [{ target: 'a/m', requests: 3, cost: cost(60_000) }], after, moves: [] }],
    });
    assert.match(text, /^ {2}then b\/m: 1 request, \$/m);
    assert.match(text, /^ {2}then c\/m: 2 requests, \$/m);
  });
});
