import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costOf, judgeLedger, type JudgedReply } from '../../chaos/ledgerJudge.ts';
import type { LedgerAttempt, LedgerExchange } from '../../chaos/ledgerRows.ts';
import type { Counted } from '../../chaos/providerMessages.ts';

const reply: JudgedReply = { nonce: 'q1', verdict: { kind: 'right', provider: 'a' }, status: 200, target: 'a/m', exchange: 'x1' };
const counted: Counted = {
  provider: 'a', nonce: 'q1', behaviour: 'answer', status: 200, whole: true,
  usage: { input: 10, output: 4, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, reasoning: 0 },
};

function good(changes: Partial<LedgerAttempt> = {}): LedgerAttempt {
  return {
    number: 1, endpoint: 'a', outcome: 'ok', role: undefined, failureClass: undefined, message: undefined, status: 200, firstTokenMs: 5, final: true,
    inputTokens: 10, outputTokens: 4, usageEstimated: false, microUsd: costOf(10, 4), costCertainty: 'exact', ...changes,
  };
}

function exchange(attempts: LedgerAttempt[], changes: Partial<LedgerExchange> = {}): LedgerExchange {
  return { id: 'x1', nonce: 'q1', outcome: 'ok', failureClass: undefined, message: undefined, startedAt: 0, totalMs: 10, attempts, ...changes };
}

const refused = good({ endpoint: 'b', outcome: 'failed', failureClass: 'network', status: undefined, firstTokenMs: undefined, inputTokens: undefined, outputTokens: undefined, microUsd: 0 });
const violations = (exchanges: LedgerExchange[], more: Partial<JudgedReply> = {}, seen: Counted[] = [counted]): string => judgeLedger(exchanges, [{ ...reply, ...more }], seen).violations.join('\n');

describe('the judge of the ledger', () => {
  it('is content when every figure agrees', () => {
    const verdict = judgeLedger([exchange([{ ...refused, number: 1 }, good({ number: 2 })])], [reply], [counted]);
    assert.deepEqual(verdict.violations, []);
    assert.deepEqual(verdict.ledger, { attempts: 1, inputTokens: 10, outputTokens: 4, microUsd: 59 });
    assert.equal(verdict.unseen, 1);
  });

  it('rounds half a micro-dollar up, once', () => {
    // 59.1, 4.7 and 23.5 micro-dollars.
    assert.equal(costOf(10, 4), 59);
    assert.equal(costOf(2, 0), 5);
    assert.equal(costOf(10, 0), 24);
  });

  it('finds requests that are missing, and exchanges that no caller asked for', () => {
    assert.match(violations([]), /not in the ledger/);
    assert.match(violations([exchange([good()]), exchange([good()])]), /2 exchanges/);
    assert.match(violations([exchange([good()]), exchange([], { nonce: 'q2', id: 'x2' })]), /no caller asked for/);
    assert.equal(violations([], { verdict: { kind: 'cancelled' } }, []), '');
  });

  it('compares what callers received with the recorded exchanges', () => {
    assert.match(violations([exchange([good()], { outcome: 'open' })]), /says open/);
    assert.match(violations([exchange([good()])], { exchange: 'x9' }), /received the exchange x9/);
    assert.match(violations([exchange([good()])], { target: 'b/m' }), /received b\/m/);
    const failed = { verdict: { kind: 'error', message: 'x' }, status: 503 } as const;
    assert.equal(violations([exchange([refused], { outcome: 'failed', failureClass: 'network' })], failed, []), '');
    assert.match(violations([exchange([refused], { outcome: 'failed', failureClass: 'network' })], { ...failed, status: 404 }, []), /received 404, and the class is network/);
    assert.match(violations([exchange([refused], { outcome: 'failed', failureClass: 'strange' })], failed, []), /failure class is strange/);
    assert.match(violations([exchange([refused], { outcome: 'failed', failureClass: 'bad-request' })], failed, []), /no fault here means bad-request/);
    assert.match(violations([exchange([good()], { outcome: 'failed', failureClass: 'server' })], failed), /a good attempt and yet an error/);
  });

  it('counts requests of providers and attempts against each other', () => {
    assert.match(violations([exchange([good()])], {}, [counted, counted]), /saw 2 requests, the ledger has 1/);
    assert.match(violations([exchange([good()])], {}, []), /1 attempts must have reached it/);
    assert.match(violations([exchange([good(), good({ number: 2, outcome: 'failed', failureClass: 'server', costCertainty: 'estimated', usageEstimated: true })])]), /2 attempts must have reached it/);
    assert.match(violations([exchange([good()])], {}, [{ ...counted, behaviour: 'cut' }]), /1 good attempts at a, which gave 0 whole answers/);
  });

  it('compares tokens and money, exactly', () => {
    assert.match(violations([exchange([good({ outputTokens: 5, microUsd: costOf(10, 5) })])]), /sum of outputTokens is 5, the providers' is 4/);
    assert.match(violations([exchange([good({ microUsd: costOf(10, 4) + 1 })])]), /cost 60/);
    assert.match(violations([exchange([good({ costCertainty: 'estimated' })])]), /whole answer is estimated/);
    const cut = good({ number: 2, endpoint: 'c', outcome: 'failed', failureClass: 'server' });
    assert.match(violations([exchange([good(), cut])], {}, [counted, { ...counted, provider: 'c', behaviour: 'cut' }]), /broke off is exact/);
    assert.match(violations([exchange([good({ final: false })])]), /never ended/);
  });
});
