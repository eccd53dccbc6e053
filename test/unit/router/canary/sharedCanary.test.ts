import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { NoticeParams } from '../../../../server/api/messages.ts';
import type { Receipt } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { createCanaryStore } from '../../../../server/ledger/sqlite/onDemand/routeStates.ts';
import type { RouteStateStore } from '../../../../server/ledger/routeStateStore.ts';
import { Canaries } from '../../../../server/router/canary/canaries.ts';
import type { RouteTable } from '../../../../server/routing/routeTable.ts';
import { emptyConfig, type CanaryConfig, type Config, type RouteConfig } from '../../../../server/config/config.ts';
import { defaults } from '../../canary/simulatedTraffic.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-canary-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

function configOf(canary: CanaryConfig): Config {
  const route: RouteConfig = { name: 'coding', strategy: 'priority', targets: [{ endpoint: 'old', model: 'm' }], timeouts: {}, afterCommit: 'error', hedge: { when: 'never', dailyCapMicroUsd: 0 }, onRefusal: 'tell', canary };
  return { ...emptyConfig, routes: new Map([['coding', route]]) };
}

interface Server { canaries: Canaries; notices: NoticeParams[]; lines: string[]; at: { now: number }; config: { now: Config } }

function server(store: RouteStateStore | undefined, { audience = true, canary = defaults }: { audience?: boolean; canary?: CanaryConfig } = {}): Server {
  const notices: NoticeParams[] = [];
  const lines: string[] = [];
  const at = { now: 1_000 };
  const config = { now: configOf(canary) };
  const canaries = new Canaries({
    store, config: () => config.now, routeTable: () => ({ canaryTargets: () => [{ name: 'new/m' }] }) as unknown as RouteTable,
    clock: { now: () => at.now }, random: () => 0.5, log: { ...silentLog, info: line => { lines.push(line); }, warn: line => { lines.push(line); } }, changed: () => {}, hasAudience: () => audience, notify: notice => { notices.push(notice); },
  });
  return { canaries, notices, lines, at, config };
}

let sent = 0;
/** What an exchange left behind. */
function receipt(arm: 'baseline' | 'canary', outcome: 'ok' | 'failed', startedAt = 2_000): Receipt {
  const attempt = (target: string, how: 'ok' | 'failed'): object => ({ target, outcome: how, failureClass: how === 'failed' ? 'server' : undefined, totalMs: 10, firstTokenMs: 5, usage: {}, cost: { certainty: 'unknown' } });
  const attempts = arm === 'baseline' ? [attempt('old/m', outcome)] : outcome === 'ok' ? [attempt('new/m', 'ok')] : [attempt('new/m', 'failed'), attempt('old/m', 'ok')];
  return { id: `wb_${String(sent++)}`, startedAt, outcome: 'ok', plan: { route: 'coding', canary: { arm, share: 5, why: '' } }, attempts } as unknown as Receipt;
}

function storeIn(name: string): RouteStateStore {
  return createCanaryStore({ dataDir: path.join(folder, name), clock: { now: () => Date.now() }, log: silentLog });
}

function report(one: Server): { phase: string; requests: number; message: string } {
  const result = one.canaries.act({ action: 'status', route: 'coding' });
  assert.ok('canaries' in result);
  const [found] = result.canaries;
  return { phase: found?.phase ?? '', requests: (found?.canary.requests ?? 0) + (found?.baseline.requests ?? 0), message: found?.message ?? '' };
}

describe('a canary that was promoted', () => {
  const without = (config: Config): Config => ({ ...config, routes: new Map([...config.routes].map(([name, { canary: _canary, ...route }]) => [name, route])) });
  const promoted = (store: RouteStateStore | undefined): Server => {
    const one = server(store);
    assert.ok('canaries' in one.canaries.act({ action: 'start', route: 'coding' }));
    for (let stage = 0; stage < defaults.stages.length; stage++) one.canaries.act({ action: 'promote', route: 'coding' });
    assert.equal(report(one).phase, 'promoted');
    return one;
  };

  for (const stored of [true, false]) it(`is over once its route has no canary, so that the same one begins anew ${stored ? 'for all servers, also after a restart' : 'without a store'}`, () => {
    const one = promoted(stored ? storeIn('adopted') : undefined);
    const described = one.config.now;
    one.config.now = without(described);
    one.canaries.tick(5_000);
    one.config.now = described;
    one.canaries.tick(6_000);
    assert.equal(report(one).phase, 'none');
    if (!stored) return;
    one.canaries.shutdown();
    const next = server(storeIn('adopted'));
    assert.equal(report(next).phase, 'none');
    assert.ok('canaries' in next.canaries.act({ action: 'start', route: 'coding' }));
    assert.equal(report(next).phase, 'running');
  });

  it('is over also where the canary was taken out while no server ran', () => {
    promoted(storeIn('meanwhile')).canaries.shutdown();
    const next = server(storeIn('meanwhile'));
    const described = next.config.now;
    next.config.now = without(described);
    next.canaries.tick(5_000);
    next.config.now = described;
    next.canaries.tick(6_000);
    assert.equal(report(next).phase, 'none');
  });

  it('stays over a restart, a change of other settings, and while its route is left out by a mistake', () => {
    const one = promoted(storeIn('kept'));
    const described = one.config.now;
    one.config.now = emptyConfig;
    one.canaries.tick(5_000);
    one.config.now = { ...described };
    one.canaries.tick(6_000);
    assert.equal(report(one).phase, 'promoted');
    one.canaries.shutdown();
    assert.equal(report(server(storeIn('kept'))).phase, 'promoted');
  });

  for (const stored of [true, false]) it(`stays while its description has a mistake${stored ? ', for all servers' : ', without a store'}`, () => {
    const one = promoted(stored ? storeIn('mistaken') : undefined);
    const described = one.config.now;
    const withMistake = without(described);
    for (const route of withMistake.routes.values()) route.canaryIsWrong = true;
    one.config.now = withMistake;
    one.canaries.tick(5_000);
    one.config.now = described;
    one.canaries.tick(6_000);
    assert.equal(report(one).phase, 'promoted');
    if (stored) assert.equal(report(server(storeIn('mistaken'))).phase, 'promoted');
    one.config.now = withMistake;
    one.canaries.tick(7_000);
    one.config.now = without(described);
    one.canaries.tick(8_000);
    one.config.now = described;
    one.canaries.tick(9_000);
    assert.equal(report(one).phase, 'none', 'it is over once the description is gone');
  });

  it('leaves one that still runs as it is when its description comes and goes', () => {
    const one = server(storeIn('running'));
    one.canaries.act({ action: 'start', route: 'coding' });
    const described = one.config.now;
    one.config.now = without(described);
    one.canaries.tick(5_000);
    one.config.now = described;
    one.canaries.tick(6_000);
    assert.equal(report(one).phase, 'running');
  });
});

describe('a canary that several servers share', () => {
  it('counts what all of them found out, once', () => {
    const [a, b] = [server(storeIn('count')), server(storeIn('count'))];
    assert.ok('canaries' in a.canaries.act({ action: 'start', route: 'coding' }));
    b.canaries.tick(1_500);
    for (let index = 0; index < 7; index++) a.canaries.ended(receipt('baseline', 'ok'));
    for (let index = 0; index < 5; index++) b.canaries.ended(receipt('canary', 'ok'));
    assert.deepEqual([report(a).requests, report(b).requests], [7, 5], 'each knows its own at once');
    for (const one of [a, b, a, b]) one.canaries.tick(2_500);
    assert.deepEqual([report(a).requests, report(b).requests], [12, 12]);
    for (const one of [a, b]) one.canaries.shutdown();
    assert.equal(report(server(storeIn('count'))).requests, 12, 'and so does the next start');
  });

  it('is rolled back for all of them by failures that each saw a part of, and one person hears of it once', () => {
    const [a, b, headless] = [server(storeIn('back')), server(storeIn('back')), server(storeIn('back'), { audience: false })];
    a.canaries.act({ action: 'start', route: 'coding' });
    for (const one of [b, headless]) one.canaries.tick(1_500);
    for (let index = 0; index < 40; index++) a.canaries.ended(receipt('baseline', 'ok'));
    for (let index = 0; index < 2; index++) for (const one of [a, headless]) {
      one.canaries.ended(receipt('canary', 'failed'));
      one.canaries.tick(2_500);
    }
    for (let round = 0; round < 3; round++) for (const one of [headless, b, a]) one.canaries.tick(3_000);
    for (const one of [a, b, headless]) assert.equal(report(one).phase, 'rolled-back');
    assert.match(report(b).message, /^Rolled back at stage 1 of 5 \(5 %\): \d of \d requests failed at the canary, and 0 of 40 requests at the baseline\.$/);
    assert.equal(a.notices.length + b.notices.length, 1);
    assert.equal(headless.notices.length, 0);
    assert.equal(server(storeIn('back')).canaries.arm(configOf(defaults).routes.get('coding') as RouteConfig, { conversation: 'x' } as never), undefined, 'also after a restart');
  });

  it('takes no news of requests that began before it was started', () => {
    const a = server(storeIn('early'));
    a.canaries.act({ action: 'start' });
    a.canaries.ended(receipt('canary', 'failed', 999));
    assert.equal(report(a).requests, 0);
  });

  it('is not started when its targets are others than before', () => {
    const a = server(storeIn('targets'));
    a.canaries.act({ action: 'start' });
    a.config.now = configOf({ ...defaults, targets: [{ endpoint: 'third', model: 'm' }] });
    assert.equal(report(a).phase, 'none');
    assert.match(report(a).message, /have changed since it was started; start it again\./);
    assert.ok('canaries' in a.canaries.act({ action: 'start' }));
    assert.equal(report(a).phase, 'running');
  });

  it('is in the log once for each step, also when the configuration is read again', () => {
    const a = server(storeIn('log'));
    a.canaries.act({ action: 'start' });
    a.canaries.act({ action: 'rollback' });
    for (let index = 0; index < 3; index++) {
      a.config.now = configOf({ ...defaults });
      a.canaries.tick(2_000 + index);
      assert.equal(report(a).phase, 'rolled-back');
    }
    assert.deepEqual(a.lines, ['Canary of route "coding": stage 1 of 5, 5 %.', 'Canary of route "coding": Rolled back by hand.']);
    a.canaries.act({ action: 'start' });
    assert.equal(a.lines.length, 3, 'a new run is written again');
    const b = server(storeIn('log'));
    b.canaries.tick(5_000);
    assert.deepEqual(b.lines, a.lines.slice(2), 'a server that starts writes where the canary stands');
  });

  it('goes on in memory where there is no store', () => {
    const a = server(undefined);
    a.canaries.act({ action: 'start' });
    a.canaries.ended(receipt('baseline', 'ok'));
    a.canaries.tick(2_000);
    assert.deepEqual([report(a).phase, report(a).requests], ['running', 1]);
  });

  it('whose file is damaged counts as not started, and can be started again', () => {
    const a = server(storeIn('damaged'));
    a.canaries.act({ action: 'start' });
    a.canaries.shutdown();
    for (const file of readdirSync(path.join(folder, 'damaged', 'canary'))) writeFileSync(path.join(folder, 'damaged', 'canary', file), 'no database'.repeat(1000));
    const b = server(storeIn('damaged'));
    b.canaries.tick(2_000);
    b.canaries.tick(4_000);
    assert.equal(report(b).phase, 'none');
    assert.ok('canaries' in b.canaries.act({ action: 'start' }));
    assert.equal(report(b).phase, 'running');
  });

  it('says which routes have a canary where none or several could be meant', () => {
    const a = server(undefined);
    assert.deepEqual(a.canaries.act({ action: 'start', route: 'other' }), { refused: 'No route named "other" has a canary; those that have one: "coding".' });
    a.config.now = emptyConfig;
    assert.deepEqual(a.canaries.act({ action: 'status' }), { canaries: [] });
    assert.deepEqual(a.canaries.act({ action: 'start' }), { refused: 'No route has a canary; describe one as `canary` of a route first.' });
    assert.equal(a.canaries.statuses(), undefined);
  });
});

describe('the arm of a conversation', () => {
  const route = configOf(defaults).routes.get('coding') as RouteConfig;

  it('that began at the baseline stays the baseline when the share grows, until the canary takes all', () => {
    const a = server(undefined);
    a.canaries.act({ action: 'start' });
    const conversations = Array.from({ length: 200 }, (_value, index) => `c${String(index)}`);
    const arms = (): (string | undefined)[] => conversations.map(conversation => a.canaries.arm(route, { conversation } as never)?.arm);
    // The route of the configuration in use is the one that plans see.
    a.config.now = { ...emptyConfig, routes: new Map([['coding', route]]) };
    const first = arms();
    a.canaries.act({ action: 'promote' });
    a.canaries.act({ action: 'promote' });
    assert.deepEqual(arms(), first);
    a.canaries.act({ action: 'promote' });
    a.canaries.act({ action: 'promote' });
    assert.ok(arms().every(arm => arm === 'canary'));
    a.canaries.act({ action: 'rollback' });
    assert.ok(arms().every(arm => arm === undefined));
  });
});
