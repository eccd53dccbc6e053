import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventLog } from '../../../server/router/eventLog.ts';
import type { Log } from '../../../server/base/log.ts';
import { aReceipt, anAttempt } from '../ledger/receipts.ts';
import { endpoint } from '../client/fakes.ts';

class Lines implements Log {
  readonly lines: string[] = [];
  debug(message: string): void { this.lines.push(`debug ${message}`); }
  info(message: string): void { this.lines.push(`info ${message}`); }
  warn(message: string): void { this.lines.push(`warn ${message}`); }
  error(message: string): void { this.lines.push(`error ${message}`); }
}
const secret = 'sk-very-secret-key-0123456789';
const made = (): { events: EventLog; lines: string[] } => {
  const log = new Lines();
  return { events: new EventLog({ log, redact: text => text.replaceAll(secret, '[secret]') }), lines: log.lines };
};
const failedAttempt = anAttempt({ outcome: 'failed', failureClass: 'rate-limit', status: 429, keyLabel: 'work', keyLast4: '9f3c', message: 'You said: my secret plan', totalMs: 419.6 });

describe('the log of requests', () => {
  it('has a line for each failed attempt and one for the target that answered instead, without text of the provider or the user', () => {
    const { events, lines } = made();
    events.settled(aReceipt('x-1', { attempts: [failedAttempt, anAttempt({ number: 2, endpoint: 'claude', model: 'sonnet' })], target: 'claude/sonnet', message: 'You said: my secret plan' }), 0);
    assert.deepEqual(lines, [
      'warn Request x-1: attempt 1 at openai/gpt-4.1 failed: rate limited (429), key work …9f3c, after 420 ms.',
      'info Request x-1 for "auto": claude/sonnet answered after 1 failed attempt, in 910 ms.',
    ]);
    assert.doesNotMatch(lines.join(), /secret plan/);
  });

  it('names an unknown model, cut short, on one line and without secrets', () => {
    const { events, lines } = made();
    const unknownModel = aReceipt('x-2', { attempts: [], outcome: 'failed', failureClass: 'model-not-found' });
    events.settled({ ...unknownModel, plan: { ...unknownModel.plan, requestedModel: `no\npe ${secret}${'x'.repeat(5000)}` } }, 0);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^warn Request x-2 for "no pe \[secret\]x+…" was not sent: model not found\.$/);
    assert.ok((lines[0]?.length ?? 0) < 250);
  });

  it('names no server failure when nothing was sent', () => {
    const { events, lines } = made();
    events.settled(aReceipt('x-4', { attempts: [], outcome: 'failed', failureClass: 'server' }), 0);
    assert.match(lines[0] ?? '', / was not sent: no target can serve\.$/);
  });

  it('has no line for a request that its first attempt answered', () => {
    const { events, lines } = made();
    events.settled(aReceipt('x-3'), 0);
    assert.deepEqual(lines, []);
  });

  it('sums a flood up in one line, however many names are in it', () => {
    const { events, lines } = made();
    for (let index = 0; index < 10_000; index += 1) {
      events.settled(aReceipt(`x-${index}`, { outcome: 'failed', failureClass: 'rate-limit', attempts: [{ ...failedAttempt, endpoint: `e${index % 50}`, target: `e${index % 50}/m` }] }), index / 10);
    }
    assert.equal(lines.length, 40);
    events.tick(10_000);
    assert.equal(lines.length, 41);
    assert.match(lines[40] ?? '', /^warn More of the same in the last 10 s.*requests failed \(rate limited\): 9980/);
    assert.ok((lines[40]?.length ?? 0) < 2_000);
    events.tick(20_000);
    assert.equal(lines.length, 41, 'no further line');
  });
});

describe('the log of health and keys', () => {
  it('has a line for each change, and none while nothing changes', () => {
    const { events, lines } = made();
    const key = (state: 'ok' | 'rejected' | 'unused') => [{ id: '1', label: 'work', last4: '9f3c', state }];
    events.states([endpoint('north', { keys: key('unused') })], 0);
    events.states([endpoint('north', { keys: key('ok') })], 0);
    assert.deepEqual(lines, []);
    for (let tick = 0; tick < 5; tick += 1) events.states([endpoint('north', { condition: { kind: 'key-rejected' }, keys: key('rejected') })], tick);
    assert.deepEqual(lines, ['warn north: key rejected (before: healthy).', 'warn north: key work …9f3c was rejected by the provider.']);
    events.states([endpoint('north', { keys: key('ok') })], 10);
    assert.deepEqual(lines.slice(2), ['info north: healthy (before: key rejected).', 'info north: key work …9f3c works again.']);
    events.states([], 20);
    events.states([endpoint('north')], 30);
    assert.equal(lines.length, 4, 'an endpoint that is added again is no change');
  });

  it('has no warning about a provider that the user disabled', () => {
    const { events, lines } = made();
    events.states([endpoint('north')], 0);
    events.states([endpoint('north', { condition: { kind: 'disabled' } })], 10);
    assert.deepEqual(lines, ['info north: disabled (before: healthy).']);
  });

  it('names a problem of the settings once, until the problems change', () => {
    const { events, lines } = made();
    for (let time = 0; time < 3; time += 1) events.problems([{ message: 'The URL of "x" is wrong.' }, { message: 'y', file: '/etc/s.yaml', line: 7 }]);
    assert.deepEqual(lines, ['warn Settings: The URL of "x" is wrong.', 'warn /etc/s.yaml:7: y']);
    events.problems([]);
    events.problems([{ message: 'The URL of "x" is wrong.' }]);
    assert.equal(lines.length, 3);
  });
});
