import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CanaryStatus } from '../../../../../server/api/canary.ts';
import type { Plan } from '../../../../../server/api/receipt.ts';
import type { TryRouteParams, TryRouteResult } from '../../../../../server/api/routes/tryRoute.ts';
import { dryRunLines, sizeText, type DryRunLines } from '../../../../../client/commands/routes/dryRunLines.ts';

const params: TryRouteParams = { requestedModel: 'best', inputTokens: 40_000, tools: false, images: false };
const planned = (...names: string[]): Plan['targets'] => names.map(target => ({ target, endpoint: target.split('/')[0] ?? '', model: 'm', upstreamModel: 'm' }));

function lines(plan: Partial<Plan>, expectedMicroUsd: (number | null)[] = [], changes: Partial<TryRouteParams> = {}, canary?: CanaryStatus, outcome?: TryRouteResult['outcome']): DryRunLines {
  return dryRunLines({ ...params, ...changes }, { plan: { requestedModel: 'best', kind: 'route', route: 'best', strategy: 'priority', targets: [], excluded: [], ...plan }, expectedMicroUsd, outcome }, canary);
}

describe('what a dry run of a request shows', () => {
  it('is the order of the targets, each with its expected cost', () => {
    const { why, targets, leftOut } = lines({ targets: planned('a/m', 'b/m', 'c/m') }, [12_300, null, 0]);
    assert.equal(why, 'It would go to a/m, the first that can serve it.');
    assert.deepEqual(targets, [
      { label: '1. a/m', description: 'is asked first · about $0.0123' }, { label: '2. b/m', description: 'takes over when those before fail · cost unknown' }, { label: '3. c/m', description: 'takes over when those before fail · about $0.00' },
    ]);
    assert.deepEqual(leftOut, []);
  });

  it('is why the first comes first: the strategy, what the request is for, a running canary', () => {
    assert.equal(lines({ targets: planned('a/m'), why: 'cheapest: about $0.01' }).why, 'It would go to a/m (cheapest: about $0.01).');
    const purpose = { role: 'subagent', kind: 'balanced', why: 'that was chosen for the dry run', entry: 'byRole.subagent', first: 'cheap' } as const;
    assert.equal(lines({ targets: planned('a/m'), purpose }).why, 'It would go to a/m (byRole.subagent leads to cheap).');
    assert.equal(lines({ targets: planned('a/m'), purpose, why: 'in turn' }).why, 'It would go to a/m (byRole.subagent leads to cheap; in turn).');
    const canary: CanaryStatus = { route: 'best', phase: 'running', stage: 1, stages: [5, 100], share: 5, verdict: 'no-data', message: 'not enough data' };
    assert.deepEqual(lines({ targets: planned('a/m') }, [], {}, canary).notes, [{ label: '$(beaker) Canary', description: '5 % of conversations go there first' }]);
    assert.deepEqual(lines({ targets: planned('a/m', 'b/m'), why: 'in turn' }).targets.map(({ detail }) => detail), ['in turn', undefined]);
    assert.equal(lines({ targets: planned('a/m') }, [], {}, canary).why, 'It would go to a/m, the first that can serve it. 5 % of conversations go to the canary first.');
  });

  it('says that Waybill would refuse the request and why, or what happens instead, where no target would be asked', () => {
    const of = (outcome: TryRouteResult['outcome']): unknown[] => {
      const { why, notes } = lines({ excluded: [{ target: 'a/m', reason: 'it cannot call tools' }] }, [], {}, undefined, outcome);
      return [why, ...notes];
    };
    const { targets, leftOut } = lines({ excluded: [{ target: 'a/m', reason: 'it cannot call tools' }] });
    assert.deepEqual([targets, leftOut], [[], [{ label: '$(circle-slash) a/m', description: 'it cannot call tools' }]]);
    assert.deepEqual(of({ kind: 'refused', why: 'no target can serve it: a/m, because it cannot call tools.' }), [
      'Waybill would refuse it and send nothing.', { label: '$(error) Refused by Waybill', description: '', detail: 'No target can serve it: a/m, because it cannot call tools.' },
    ]);
    assert.deepEqual(of({ kind: 'asks', why: 'It costs $2.', button: 'Allow $1 More' }), [
      'Waybill would send nothing before you answer in the chat.', { label: '$(question) Asks in the chat', description: '"Allow $1 More"; other tools are refused', detail: 'It costs $2.' },
    ]);
    assert.deepEqual(of({ kind: 'waits', target: 'a/m' }), ['It would wait: every target is kept away now.', { label: '$(clock) Waits', description: '', detail: 'a/m is asked as soon as it is available, or all the same where the wait is long.' }]);
    assert.deepEqual(of({ kind: 'waits-for-limit', target: 'a/m' }), ['Waybill would hold it back, and refuse it if that takes too long.', { label: '$(clock) Waits', description: '', detail: 'A limit that you set keeps a/m away now.' }]);
  });

  it('says in its title what was tried', () => {
    assert.equal(sizeText(40_000), '40K tokens');
    assert.equal(lines({}).title, 'Dry Run of "best": 40K tokens');
    assert.equal(lines({}, [], { tools: true }).title, 'Dry Run of "best": 40K tokens, with tools');
    assert.equal(lines({}, [], { tools: true, images: true, inputTokens: 0 }).title, 'Dry Run of "best": 0 tokens, with tools and images');
  });
});
