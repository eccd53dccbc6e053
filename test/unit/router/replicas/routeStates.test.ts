import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../../../server/base/log.ts';
import { resolveState } from '../../../../server/config/state/resolveState.ts';
import type { RouteStateStore } from '../../../../server/ledger/routeStateStore.ts';
import { createCanaryStore } from '../../../../server/ledger/sqlite/onDemand/routeStates.ts';
import { SharedRouteStates } from '../../../../server/router/replicas/routeStates/sharedRouteStates.ts';
import { StateConnection } from '../../../../server/state/stateConnection.ts';
import { StateAwayError, type StateStore } from '../../../../server/state/stateStore.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';

const redis = withoutRedis === false ? await startRedis() : undefined;
const folder = mkdtempSync(path.join(tmpdir(), 'waybill-states-'));
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** One of several servers on the same states. */
interface Server { readonly states: RouteStateStore; readonly kept: Map<string, string>; readonly state?: StateConnection }

async function onRedis(prefix: string, wrap: (store: StateStore) => StateStore = store => store, kept = new Map<string, string>()): Promise<Server> {
  const state = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined });
  state.configure(resolveState({ redis: { url: redis?.url, prefix, commandTimeoutMs: 1000, connectTimeoutMs: 1000 } }, {}, (_path, message) => { throw new Error(message); }));
  await state.ready();
  const states = new SharedRouteStates({ store: wrap(state), folder: { kept: route => kept.get(route), keep: (route, text) => { kept.set(route, text); } }, name: 'canaries', log: silentLog, changed: () => undefined });
  const ticks = setInterval(() => { state.tick(); states.tick(); }, 100);
  ends.push(async () => { clearInterval(ticks); states.close(); await state.close(); });
  return { states, kept, state };
}

function onSqlite(name: string): Promise<Server> {
  const states = createCanaryStore({ dataDir: path.join(folder, name), clock: { now: () => Date.now() }, log: silentLog });
  ends.push(() => { states.close(); });
  return Promise.resolve({ states, kept: new Map() });
}

function textOf({ states }: Server, route: string): string | undefined {
  let text: string | undefined;
  states.update(route, stored => { text = stored; return undefined; });
  return text;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`This did not happen: ${what}`);
    await sleep(10);
  }
}

const plusOne = (stored: string | undefined): string => String(Number(stored ?? '0') + 1);

async function added(server: Server, route: string): Promise<void> {
  await until('the store takes a change', () => server.states.update(route, plusOne).done);
}

for (const [kind, open] of [['SQLite', onSqlite], ['Redis', onRedis]] as const) {
  describe(`states of routes in ${kind}`, { skip: kind === 'Redis' && withoutRedis }, () => {
    it('add up the changes of servers that make them at once, and lose none', async () => {
      const servers = [await open('sum'), await open('sum'), await open('sum')];
      for (let round = 0; round < 40; round += 1) {
        for (const server of servers) await added(server, 'coding');
        if (round % 10 === 0) await sleep(5);
      }
      for (const server of servers) await until('each server has the sum', () => { server.states.poll(); return textOf(server, 'coding') === '120'; });
    });

    it('tell of what another server changed, once', async () => {
      const [one, other] = [await open('news'), await open('news')];
      await added(one, 'coding');
      let found: ReadonlyMap<string, string> | undefined;
      await until('the other is told', () => { found = other.states.poll() ?? found; return found?.get('coding') === '1'; });
      assert.equal(other.states.poll(), undefined);
    });

    it('pass on what a change throws, and store nothing', async () => {
      const one = await open('throws');
      await added(one, 'coding');
      assert.throws(() => one.states.update('coding', () => { throw new Error('no'); }), /no/);
      assert.equal(textOf(one, 'coding'), '1');
    });
  });
}

describe('states of routes in Redis alone', { skip: withoutRedis }, () => {
  it('are changed once where an answer of the store was lost', async () => {
    let losses = 3;
    const one = await onRedis('lost', store => new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== 'run') return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
        return async (...args: Parameters<StateStore['run']>) => {
          const reply = await target.run(...args);
          if (args[0].name.startsWith('change') && losses > 0) {
            losses -= 1;
            throw new StateAwayError('the answer was lost', true);
          }
          return reply;
        };
      },
    }));
    const other = await onRedis('lost');
    for (let round = 0; round < 5; round += 1) {
      await added(one, 'coding');
      await added(other, 'coding');
    }
    for (const server of [one, other]) await until('all changes count once', () => textOf(server, 'coding') === '10');
    assert.equal(losses, 0);
    await sleep(300);
    for (const server of [one, other]) assert.equal(textOf(server, 'coding'), '10');
  });

  it('begin with what the data folder has, and are kept there', async () => {
    let stored = 0;
    const one = await onRedis('folder', undefined, new Map([['coding', '7']]));
    assert.equal(textOf(one, 'coding'), '7');
    await until('Redis has it', () => { void one.state?.command('HLEN', 'canaries').then(count => { stored = Number(count); }); return stored === 1; });
    const other = await onRedis('folder', undefined, new Map([['coding', '3']]));
    await until('the first wins', () => textOf(other, 'coding') === '7');
    await added(other, 'coding');
    await until('it is kept in both folders', () => one.kept.get('coding') === '8' && other.kept.get('coding') === '8');
  });

  it('change nothing while Redis is away, are read on, and come back to a Redis that lost them', async () => {
    const [one, other] = [await onRedis('away'), await onRedis('away')];
    await added(one, 'coding');
    await until('both know', () => textOf(other, 'coding') === '1');
    await redis?.kill();
    await until('both notice', () => one.state?.isUp === false && other.state?.isUp === false);
    assert.deepEqual(one.states.update('coding', plusOne), { done: false, busy: false });
    assert.equal(textOf(one, 'coding'), '1');
    await redis?.start();
    await added(other, 'coding');
    await until('nothing was lost', () => textOf(one, 'coding') === '2' && textOf(other, 'coding') === '2');
  });

  after(() => redis?.kill());
});
