import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { silentLog } from '../../../../server/base/log.ts';
import type { LimitStore, LimitTransaction } from '../../../../server/ledger/limitStore.ts';
import { createRateLimiter } from '../../../../server/limits/rateLimiter.ts';
import { SharedLimits } from '../../../../server/limits/sharedLimits.ts';
import { createLimitStore } from '../../../../server/ledger/sqlite/limitsDatabase.ts';
import { InMemoryLimits } from '../../limits/inMemoryLimitStore.ts';
import { rateRequest } from '../../limits/rateRequest.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-limits-'));
const stores: LimitStore[] = [];
after(() => {
  for (const store of stores) store.close();
  rmSync(root, { recursive: true, force: true });
});

const clock = { now: Date.UTC(2026, 0, 1) };

function newFolder(): string {
  return mkdtempSync(join(root, 'data-'));
}

function open(dataDir: string, id: string, said: string[] = []): LimitStore {
  const store = createLimitStore({
    dataDir, instanceId: id, clock: { now: () => clock.now }, log: { ...silentLog, error: message => void said.push(message), warn: message => void said.push(message) },
  });
  stores.push(store);
  return store;
}

function run<Value>(store: LimitStore, work: (transaction: LimitTransaction) => Value): Value {
  const outcome = store.transact(work);
  assert.ok(outcome.done, 'the store should take it');
  return outcome.value;
}

const kinds: Record<string, () => (id: string) => LimitStore> = {
  'in memory': () => {
    const limits = new InMemoryLimits();
    return id => limits.of(id);
  },
  'in a file': () => {
    const folder = newFolder();
    return id => open(folder, id);
  },
};

for (const [kind, make] of Object.entries(kinds)) {
  describe(`a store of limits ${kind}`, () => {
    test('sums up what members used, by scope and second, and takes back', () => {
      const of = make();
      const [one, other] = [of('one'), of('other')];
      run(one, store => {
        store.add('a', 100, 1, 50);
        store.add('a', 101, 1, 60);
        store.add('b', 100, 7, 7);
      });
      run(other, store => {
        store.add('a', 101, 1, 5);
        store.add('a', 100, 0, -20);
      });
      assert.deepEqual(run(one, store => store.used('a', 100)), { requests: 3, tokens: 95 });
      assert.deepEqual(run(one, store => store.used('a', 101)), { requests: 2, tokens: 65 });
      assert.deepEqual(run(one, store => store.used('nothing', 0)), { requests: 0, tokens: 0 });
      assert.deepEqual(run(other, store => store.seconds('a', 0)), [{ second: 100, requests: 1, tokens: 30 }, { second: 101, requests: 2, tokens: 65 }]);
    });

    test('forgets old entries and moves entries back that a clock set back left in the future', () => {
      const store = make()('one');
      run(store, it => {
        for (const second of [10, 20, 30, 40]) it.add('a', second, 1, second);
        it.forget(20, 25);
      });
      assert.deepEqual(run(store, it => it.seconds('a', 0)), [{ second: 20, requests: 1, tokens: 20 }, { second: 25, requests: 2, tokens: 70 }]);
    });

    test('counts running requests of members that run, and none of others', () => {
      const of = make();
      const [one, other] = [of('one'), of('other')];
      run(one, store => store.setRunning('a', 3));
      assert.equal(run(other, store => store.runningElsewhere('a')), 0);
      assert.equal(run(one, store => store.beat(clock.now, false)), false);
      assert.equal(run(one, store => store.beat(clock.now, false)), true);
      assert.equal(run(other, store => store.runningElsewhere('a')), 3);
      assert.equal(run(one, store => store.runningElsewhere('a')), 0);
      run(one, store => store.setRunning('a', 1));
      assert.equal(run(other, store => store.runningElsewhere('a')), 1);
      run(one, store => store.setRunning('a', 0));
      assert.equal(run(other, store => store.runningElsewhere('a')), 0);
      run(one, store => store.setRunning('a', 2));
      run(other, store => store.remove('one'));
      assert.equal(run(other, store => store.runningElsewhere('a')), 0);
    });

    test('knows which members run, and whether one is alone', () => {
      const of = make();
      const [one, other] = [of('one'), of('other')];
      run(one, store => store.beat(clock.now, true));
      assert.deepEqual(run(other, store => store.others(clock.now)), [{ id: 'one', alone: true, alive: true }]);
      assert.equal(run(other, store => store.anotherIsAlone(clock.now)), true);
      assert.equal(run(one, store => store.anotherIsAlone(clock.now)), false);
      assert.equal(run(other, store => store.anotherIsAlone(clock.now + 16_000)), false);
      assert.equal(run(other, store => store.others(clock.now + 16_000))[0]?.alive, false);
      assert.equal(run(other, store => store.others(clock.now - 3_600_000))[0]?.alive, true);
      run(one, store => store.remove());
      assert.deepEqual(run(other, store => store.others(clock.now)), []);
    });
  });
}

test('no file is created before it is needed, and then it is readable by its owner only', () => {
  const folder = newFolder();
  const store = open(folder, 'one');
  assert.deepEqual(readdirSync(folder), []);
  run(store, it => it.beat(clock.now, false));
  if (process.platform === 'win32') return;
  assert.equal(statSync(join(folder, 'limits')).mode & 0o777, 0o700);
  for (const name of readdirSync(join(folder, 'limits'))) assert.equal(statSync(join(folder, 'limits', name)).mode & 0o777, 0o600, name);
});

test('a process that has ended counts as not alive at once', async () => {
  const folder = newFolder();
  const one = open(folder, 'one');
  run(one, store => store.beat(clock.now, true));
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const database = new DatabaseSync(join(folder, 'limits', 'counts.db'));
  database.prepare('UPDATE members SET pid = ?').run(child.pid ?? 0);
  database.close();
  assert.deepEqual(run(open(folder, 'other'), store => store.others(clock.now)), [{ id: 'one', alone: true, alive: false }]);
});

test('an earlier process with the id of this one has ended; the heartbeat of this one is not written each second', () => {
  const folder = newFolder();
  const one = open(folder, 'one');
  run(one, store => store.beat(clock.now, false));
  const database = new DatabaseSync(join(folder, 'limits', 'counts.db'));
  const seenAt = (): unknown => database.prepare('SELECT seen_at FROM members').get()?.['seen_at'];
  run(one, store => store.beat(clock.now + 1000, false));
  assert.equal(seenAt(), clock.now);
  run(one, store => store.beat(clock.now + 5000, false));
  assert.equal(seenAt(), clock.now + 5000);
  run(one, store => store.beat(clock.now + 5001, true));
  assert.equal(seenAt(), clock.now + 5001);
  database.exec('UPDATE members SET started_at = started_at - 1');
  database.close();
  assert.equal(run(open(folder, 'other'), store => store.others(clock.now))[0]?.alive, false);
});

test('a failed transaction leaves nothing behind, and the next one does not find the store locked', () => {
  const store = open(newFolder(), 'one');
  const outcome = store.transact(it => {
    it.add('a', 1, 1, 1);
    it.add('a', 2, 1, 0.5);
  });
  assert.equal(outcome.done, false);
  clock.now += 2000;
  assert.deepEqual(run(store, it => it.used('a', 0)), { requests: 0, tokens: 0 });
});

test('while another process writes, the store says so and does not wait for it', () => {
  const folder = newFolder();
  const said: string[] = [];
  const store = open(folder, 'one', said);
  run(store, it => it.add('a', 1, 1, 1));
  const other = new DatabaseSync(join(folder, 'limits', 'counts.db'));
  other.exec('BEGIN IMMEDIATE');
  const before = performance.now();
  for (let index = 0; index < 10; index += 1) assert.deepEqual(store.transact(() => 1), { done: false, busy: true });
  assert.ok(performance.now() - before < 2000, 'a statement waits a few milliseconds, not the seconds that are usual');
  other.exec('ROLLBACK');
  other.close();
  assert.equal(run(store, it => it.used('a', 0)).requests, 1);
  assert.deepEqual(said, []);
});

for (const when of ['before it is opened', 'while it is open'] as const) {
  test(`a file that is damaged ${when} is created again with one sentence, and members store what they know`, () => {
    const folder = newFolder();
    const said: string[] = [];
    const [one, other] = ['one', 'other'].map(id => {
      const made = createRateLimiter({ shared: new SharedLimits(open(folder, id, said)) });
      made.configure(new Map([['a', { limits: { concurrency: 5, requestsPerMinute: 6 } }]]));
      return made;
    });
    assert.ok(one !== undefined && other !== undefined);
    const enter = (limiter: typeof one): boolean => limiter.enter(rateRequest({ now: clock.now })).admitted;
    if (when === 'before it is opened') {
      mkdirSync(join(folder, 'limits'));
      writeFileSync(join(folder, 'limits', 'counts.db'), Buffer.alloc(40_000, 7));
    }
    assert.ok(enter(one), 'a request is let in all the same');
    assert.ok(enter(other));
    if (when === 'while it is open') {
      for (const name of readdirSync(join(folder, 'limits'))) {
        const file = join(folder, 'limits', name);
        writeFileSync(file, Buffer.alloc(statSync(file).size, 7), { flag: 'r+' });
      }
    }
    for (let second = 0; second < 6; second += 1) {
      clock.now += 1000;
      one.beat(clock.now);
      other.beat(clock.now);
    }
    assert.ok(said.some(line => line.includes('cannot be counted')), said.join('\n'));
    assert.ok(said.length <= 2, said.join('\n'));
    assert.deepEqual([enter(one), enter(other), enter(other), enter(one), enter(other)], [true, true, true, false, false]);
    assert.deepEqual(readdirSync(folder), ['limits']);
  });
}

test('a folder that cannot be created leaves each peer its share, with one sentence', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'limits'), 'a file stands here');
  const said: string[] = [];
  const made = createRateLimiter({ shared: new SharedLimits(open(folder, 'one', said)) });
  made.configure(new Map([['a', { limits: { requestsPerMinute: 30 } }]]));
  let entered = 0;
  for (let index = 0; index < 60; index += 1) if (made.enter(rateRequest({ now: clock.now })).admitted) entered += 1;
  for (let second = 0; second < 20; second += 1) made.beat(clock.now += 1000);
  assert.equal(entered, 15);
  assert.equal(said.length, 1);
});

test('a folder that was removed is created again', () => {
  const folder = newFolder();
  const store = open(folder, 'one');
  run(store, it => it.add('a', 1, 1, 1));
  const before = store.generation;
  rmSync(join(folder, 'limits'), { recursive: true });
  store.check();
  assert.equal(run(store, it => it.used('a', 0)).requests, 0);
  assert.notEqual(store.generation, before);
});
