import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import path from 'node:path';
import { silentLog } from '../../../../server/base/log.ts';
import type { AllowanceStore } from '../../../../server/ledger/allowanceStore.ts';
import { createAllowanceStore } from '../../../../server/ledger/sqlite/allowances/allowanceDatabase.ts';
import { Allowances, type Reservation } from '../../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import type { Allowance, CapAllowance } from '../../../../server/routing/caps/allowance.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const { folder, remove } = temporaryFolder();
after(remove);

const allowance = (key: string, limitMicroUsd: number, more: Partial<CapAllowance> = {}): CapAllowance => ({ key, scope: 'turn', route: 'auto', limitMicroUsd, whenReached: 'stop', ...more });

function database(name: string, now: () => number = () => Date.now()): AllowanceStore {
  return createAllowanceStore({ dataDir: path.join(folder, name), clock: { now }, log: silentLog });
}

function reserved(allowances: Allowances, list: readonly Allowance[], microUsd: number): Reservation {
  const made = allowances.reserve(list, microUsd);
  assert.ok(!('misfit' in made), 'should fit');
  return made;
}

describe('allowances', () => {
  const [turn, session] = [allowance('turn', 100), allowance('session', 150, { scope: 'session' })];

  it('are taken all or none, and given back but for what was spent', () => {
    const allowances = new Allowances(new MemoryAllowanceStore());
    const first = reserved(allowances, [turn, session], 60);
    const refused = allowances.reserve([session, turn], 50);
    assert.ok('misfit' in refused);
    assert.deepEqual([refused.misfit.key, refused.misfit.leftMicroUsd], ['turn', 40]);
    assert.deepEqual(allowances.left([turn, session]).map(one => one.leftMicroUsd), [40, 90]);
    allowances.settle(first, 10);
    assert.deepEqual(allowances.left([turn, session]).map(one => one.leftMicroUsd), [90, 140]);
    allowances.settle(reserved(allowances, [turn, session], 80), undefined);
    assert.deepEqual(allowances.left([turn, session]).map(one => one.leftMicroUsd), [10, 60], 'what nobody knows counts as what was expected');
    allowances.allow([turn], 1000);
    assert.equal(allowances.left([turn])[0]?.leftMicroUsd, 1010);
  });

  it('let pass what costs nothing, also where nothing is left', () => {
    const allowances = new Allowances(new MemoryAllowanceStore());
    reserved(allowances, [turn], 100);
    assert.ok('misfit' in allowances.reserve([turn], 1));
    reserved(allowances, [turn], 0);
  });

  it('are one for all servers of a data folder, and survive them', () => {
    const [one, other] = [new Allowances(database('shared')), new Allowances(database('shared'))];
    const running = reserved(one, [turn], 70);
    assert.ok('misfit' in other.reserve([turn], 40), 'what runs at a peer is reserved');
    one.settle(running, 20);
    reserved(other, [turn], 40);
    // A server that is killed settles nothing: its provider was asked.
    const next = new Allowances(database('shared'));
    assert.equal(next.left([turn])[0]?.leftMicroUsd, 40);
    for (const each of [one, other, next]) each.close();
  });

  it('of one process are stored nowhere', () => {
    const request = allowance('request', 100, { scope: 'request', ofProcess: true });
    const [one, other] = [new Allowances(database('own')), new Allowances(database('own'))];
    reserved(one, [request], 70);
    assert.deepEqual([one, other].map(each => each.left([request])[0]?.leftMicroUsd), [30, 100]);
    for (const each of [one, other]) each.close();
  });

  it('are counted on while the store cannot be used, and told to it later', () => {
    const store = new MemoryAllowanceStore();
    let isDown = false;
    const allowances = new Allowances({ transact: work => (isDown ? { done: false, busy: false } : store.transact(work)), revision: () => 0, beat: () => undefined, close: () => undefined });
    reserved(allowances, [turn], 30);
    isDown = true;
    const second = reserved(allowances, [turn], 40);
    assert.ok('misfit' in allowances.reserve([turn], 40), 'what it knows holds');
    allowances.settle(second, 20);
    assert.equal(store.taken('turn').used, 30);
    isDown = false;
    assert.equal(allowances.left([turn])[0]?.leftMicroUsd, 50);
    assert.equal(store.taken('turn').used, 50);
  });

  it('are forgotten after forty days', () => {
    let now = Date.UTC(2026, 0, 1);
    const before = new Allowances(database('old', () => now));
    reserved(before, [turn], 30);
    before.close();
    now += 41 * 86_400_000;
    assert.equal(new Allowances(database('old', () => now)).left([turn])[0]?.leftMicroUsd, 100);
  });

  for (const kind of ['in memory', 'of two servers on one folder']) {
    it(`are passed by no more than what runs costs above what was expected, ${kind}`, () => {
      for (let run = 0; run < (kind === 'in memory' ? 300 : 20); run++) {
        const random = seededRandom(run + 1);
        const name = `run-${randomBytes(4).toString('hex')}`;
        const servers = kind === 'in memory' ? [new Allowances(new MemoryAllowanceStore())] : [new Allowances(database(name)), new Allowances(database(name))];
        const caps = [allowance('turn', 200 + Math.floor(random() * 2000)), allowance('conversation', 1000 + Math.floor(random() * 3000), { scope: 'conversation' })];
        const running: { server: Allowances; reservation: Reservation; cost: number | undefined }[] = [];
        /** What those that ran when money was given last may cost above what they reserved. */
        let bound = 0;
        for (let step = 0; step < 200; step++) {
          const server = servers[Math.floor(random() * servers.length)] ?? assert.fail();
          if (random() < 0.6) {
            const expected = Math.floor(random() * 300);
            const made = server.reserve(caps, expected);
            if ('misfit' in made) continue;
            // Answers, failures that cost nothing, answers that were cut and whose cost nobody knows.
            const kindOfEnd = random();
            running.push({ server, reservation: made, cost: kindOfEnd < 0.2 ? 0 : kindOfEnd < 0.3 ? undefined : Math.floor(expected * random() * 3) });
            // What costs nothing is admitted also where nothing is left.
            if (expected === 0) continue;
            for (const cap of caps) assert.ok(spent(servers[0] ?? assert.fail(), cap) <= cap.limitMicroUsd, 'an attempt is admitted only where everything that is reserved fits');
            bound = running.reduce((sum, { reservation, cost }) => sum + Math.max(0, (cost ?? 0) - reservation.microUsd), 0);
          } else if (running.length > 0) {
            const [ended] = running.splice(Math.floor(random() * running.length), 1);
            if (ended !== undefined) ended.server.settle(ended.reservation, ended.cost);
          }
          for (const cap of caps) assert.ok(spent(servers[0] ?? assert.fail(), cap) <= cap.limitMicroUsd + bound, `step ${String(step)} of run ${String(run)}`);
        }
        for (const each of servers) each.close();
      }
    });
  }

  function spent(allowances: Allowances, cap: Allowance): number {
    return cap.limitMicroUsd - (allowances.left([cap])[0]?.leftMicroUsd ?? 0);
  }
});

describe('turns', () => {
  for (const [name, make] of [['in memory', () => new MemoryAllowanceStore()], ['in the database', () => database('turns')]] as const) {
    it(`begin with each message, and go on through a loop of tools, ${name}`, () => {
      const allowances = new Allowances(make());
      const first = allowances.turn('talk', 'question', 100);
      assert.equal(allowances.turn('talk', 'question', 100), first, 'the same request, sent again');
      assert.equal(allowances.turn('talk', 'question', undefined), first, 'the loop');
      assert.equal(allowances.turn('talk', undefined, undefined), first, 'a question too far back is the last one');
      // A title is asked for in between, in the same conversation.
      assert.notEqual(allowances.turn('talk', 'title', 50), first);
      assert.equal(allowances.turn('talk', 'question', undefined), first);
      const again = allowances.turn('talk', 'question', 900);
      assert.notEqual(again, first, 'the same words, asked again');
      assert.equal(allowances.turn('talk', 'question', undefined), again);
      assert.equal(allowances.turn('another', undefined, undefined), '');
      allowances.close();
    });
  }
});

describe('sessions that no tool names', () => {
  it('end with an hour without requests', () => {
    const allowances = new Allowances(new MemoryAllowanceStore());
    const minute = 60_000;
    const first = allowances.session('tool', 0);
    assert.equal(allowances.session('tool', 59 * minute), first);
    assert.equal(allowances.session('tool', 118 * minute), first);
    assert.notEqual(allowances.session('tool', 179 * minute), first);
    assert.equal(allowances.session('other', 179 * minute), '1');
  });
});
