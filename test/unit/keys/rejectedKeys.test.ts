import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { KeyStateNote } from '../../../server/ledger/peerNotes.ts';
import { privateKeyFingerprints } from '../../../server/keys/keyFingerprints.ts';
import { KeyPool } from '../../../server/keys/keyPool.ts';

const minuteMs = 60_000;
const one = { id: '1', label: 'A', secret: 'first-secret-1111' };
const two = { id: '2', label: 'B', secret: 'second-secret-2222' };
const none = new Set<string>();
const anyKey = (): boolean => true;

describe('a rejected key', () => {
  let pool: KeyPool;
  let notes: KeyStateNote[];
  const fingerprint = privateKeyFingerprints();
  const made = (): KeyPool => {
    const fresh = new KeyPool({ fingerprint, onNote: note => notes.push(note) });
    fresh.configure(new Map([['e', [one, two]]]));
    return fresh;
  };
  beforeEach(() => {
    notes = [];
    pool = made();
  });
  const reject = (at: number, model?: string): void => pool.report('e', '1', 'auth', at, undefined, { model: model ?? 'm', scope: model === undefined ? 'key' : 'key-model' });

  it('is tried again after a minute, and then after twice as long each time, an hour at most', () => {
    let now = 0;
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      reject(now);
      assert.equal(pool.pick('e', none, now + minutes * minuteMs - 1), two, `${minutes} minutes`);
      now += minutes * minuteMs;
      assert.equal(pool.pick('e', none, now), one);
    }
  });

  it('is rejected no further by attempts that were under way, or that were made because nothing else could serve', () => {
    reject(0);
    for (const at of [10, 1000, 30_000]) reject(at);
    assert.equal(pool.pick('e', none, minuteMs), one);
    assert.equal(notes.length, 1);
  });

  it('is tried by one request at a time', () => {
    reject(0);
    assert.equal(pool.pick('e', none, minuteMs, undefined, 'm'), one);
    pool.taken('e', '1', 'm', minuteMs);
    assert.equal(pool.pick('e', none, minuteMs + 1, undefined, 'm'), two);
    assert.equal(pool.pick('e', none, 2 * minuteMs, undefined, 'm'), one, 'an attempt that never ends does not keep it');
    pool.report('e', '1', 'ok', minuteMs + 2, undefined, { model: 'm', startedAt: minuteMs });
    assert.equal(pool.pick('e', none, minuteMs + 3, undefined, 'm'), one);
    assert.equal(pool.status('e', minuteMs + 3)[0]?.state, 'ok');
  });

  it('is tried by the next request once a person has it forgotten, and rejected then for the first distance', () => {
    for (const at of [0, minuteMs, 3 * minuteMs]) reject(at);
    pool.taken('e', '1', 'm', 7 * minuteMs);
    pool.forgetRefusals('e', 7 * minuteMs);
    assert.equal(pool.pick('e', none, 7 * minuteMs, undefined, 'm'), one);
    assert.equal(pool.isRejected('e', '1'), true, 'nothing has shown that it works');
    reject(7 * minuteMs + 1);
    assert.equal(pool.isRejectedAgain('e', '1', 'm'), false, 'a person is told again');
    assert.equal(pool.pick('e', none, 8 * minuteMs, undefined, 'm'), two);
    assert.equal(pool.pick('e', none, 8 * minuteMs + 1, undefined, 'm'), one);
  });

  it('is known to a server that starts later as it is after a person had it forgotten; what was said later stands', () => {
    reject(0, 'm');
    pool.report('e', '1', 'rate-limit', 10, 3_600_000, { model: 'n' });
    pool.report('e', '2', 'quota', 20);
    pool.forgetRefusals('e', 20);
    assert.equal(pool.blocked('e', true, 30), undefined);
    const later = made();
    for (const note of notes) later.applyRemote(note);
    for (const each of [pool, later]) for (const model of ['m', 'n']) {
      assert.equal(each.pick('e', none, 30, undefined, model), one, model);
      assert.equal(each.pick('e', new Set(['1']), 30, undefined, model), two, model);
    }
    pool.report('e', '2', 'quota', 40);
    pool.forgetRefusals('e', 30);
    assert.equal(pool.pick('e', new Set(['1']), 50), undefined);
  });

  it('counts as good with an answer to a request that began after the rejection, and not with one from before', () => {
    reject(1000);
    pool.report('e', '1', 'ok', 2000, undefined, { model: 'm', startedAt: 500 });
    assert.equal(pool.status('e', 2000)[0]?.state, 'rejected');
    pool.report('e', '1', 'ok', 3000, undefined, { model: 'm', startedAt: 2500 });
    assert.equal(pool.status('e', 3000)[0]?.state, 'ok');
    reject(4000);
    assert.equal(pool.blocked('e', true, 5000), undefined);
    assert.equal(pool.pick('e', none, 4000 + minuteMs), one, 'the distance starts anew');
  });

  it('is used at once when nothing else can serve, the one that is due soonest first', () => {
    reject(0);
    pool.report('e', '2', 'quota', 10);
    assert.equal(pool.pick('e', none, 20), undefined);
    assert.equal(pool.pickRefused('e', none, 20, anyKey, 'm'), one);
    assert.equal(pool.pickRefused('e', new Set(['1']), 20, anyKey, 'm'), two);
    assert.equal(pool.pickRefused('e', none, 20, key => key.id === '2', 'm'), two, "the user's limits hold");
    assert.equal(pool.pickRefused('e', new Set(['1', '2']), 20, anyKey, 'm'), undefined);
  });

  it('awaits a proof a little before a request may try it', () => {
    reject(0);
    assert.equal(pool.awaitsProof('e', 44_999), undefined);
    assert.deepEqual(pool.awaitsProof('e', 45_000), { key: one, until: minuteMs });
    pool.report('e', '1', 'auth', 45_500);
    assert.equal(pool.awaitsProof('e', 46_000), undefined);
    assert.equal(pool.pick('e', none, 45_500 + 2 * minuteMs - 1), two, 'the proof failed, so the distance grew');
  });

  it('keeps its distance over a restart', () => {
    reject(0);
    reject(minuteMs);
    const restarted = made();
    for (const note of notes) restarted.applyRemote(note);
    assert.equal(restarted.pick('e', none, 3 * minuteMs - 1), two);
    assert.equal(restarted.pick('e', none, 3 * minuteMs), one);
    restarted.report('e', '1', 'auth', 3 * minuteMs, undefined, { model: 'm' });
    assert.equal(restarted.pick('e', none, 7 * minuteMs - 1), two);
    assert.ok(restarted.isRejectedAgain('e', '1', 'm'));
  });

  it('is no news when it is rejected again', () => {
    reject(0);
    assert.equal(pool.isRejectedAgain('e', '1', 'm'), false);
    reject(minuteMs);
    assert.equal(pool.isRejectedAgain('e', '1', 'm'), true);
  });

  it('may be rejected for one model alone, which peers learn, and which an answer of that model ends', () => {
    reject(0, 'gem-x');
    const peer = made();
    for (const note of notes) peer.applyRemote(note);
    for (const known of [pool, peer]) {
      assert.equal(known.pick('e', none, 10, undefined, 'gem-x'), two);
      assert.equal(known.pick('e', none, 10, undefined, 'gpt-x'), one);
      assert.equal(known.pick('e', none, 10), one, 'a probe asks for no model');
      assert.deepEqual(known.status('e', 10).map(({ state, reason }) => [state, reason]), [['unused', 'may not use gem-x'], ['unused', undefined]]);
    }
    pool.report('e', '2', 'auth', 20, undefined, { model: 'gem-x', scope: 'key-model' });
    assert.deepEqual(pool.blocked('e', true, 30, undefined, 'gem-x'), { reason: 'none of its keys may use gem-x', cause: 'auth', ofModel: true, retryAt: minuteMs });
    assert.equal(pool.blocked('e', true, 30), undefined);
    pool.report('e', '1', 'ok', 50, undefined, { model: 'gpt-x', startedAt: 40 });
    assert.equal(pool.pick('e', none, 60, undefined, 'gem-x'), undefined, 'another model proves nothing of this one');
    pool.report('e', '1', 'ok', 80, undefined, { model: 'gem-x', startedAt: 70 });
    assert.equal(pool.pick('e', none, 90, undefined, 'gem-x'), one);
    for (const note of notes) peer.applyRemote(note);
    assert.equal(peer.pick('e', none, 90, undefined, 'gem-x'), one);
  });

  it('is rejected with all keys of its account where the refusal speaks of that, and with none where it speaks of the endpoint or model', () => {
    for (const id of ['1', '2']) pool.observe('e', id, { 'anthropic-organization-id': 'org' });
    for (const scope of ['endpoint', 'model'] as const) pool.report('e', '1', 'auth', 0, undefined, { model: 'm', scope });
    assert.deepEqual(pool.status('e', 0).map(({ state }) => state), ['unused', 'unused']);
    pool.report('e', '1', 'auth', 0, undefined, { model: 'm', scope: 'account' });
    assert.deepEqual(pool.status('e', 0).map(({ state }) => state), ['rejected', 'rejected']);
  });

  it('without quota for one model has it for others', () => {
    pool.report('e', '1', 'quota', 0, undefined, { model: 'gem-x', scope: 'key-model' });
    assert.equal(pool.pick('e', none, 10, undefined, 'gem-x'), two);
    assert.equal(pool.pick('e', none, 10, undefined, 'gpt-x'), one);
    assert.equal(pool.status('e', 10)[0]?.reason, 'has no quota left for gem-x');
  });
});
