import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import type { Attempt, Cost, Receipt } from '../../../../server/api/receipt.ts';
import { localMidnight, nextLocalMidnight } from '../../../../server/base/localMidnight.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import { SpendToday } from '../../../../server/router/spend/spendToday.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { spendByEndpoint } from '../../ledger/reads.ts';
import { aReceipt, anAttempt, exact, running } from '../../ledger/receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-spend-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let folders = 0;

const noonToday = new Date(2026, 10, 26, 12).getTime();
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(() => { setImmediate(resolve); }); });
const estimated = (microUsd: number): Cost => ({ microUsd, certainty: 'estimated' });
const unknown: Cost = { certainty: 'unknown' };

class TestClock {
  at = noonToday;
  now(): number { return this.at; }
}

/** The ledger and the sums of one server. */
class Server {
  readonly ledger: Ledger;
  readonly spend: SpendToday;
  readonly clock: TestClock;
  readonly open = new Map<string, Receipt>();

  constructor(ledger: Ledger, clock: TestClock) {
    this.ledger = ledger;
    this.clock = clock;
    this.spend = new SpendToday({ ledger, clock, log: silentLog, recorded: () => Promise.resolve(), changed: () => undefined });
  }

  static on(folder: string, id: string, clock: TestClock, alive: Set<string>): Server {
    alive.add(id);
    return new Server(openLedger({ dataDir: folder, clock, log: silentLog, instanceId: id, isAlive: (row) => alive.has(row.id) }), clock);
  }

  progress(receipt: Receipt): void {
    this.open.set(receipt.id, receipt);
    this.ledger.open(receipt);
    this.ledger.progress(receipt);
    this.spend.running(receipt);
  }

  close(receipt: Receipt): void {
    this.open.delete(receipt.id);
    this.ledger.close(receipt);
    this.spend.onPriced({ receipt, route: receipt.plan.route });
  }

  /** Advances the server by one second. */
  async second(): Promise<void> {
    this.ledger.flush();
    this.ledger.poll();
    this.spend.tick();
    await turn();
  }

  sums(): Map<string, { microUsd: number; estimated: boolean; unknown: number }> | undefined {
    const sums = this.spend.byEndpoint();
    if (sums === undefined) return undefined;
    return new Map([...sums].map(([name, { microUsd, estimatedMicroUsd, unknown: missing }]) => [name, { microUsd, estimated: estimatedMicroUsd > 0, unknown: missing }]));
  }

  report(): Promise<ReturnType<Server['sums']>> {
    const now = this.clock.now();
    return spendByEndpoint(this.ledger, { from: localMidnight(now), to: nextLocalMidnight(now) });
  }
}

function newFolder(): string {
  folders += 1;
  return join(root, String(folders));
}

/** A random source that gives the same numbers for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const sorted = (sums: ReturnType<Server['sums']>): unknown => [...sums ?? []].sort(([a], [b]) => a.localeCompare(b));

function plan(route: string | undefined, requestedModel = route ?? 'gpt-4.1'): Receipt['plan'] {
  const made: Receipt['plan'] = { ...aReceipt('x').plan, requestedModel, kind: route === undefined ? 'model' : 'route' };
  return route === undefined ? made : { ...made, route };
}

describe('the sums of today', () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    it(`equal the spend report, with two servers, restarts, crashes and unknown parts (seed ${seed})`, async () => {
      const random = chance(seed);
      const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
      const folder = newFolder();
      const clock = new TestClock();
      const alive = new Set<string>();
      const servers = [Server.on(folder, 'a-0', clock, alive), Server.on(folder, 'b-0', clock, alive)];
      let exchanges = 0;
      let restarts = 0;
      let compared = 0;
      const cost = (): Cost => pick([exact(Math.floor(random() * 5_000)), estimated(Math.floor(random() * 5_000)), estimated(7.5), unknown, exact(0), exact(1e300), exact(-3)]);
      const startedAt = (): number => pick([clock.at - random() * 60_000, clock.at - 13 * 3_600_000, localMidnight(clock.at), localMidnight(clock.at) - 0.4, clock.at + 5_000]);
      const attempt = (number: number, outcome: Attempt['outcome']): Attempt => anAttempt({
        number, endpoint: pick(['e0', 'e1', 'e2']), startedAt: startedAt(), outcome, cost: cost(), role: number > 1 ? pick(['hedge', 'resume', undefined]) : undefined,
      });
      for (let step = 0; step < 400; step += 1) {
        const server = pick(servers);
        const what = random();
        if (what < 0.3) {
          exchanges += 1;
          const attempts = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => attempt(index + 1, pick(['ok', 'failed', 'cancelled', 'interrupted'])));
          server.close(aReceipt(`x-${exchanges}`, { plan: plan(pick(['auto', undefined])), attempts }));
        } else if (what < 0.5) {
          exchanges += 1;
          server.progress({ ...aReceipt(`x-${exchanges}`, { plan: plan('auto'), attempts: [attempt(1, 'failed'), attempt(2, 'interrupted')] }), outcome: 'open' });
        } else if (what < 0.75 && server.open.size > 0) {
          const before = pick([...server.open.values()]);
          const last = before.attempts.at(-1);
          if (last === undefined) continue;
          const more = [...before.attempts.slice(0, -1), { ...last, cost: cost(), outcome: pick(['interrupted', 'ok'] as const) }];
          if (random() < 0.5) {
            if (more.at(-1)?.outcome === 'ok') more.push(attempt(more.length + 1, 'interrupted'));
            server.ledger.flush();
            server.progress({ ...before, attempts: more });
          } else {
            server.ledger.flush();
            server.close({ ...before, outcome: 'ok', attempts: more.map((one) => ({ ...one, cost: pick([one.cost, exact(11), unknown]) })) });
          }
        } else if (what < 0.9) {
          clock.at += Math.floor(random() * 2_000);
          await server.second();
        } else if (what < 0.93) {
          // A server crashes with its running exchanges, or shuts down; another one takes its place.
          restarts += 1;
          const index = servers.indexOf(server);
          const id = `${'ab'[index]}-${restarts - 1}`;
          server.ledger.shutdown();
          alive.delete(id);
          for (const known of [...alive]) if (known.startsWith('ab'[index] ?? '')) alive.delete(known);
          servers[index] = Server.on(folder, `${'ab'[index]}-${restarts}`, clock, alive);
          await turn();
        } else {
          for (const one of servers) one.ledger.flush();
          for (const one of servers) await one.second();
          // Prices that peers write late are read a second later.
          for (const one of servers) await one.second();
          for (const one of servers) assert.deepEqual(sorted(one.sums()), sorted(await one.report()), `step ${step}`);
          assert.equal(servers[0]?.spend.byHedges('auto'), servers[1]?.spend.byHedges('auto'));
          compared += 1;
        }
      }
      assert.ok(exchanges > 150 && compared > 10 && restarts > 2, `${exchanges} exchanges, ${compared} comparisons, ${restarts} restarts`);
      for (const one of servers) one.ledger.shutdown();
    });
  }

  it('are unknown until they have been read, and while the ledger cannot be read', async () => {
    const clock = new TestClock();
    const ledger = new InMemoryLedger();
    let failing = true;
    const read = ledger.spendStart.bind(ledger);
    ledger.spendStart = (range) => (failing ? Promise.reject(new LedgerUnavailableError('locked')) : read(range));
    const server = new Server(ledger, clock);
    server.close(aReceipt('x-1', { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(5) })] }));
    await server.second();
    assert.equal(server.sums(), undefined);
    assert.equal(server.spend.byHedges('auto'), undefined);
    failing = false;
    await server.second();
    assert.equal(server.sums()?.get('openai')?.microUsd, 5);
  });

  it('count an exchange once that is priced while they are read', async () => {
    const clock = new TestClock();
    const folder = newFolder();
    const server = Server.on(folder, 'a', clock, new Set());
    const peer = Server.on(folder, 'b', clock, new Set());
    const of = (id: string): Receipt => aReceipt(id, { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(10) })] });
    server.close(of('before'));
    peer.close(of('peer-before'));
    peer.ledger.flush();
    server.ledger.poll();
    clock.at = nextLocalMidnight(clock.at) - 1;
    await server.second();
    clock.at += 2;
    server.close(of('first'));
    peer.close(of('peer-first'));
    peer.ledger.flush();
    server.spend.tick();
    server.close(of('while'));
    peer.close(of('peer-while'));
    peer.ledger.flush();
    server.ledger.poll();
    await turn();
    server.ledger.poll();
    assert.equal(server.sums()?.get('openai')?.microUsd, 40);
    assert.deepEqual(server.sums(), await server.report());
    server.ledger.shutdown();
    peer.ledger.shutdown();
  });

  it('start at zero at midnight, and follow the clock when it is set to another day', async () => {
    const clock = new TestClock();
    const server = Server.on(newFolder(), 'a', clock, new Set());
    const spent = (id: string, microUsd: number): void => {
      server.close(aReceipt(id, { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(microUsd) })] }));
    };
    await turn();
    spent('x-1', 5);
    clock.at = nextLocalMidnight(clock.at) - 1;
    spent('x-2', 6);
    assert.equal(server.sums()?.get('openai')?.microUsd, 11);
    clock.at += 1;
    assert.deepEqual(server.sums(), new Map(), 'at once, before the ledger is read');
    spent('x-3', 7);
    await server.second();
    assert.equal(server.sums()?.get('openai')?.microUsd, 7);
    // An exchange that began before midnight ends after it.
    server.close(aReceipt('x-4', { attempts: [anAttempt({ startedAt: clock.at - 1, cost: exact(100) })] }));
    assert.equal(server.sums()?.get('openai')?.microUsd, 7);
    clock.at -= 3_600_000;
    assert.equal(server.sums(), undefined, 'the cost of an earlier day is unknown without the ledger');
    await server.second();
    assert.equal(server.sums()?.get('openai')?.microUsd, 111);
    clock.at += 3 * 86_400_000;
    await server.second();
    assert.deepEqual(server.sums(), await server.report());
    server.ledger.shutdown();
  });

  it('are right for a day of 23 or 25 hours', async (t) => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Europe/Berlin';
    t.after(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });
    for (const [month, day, hours] of [[2, 29, 23], [9, 25, 25]] as const) {
      const clock = new TestClock();
      clock.at = new Date(2026, month, day, 0, 30).getTime();
      assert.equal(nextLocalMidnight(clock.at) - localMidnight(clock.at), hours * 3_600_000);
      const server = Server.on(newFolder(), 'a', clock, new Set());
      await turn();
      for (let hour = 0; hour < hours; hour += 1) {
        server.close(aReceipt(`x-${hour}`, { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(1) })] }));
        assert.equal(server.sums()?.get('openai')?.microUsd, hour + 1);
        clock.at += 3_600_000;
      }
      assert.deepEqual(server.sums(), new Map());
      clock.at -= 3_600_000;
      await server.second();
      assert.equal(server.sums()?.get('openai')?.microUsd, hours);
      assert.deepEqual(server.sums(), await server.report());
      server.ledger.shutdown();
    }
  });

  it('are read again after the ledger file was removed', async () => {
    const clock = new TestClock();
    const folder = newFolder();
    const server = Server.on(folder, 'a', clock, new Set());
    server.close(aReceipt('x-1', { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(5) })] }));
    await server.second();
    rmSync(join(folder, 'ledger.db'));
    await server.second();
    server.close(aReceipt('x-2', { startedAt: clock.at, attempts: [anAttempt({ startedAt: clock.at, cost: exact(3) })] }));
    await server.second();
    await server.second();
    assert.deepEqual(server.sums(), await server.report());
    assert.equal(server.sums()?.get('openai')?.microUsd, 3);
    server.ledger.shutdown();
  });
});

describe('the cost of second requests of today', () => {
  const hedge = (microUsd: number | undefined, startedAt = noonToday): Attempt =>
    anAttempt({ number: 2, role: 'hedge', startedAt, cost: microUsd === undefined ? unknown : exact(microUsd) });

  it('is counted by the configured name of the route, however the request spelled it, in memory and after a restart', async () => {
    const clock = new TestClock();
    const folder = newFolder();
    const first = Server.on(folder, 'a', clock, new Set());
    await turn();
    for (const [index, name] of ['auto', ' auto ', 'waybill/auto', 'models/waybill/auto', 'some-alias'].entries()) {
      first.close(aReceipt(`x-${index}`, { plan: plan('auto', name), attempts: [hedge(100)] }));
    }
    first.close(aReceipt('other', { plan: plan('auto-2', 'waybill/auto-2'), attempts: [hedge(7_000)] }));
    first.close(aReceipt('model', { plan: plan(undefined, 'models/gpt-4.1'), attempts: [hedge(30)] }));
    first.close(aReceipt('unknown', { plan: plan('auto'), attempts: [hedge(undefined)] }));
    const check = ({ spend }: Server): void => {
      assert.equal(spend.byHedges('auto'), 600);
      assert.equal(spend.byHedges('auto-2'), 7_000);
      assert.equal(spend.byHedges('gpt-4.1'), 30);
      assert.equal(spend.byHedges('models/gpt-4.1'), 30);
      assert.equal(spend.byHedges('never'), 0);
    };
    check(first);
    const peer = Server.on(folder, 'b', clock, new Set());
    await turn();
    first.ledger.flush();
    await peer.second();
    check(peer);
    first.ledger.shutdown();
    peer.ledger.shutdown();
    const later = Server.on(folder, 'c', clock, new Set());
    await turn();
    check(later);
    later.ledger.shutdown();
  });

  it('includes rows without a route by their requested name, with or without a prefix', async () => {
    const clock = new TestClock();
    const folder = newFolder();
    const first = Server.on(folder, 'a', clock, new Set());
    await turn();
    for (const [index, name] of ['auto', 'waybill/auto', ' models/auto', 'auto-2'].entries()) first.close(aReceipt(`x-${index}`, { plan: plan('auto', name), attempts: [hedge(100)] }));
    first.ledger.shutdown();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    database.exec('UPDATE exchanges SET route = NULL');
    database.close();
    const later = Server.on(folder, 'b', clock, new Set());
    await turn();
    assert.deepEqual([later.spend.byHedges('auto'), later.spend.byHedges('auto-2')], [300, 100]);
    later.ledger.shutdown();
  });

  it('counts a running second request as the average of the others', async () => {
    const clock = new TestClock();
    const server = new Server(new InMemoryLedger(), clock);
    await turn();
    server.close(aReceipt('x-1', { plan: plan('auto'), attempts: [hedge(100)] }));
    server.progress(running(aReceipt('x-2', { plan: plan('auto'), attempts: [hedge(undefined)] })));
    assert.equal(server.spend.byHedges('auto'), 200);
    server.close(aReceipt('x-2', { plan: plan('auto'), attempts: [hedge(40)] }));
    assert.equal(server.spend.byHedges('auto'), 140);
  });
});
