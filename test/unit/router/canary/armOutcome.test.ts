import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArmOfPlan } from '../../../../server/api/canary.ts';
import type { Attempt, Receipt } from '../../../../server/api/receipt.ts';
import { costOf, observationOf } from '../../../../server/router/canary/armOutcome.ts';

const isCanary = (target: string): boolean => target.startsWith('new');

function of(arm: ArmOfPlan['arm'], attempts: (Partial<Attempt> & Pick<Attempt, 'target' | 'outcome'>)[], more: Partial<ArmOfPlan> = {}, outcome: Receipt['outcome'] = 'ok'): Receipt {
  return { plan: { canary: { arm, share: 5, why: '', ...more } }, outcome, attempts: attempts.map(one => ({ totalMs: 9, usage: {}, cost: { certainty: 'unknown' }, ...one })) } as unknown as Receipt;
}

const fault = { outcome: 'failed', failureClass: 'server' } as const;

describe('what a request shows about its arm', () => {
  it('is an answer with its times', () => {
    assert.deepEqual(observationOf(of('canary', [{ target: 'new/m', outcome: 'ok', firstTokenMs: 3 }]), isCanary), { arm: 'canary', failed: false, answered: true, firstTokenMs: 3, totalMs: 9 });
    assert.deepEqual(observationOf(of('baseline', [{ target: 'old/m', outcome: 'ok' }]), isCanary), { arm: 'baseline', failed: false, answered: true, firstTokenMs: undefined, totalMs: 9 });
  });

  it('is a failure that the baseline took over, or failed too', () => {
    assert.deepEqual(observationOf(of('canary', [{ target: 'new/m', ...fault }, { target: 'old/m', outcome: 'ok' }]), isCanary), { arm: 'canary', failed: true, answered: false, takenOver: 'answered' });
    assert.deepEqual(observationOf(of('canary', [{ target: 'new/m', ...fault }, { target: 'old/m', ...fault }]), isCanary), { arm: 'canary', failed: true, answered: false, takenOver: 'failed' });
    assert.deepEqual(observationOf(of('canary', [{ target: 'new/m', ...fault }]), isCanary), { arm: 'canary', failed: true, answered: false, takenOver: undefined });
  });

  it('is a failure also where another target of the arm answered', () => {
    assert.deepEqual(observationOf(of('canary', [{ target: 'new/m', ...fault }, { target: 'new2/m', outcome: 'ok' }]), isCanary), { arm: 'canary', failed: true, answered: true, firstTokenMs: undefined, totalMs: 9 });
  });

  it('is nothing where the request, the caller, this machine or a drill is at fault', () => {
    for (const failureClass of ['bad-request', 'context-overflow', 'content-policy', 'local'] as const) {
      assert.equal(observationOf(of('canary', [{ target: 'new/m', outcome: 'failed', failureClass }]), isCanary), undefined, failureClass);
      assert.equal(observationOf(of('baseline', [{ target: 'old/m', outcome: 'failed', failureClass }]), isCanary), undefined, failureClass);
    }
    assert.equal(observationOf(of('canary', [{ target: 'new/m', outcome: 'cancelled' }], {}, 'cancelled'), isCanary), undefined);
    assert.equal(observationOf(of('canary', [{ target: 'new/m', outcome: 'interrupted' }]), isCanary), undefined);
    assert.equal(observationOf(of('canary', [{ target: 'new/m', ...fault, drill: true }, { target: 'old/m', outcome: 'ok' }]), isCanary), undefined);
    assert.equal(observationOf({ plan: {}, attempts: [] } as unknown as Receipt, isCanary), undefined);
  });

  it('is a failure where every target of the canary was kept away', () => {
    assert.deepEqual(observationOf(of('canary', [{ target: 'old/m', outcome: 'ok' }], { keptAway: true }), isCanary), { arm: 'canary', failed: true, answered: false, takenOver: 'answered' });
    assert.equal(observationOf(of('canary', [{ target: 'old/m', outcome: 'ok' }]), isCanary), undefined);
  });

  it('is a cost only where price and tokens are known', () => {
    const usage = { inputTokens: 600, outputTokens: 400 };
    assert.deepEqual(costOf(of('canary', [{ target: 'new/m', outcome: 'ok', usage, cost: { microUsd: 50, certainty: 'exact' } }]), isCanary), { arm: 'canary', microUsd: 50, tokens: 1000 });
    assert.equal(costOf(of('canary', [{ target: 'new/m', outcome: 'ok', usage }]), isCanary), undefined);
    assert.equal(costOf(of('canary', [{ target: 'old/m', outcome: 'ok', usage, cost: { microUsd: 50, certainty: 'exact' } }]), isCanary), undefined, 'what the baseline took over costs the canary nothing');
  });
});
