import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Admission } from '../../../server/health/healthReader.ts';
import type { KeyStateNote } from '../../../server/ledger/peerNotes.ts';
import { keyFingerprints, privateKeyFingerprints } from '../../../server/keys/keyFingerprints.ts';
import { handleOf } from '../../../server/keys/keyHandles.ts';
import { KeyPool, lastFour } from '../../../server/keys/keyPool.ts';

const hourMs = 3_600_000;
const one = { id: '1', label: 'one', secret: 'first-secret-1111' };
const two = { id: '2', label: 'two', secret: 'second-secret-2222' };
const none = new Set<string>();

describe('a pool of keys', () => {
  let pool: KeyPool;
  beforeEach(() => {
    pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
  });
  const states = (now: number): string[] => pool.status('e', now).map(key => key.state);

  it('uses the first key as long as it serves, because caches belong to an account', () => {
    for (let round = 0; round < 3; round += 1) {
      assert.equal(pool.pick('e', none, 0), one);
      pool.report('e', '1', 'ok', 0);
    }
    assert.deepEqual(states(0), ['ok', 'unused']);
    assert.equal(pool.pick('e', new Set(['1']), 0), two);
    assert.equal(pool.pick('e', new Set(['1', '2']), 0), undefined);
    assert.equal(pool.pick('nowhere', none, 0), undefined);
  });

  it('does not use a rejected key until it is replaced, shown to work, or due to be tried again', () => {
    pool.report('e', '1', 'auth', 0);
    assert.equal(pool.pick('e', none, 59_999), two);
    pool.configure(new Map([['e', [one, two]]]));
    assert.deepEqual(states(0), ['rejected', 'unused']);
    pool.configure(new Map([['e', [{ ...one, secret: 'another-secret-3333' }, two]]]));
    assert.deepEqual(states(0), ['unused', 'unused']);
    const [renewed] = pool.all('e');
    const handle = handleOf(renewed ?? assert.fail());
    pool.report('e', handle, 'auth', 0);
    pool.revive('e', handle);
    assert.deepEqual(states(0), ['ok', 'unused']);
  });

  it('cools down a key without money for an hour at least, and a limited one as long as the provider says', () => {
    pool.report('e', '1', 'quota', 0);
    pool.report('e', '2', 'rate-limit', 0, 5000);
    assert.deepEqual(states(0), ['no-money', 'cooling']);
    assert.equal(pool.pick('e', none, 4999), undefined);
    assert.equal(pool.pick('e', none, 5000), two);
    assert.equal(pool.pick('e', none, hourMs), one);
    assert.deepEqual(states(hourMs), ['ok', 'ok']);
    pool.report('e', '1', 'quota', 0, 5 * hourMs);
    assert.equal(pool.pick('e', new Set(['2']), 5 * hourMs - 1), undefined);
  });

  it('keeps the longest deadline a limited key was given', () => {
    pool.report('e', '1', 'rate-limit', 0, 60_000);
    pool.report('e', '1', 'rate-limit', 10, 1000);
    assert.equal(pool.status('e', 0)[0]?.until, 60_000);
  });

  it('does not change a key when the provider or the request is at fault', () => {
    for (const failure of ['server', 'network', 'timeout', 'overloaded', 'bad-request', 'context-overflow', 'content-policy', 'model-not-found', 'cancelled'] as const) pool.report('e', '1', failure, 0);
    assert.deepEqual(states(0), ['unused', 'unused']);
  });

  it('says why no key can be used, and until when', () => {
    assert.equal(pool.blocked('e', true, 0), undefined);
    assert.equal(pool.blocked('nowhere', false, 0), undefined);
    assert.match(pool.blocked('nowhere', true, 0)?.reason ?? '', /no key is stored/);
    pool.report('e', '1', 'auth', 0);
    pool.report('e', '2', 'rate-limit', 0, 7000);
    assert.deepEqual(pool.blocked('e', true, 0), { reason: 'every key is rate-limited, out of money or rejected', cause: 'rate-limit', retryAt: 7000 });
    pool.report('e', '2', 'auth', 0);
    assert.deepEqual(pool.blocked('e', true, 0), { reason: 'the provider rejected every key', cause: 'auth', retryAt: 60_000 });
  });

  it('shows the last four characters of a key, and nothing of a short one', () => {
    assert.equal(lastFour('abcdefgh1234'), '1234');
    assert.equal(lastFour('x'), '');
    assert.equal(lastFour('1234567'), '');
    assert.ok(!JSON.stringify(pool.status('e', 0)).includes('secret-1111'));
  });
});

describe('a clock set back', () => {
  it('ends the cooldowns of keys instead of prolonging them', () => {
    const pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
    pool.report('e', '1', 'quota', 10 * hourMs);
    pool.report('e', '2', 'rate-limit', 10 * hourMs, 60_000);
    assert.equal(pool.pick('e', none, 10 * hourMs), undefined);
    assert.equal(pool.pick('e', none, hourMs), one);
    assert.equal(pool.blocked('e', true, hourMs), undefined);
    assert.deepEqual(pool.status('e', hourMs).map(key => key.state), ['ok', 'ok']);
    pool.report('e', '2', 'rate-limit', hourMs, 60_000);
    assert.equal(pool.status('e', hourMs)[1]?.until, hourMs + 60_000);
  });
});

describe('limits and keys', () => {
  const free: Admission = { admitted: true, trial: false };
  const atLimit = (retryAt: number): Admission => ({ admitted: false, reason: 'the provider has no requests left for it for another 12 s', retryAt });
  const both = (): KeyPool => {
    const pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
    return pool;
  };

  it('skips a key that is at its limits', () => {
    const pool = both();
    assert.equal(pool.pick('e', none, 0, key => key.id !== '1'), two);
    assert.equal(pool.pick('e', none, 0, () => false), undefined);
    assert.equal(pool.blocked('e', true, 0, key => (key.id === '1' ? atLimit(12_000) : free)), undefined);
  });

  it('says when the first key is under its limit again', () => {
    const pool = both();
    assert.deepEqual(pool.blocked('e', true, 0, key => atLimit(key.id === '1' ? 30_000 : 12_000)), {
      reason: 'every key is at its limit: the provider has no requests left for it for another 12 s', cause: 'rate-limit', retryAt: 12_000,
    });
    pool.report('e', '2', 'auth', 0);
    assert.deepEqual(pool.blocked('e', true, 0, () => atLimit(30_000)), { reason: 'every key is at its limit, out of money or rejected', cause: 'rate-limit', retryAt: 30_000 });
    pool.configure(new Map([['e', [one]]]));
    assert.deepEqual(pool.blocked('e', true, 0, () => atLimit(30_000)), { reason: 'the provider has no requests left for it for another 12 s', cause: 'rate-limit', retryAt: 30_000 });
  });

  it('waits for a key until the later of its limit and its cooldown ends', () => {
    const pool = both();
    pool.report('e', '1', 'rate-limit', 0, 5000);
    pool.report('e', '2', 'auth', 0);
    assert.equal(pool.blocked('e', true, 0, () => atLimit(30_000))?.retryAt, 30_000);
    assert.equal(pool.blocked('e', true, 0, () => atLimit(2000))?.retryAt, 5000);
  });

  it('cools down a key for one model when the provider named a wait for that model', () => {
    const pool = both();
    pool.report('e', '1', 'rate-limit', 0, 5000, { model: 'big' });
    assert.equal(pool.pick('e', none, 0, undefined, 'big'), two);
    assert.equal(pool.pick('e', none, 0, undefined, 'small'), one);
    assert.equal(pool.pick('e', none, 0), two, 'for whatever model');
    assert.deepEqual(pool.status('e', 0)[0], { id: '1', label: 'one', last4: '1111', state: 'cooling', until: 5000, reason: 'rate-limited by the provider for big' });
    assert.equal(pool.pick('e', none, 5000, undefined, 'big'), one);
    pool.report('e', '1', 'rate-limit', 6000, undefined, { model: 'big' });
    assert.equal(pool.pick('e', none, 6000, undefined, 'small'), two, 'it is unknown what was meant');
  });

  it('shows a limit in words where a key is at one', () => {
    const pool = both();
    pool.report('e', '1', 'ok', 0);
    const shown = pool.status('e', 0, keyId => (keyId === '1' ? { reason: 'm: the provider has no requests left', retryAt: 9000 } : undefined));
    assert.deepEqual(shown.map(({ state, until, reason }) => ({ state, until, reason })), [
      { state: 'cooling', until: 9000, reason: 'm: the provider has no requests left' }, { state: 'unused', until: undefined, reason: undefined },
    ]);
  });

  it('does not end a cooldown early for an answer, which may be older than the refusal', () => {
    const pool = both();
    pool.report('e', '1', 'rate-limit', 0, 5000);
    pool.report('e', '1', 'ok', 10);
    assert.equal(pool.pick('e', none, 20), two);
    pool.report('e', '1', 'quota', 30);
    pool.report('e', '1', 'rate-limit', 40, 1000);
    assert.equal(pool.status('e', 50)[0]?.state, 'no-money', 'too fast proves nothing of a key without money');
    pool.report('e', '1', 'rate-limit', 60, 40 * 24 * hourMs);
    pool.report('e', '2', 'rate-limit', 60, 40 * 24 * hourMs);
    assert.equal(pool.pick('e', none, 25 * hourMs), one, 'no more than a day');
    assert.equal(pool.pick('e', new Set(['1']), 25 * hourMs), two);
  });
});

describe('accounts', () => {
  const three = { id: '3', label: 'three', secret: 'third-secret-3333' };
  const pool = (sharedLimits: boolean): KeyPool => {
    const made = new KeyPool();
    const provider = { id: 'p', name: 'P', protocol: 'openai-chat' as const, baseUrls: {}, auth: 'bearer' as const, keyRequired: true, probe: { method: 'GET' as const, path: '/', provesKey: true }, dialect: {}, sharedLimits };
    made.configure(new Map([['e', [one, two, three]]]), new Map([['e', { provider }]]));
    for (const [id, organization] of [['1', 'org-a'], ['2', 'org-a'], ['3', 'org-b']] as const) made.observe('e', id, { 'openai-organization': organization });
    return made;
  };

  it('without money are tried with none of their keys', () => {
    const made = pool(true);
    made.report('e', '1', 'quota', 0);
    assert.equal(made.pick('e', new Set(['1']), 0), three);
  });

  it('share a rate limit among their keys only where the provider counts by account', () => {
    const shared = pool(true);
    shared.report('e', '1', 'rate-limit', 0, 5000);
    assert.equal(shared.pick('e', new Set(['1']), 0), three);
    assert.equal(shared.limitAccount('e', '1'), shared.limitAccount('e', '2'));
    const apart = pool(false);
    apart.report('e', '1', 'rate-limit', 0, 5000);
    assert.equal(apart.pick('e', new Set(['1']), 0), two);
    assert.equal(apart.limitAccount('e', '1'), undefined);
  });

  it('differ by project, and a key of an unknown account has its own', () => {
    const made = pool(true);
    made.observe('e', '2', { 'openai-organization': 'org-a', 'openai-project': 'proj-2' });
    made.report('e', '1', 'quota', 0);
    assert.equal(made.pick('e', new Set(['1']), 0), two);
    const silent = new KeyPool();
    silent.configure(new Map([['e', [one, two]]]));
    silent.observe('e', '1', {});
    silent.report('e', '1', 'quota', 0);
    assert.equal(silent.pick('e', none, 0), two);
  });
});

describe('what peers share about keys', () => {
  /** Pools that share every note at once. */
  function peers(count: number): { pools: KeyPool[]; notes: KeyStateNote[] } {
    const fingerprint = privateKeyFingerprints();
    const notes: KeyStateNote[] = [];
    const pools: KeyPool[] = [];
    for (let index = 0; index < count; index += 1) {
      const pool: KeyPool = new KeyPool({ fingerprint, onNote: note => {
        notes.push(note);
        for (const other of pools) if (other !== pool) other.applyRemote(note);
      } });
      pool.configure(new Map([['e', [one, two]]]));
      pools.push(pool);
    }
    return { pools, notes };
  }
  const [a, b] = [0, 1];

  it('keeps every peer from a rejected key, whatever its label, until its secret changes', () => {
    const { pools, notes } = peers(2);
    pools[b]?.configure(new Map([['e', [{ ...one, id: 'HEADLESS', label: 'other' }, two]]]));
    pools[a]?.report('e', '1', 'auth', 1000);
    assert.equal(pools[b]?.pick('e', none, 2000), two);
    assert.equal(pools[b]?.status('e', 2000)[0]?.state, 'rejected');
    pools[b]?.configure(new Map([['e', [{ ...one, secret: 'renewed-secret-1111' }, two]]]));
    assert.equal(pools[b]?.pick('e', none, 2000)?.id, '1');
    pools[b]?.configure(new Map([['e', [one, two]]]));
    assert.equal(pools[b]?.pick('e', none, 2000), two, 'the old secret is still rejected');
    assert.ok(notes.length === 1 && !JSON.stringify(notes).includes('secret'));
  });

  it('ends at every peer when one of them proves that the key works', () => {
    const { pools } = peers(2);
    pools[a]?.report('e', '1', 'auth', 1000);
    pools[b]?.report('e', '2', 'quota', 1000);
    pools[b]?.revive('e', '1', 'test', 2000);
    pools[a]?.revive('e', '2', 'test', 2000);
    for (const pool of pools) assert.deepEqual(pool.status('e', 3000).map(key => key.state), ['ok', 'ok']);
  });

  it('includes cooldowns, of which the longest is kept', () => {
    const { pools } = peers(2);
    pools[a]?.report('e', '1', 'rate-limit', 1000, 60_000);
    pools[b]?.report('e', '1', 'rate-limit', 2000, 5000);
    pools[a]?.report('e', '2', 'rate-limit', 1000, 60_000, { model: 'big' });
    for (const pool of pools) {
      assert.equal(pool.pick('e', none, 60_000, undefined, 'small'), two);
      assert.equal(pool.pick('e', none, 60_000, undefined, 'big'), undefined);
      assert.equal(pool.pick('e', none, 61_000, undefined, 'big'), one);
    }
  });

  it('leaves out failures that a fire drill injected, and is kept when the drill is undone', () => {
    const { pools, notes } = peers(2);
    const before = pools[a]?.snapshotOf('e') ?? new Map();
    pools[a]?.report('e', '1', 'auth', 1000, undefined, { model: 'm', drill: true });
    assert.equal(pools[a]?.pick('e', none, 1000), two);
    assert.equal(pools[b]?.pick('e', none, 1000), one);
    pools[b]?.report('e', '2', 'auth', 1500);
    pools[a]?.restore('e', before);
    assert.deepEqual(pools[a]?.status('e', 2000).map(key => key.state), ['unused', 'rejected']);
    pools[a]?.report('e', '1', 'auth', 2500, undefined, { model: 'm', drill: true });
    assert.equal(pools[a]?.pick('e', none, 2500), one, 'an attempt that outlives its drill says nothing any more');
    assert.equal(notes.length, 1);
  });

  it('does not let an older note replace a newer state', () => {
    const { pools, notes } = peers(2);
    pools[a]?.report('e', '1', 'auth', 1000);
    pools[a]?.revive('e', '1', 'test', 2000);
    for (const note of notes) pools[b]?.applyRemote(note);
    for (const note of [...notes].reverse()) pools[b]?.applyRemote(note);
    assert.equal(pools[b]?.status('e', 3000)[0]?.state, 'ok');
  });
});

describe('probes of keys', () => {
  it('revive a rejected key, but no key without money, and none that the provider has just rejected', () => {
    const pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
    pool.report('e', '1', 'quota', 0);
    pool.revive('e', '1', 'probe', 1000);
    assert.equal(pool.status('e', 1000)[0]?.state, 'no-money');
    pool.report('e', '2', 'auth', 0, undefined, { model: 'm' });
    pool.revive('e', '2', 'probe', 1000);
    assert.equal(pool.status('e', 1000)[1]?.state, 'ok');
    pool.report('e', '2', 'auth', 2000, undefined, { model: 'm' });
    pool.revive('e', '2', 'probe', 30_000);
    assert.equal(pool.status('e', 30_000)[1]?.state, 'rejected', 'listing models is allowed, answering is not');
    pool.revive('e', '2', 'probe', 2000 + hourMs);
    assert.equal(pool.status('e', 2 * hourMs)[1]?.state, 'ok');
    pool.report('e', '2', 'auth', 3 * hourMs);
    pool.revive('e', '2', 'test', 3 * hourMs);
    assert.equal(pool.status('e', 3 * hourMs)[1]?.state, 'ok');
  });
});

describe('the fingerprint of a secret', () => {
  it('is the same in all peers of a data folder and in no other, and reveals nothing of the secret', () => {
    const folders = [mkdtempSync(join(tmpdir(), 'waybill-marks-')), mkdtempSync(join(tmpdir(), 'waybill-marks-'))] as const;
    try {
      const [here, there] = folders;
      const fingerprint = keyFingerprints(here)('a-very-secret-key');
      assert.match(fingerprint, /^[0-9a-f]{32}$/);
      assert.equal(keyFingerprints(here)('a-very-secret-key'), fingerprint);
      assert.notEqual(keyFingerprints(here)('a-very-secret-kez'), fingerprint);
      assert.notEqual(keyFingerprints(there)('a-very-secret-key'), fingerprint);
      const file = join(here, 'key-salt');
      assert.ok(!readFileSync(file, 'utf8').includes(fingerprint));
      if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.match(keyFingerprints(join(here, 'no', 'such', 'folder'))('x'), /^[0-9a-f]{32}$/);
    } finally {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    }
  });
});
