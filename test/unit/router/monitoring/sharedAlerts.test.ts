import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { EndpointStatus, StatusSnapshot } from '../../../../server/api/status.ts';
import { silentLog } from '../../../../server/base/log.ts';
import type { AlertRule, WebhookConfig } from '../../../../server/config/monitoring/monitoringConfig.ts';
import { resolveState } from '../../../../server/config/state/resolveState.ts';
import { AlertBook } from '../../../../server/router/monitoring/alerts/alertBook.ts';
import type { ConditionSources } from '../../../../server/router/monitoring/alerts/conditions.ts';
import { SharedIncidents } from '../../../../server/router/monitoring/alerts/sharedIncidents.ts';
import { StateConnection } from '../../../../server/state/stateConnection.ts';
import { StateAwayError, type StateReply, type StateScript, type StateStore } from '../../../../server/state/stateStore.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';

const folders: string[] = [];
after(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }); });

const start = Date.UTC(2026, 10, 20, 12);
const hook: WebhookConfig = { name: 'hook', url: 'https://hooks.example.com/x', form: 'json' };
const rule = (overrides: Partial<AlertRule> = {}): AlertRule => ({ name: 'down', when: 'endpoint-down', above: 0, forMs: 0, windowMs: 600_000, minRequests: 20, webhooks: ['hook'], toEditor: false, toLog: false, ...overrides });

function found(isDown: boolean): ConditionSources {
  const endpoints = [{ name: 'openai', enabled: true, state: isDown ? 'down' : 'healthy', condition: { kind: 'down', why: 'timeouts' } } as unknown as EndpointStatus];
  return { status: { endpoints } as unknown as StatusSnapshot, within: () => new Map(), hourUsd: undefined };
}

/** What webhooks of all replicas received, with the replica that sent it. */
interface Sent { by: string; event: string; incident: string; message: string }

/** A replica with a data folder of its own, on a clock that is set by hand. */
class Replica {
  readonly name: string;
  readonly book: AlertBook;
  isDown = false;
  /** Its process stands still. */
  isGone = false;
  /** Its webhook does not answer. */
  hangs = false;

  constructor(name: string, clock: { now: number }, sent: Sent[], store: Pick<StateStore, 'isConfigured' | 'run'>, place = '') {
    this.name = name;
    const folder = mkdtempSync(path.join(tmpdir(), 'waybill-shared-alerts-'));
    folders.push(folder);
    this.book = new AlertBook({
      folder, now: () => clock.now, log: silentLog, redact: text => text, hasAudience: () => false, notify: () => undefined,
      shared: new SharedIncidents({ isConfigured: true, replica: name, run: (...call) => store.run(...call) }, () => place),
      post: ({ body }) => {
        if (this.hangs) return new Promise(() => undefined);
        const { event, incident, message } = JSON.parse(String(body)) as Sent;
        sent.push({ by: name, event, incident, message });
        return Promise.resolve({ status: 200, headers: {}, text: 'ok' });
      },
    });
    this.book.configure([rule()], new Map([['hook', hook]]));
  }

  async look(): Promise<void> {
    if (this.isGone) return;
    this.book.look(found(this.isDown));
    await this.book.share();
    // What a webhook answered is noted behind some turns.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve));
  }
}

/** Lets replicas look every five seconds. */
async function pass(clock: { now: number }, ms: number, replicas: readonly Replica[]): Promise<void> {
  for (const until = clock.now + ms; clock.now < until; clock.now += 5_000) for (const replica of replicas) await replica.look();
}

const events = (sent: readonly Sent[]): string[] => sent.map(({ event }) => event);

describe('alerts of replicas with a data folder each', { skip: withoutRedis }, () => {
  const clock = { now: start };
  const sent: Sent[] = [];
  const connection = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined });
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  /** The store's clock is the one that is set by hand. */
  const store = {
    isConfigured: true, isAway: false,
    run(script: StateScript, keys: readonly string[], args: readonly (string | number)[]): Promise<StateReply> {
      if (this.isAway) return Promise.reject(new StateAwayError('away', false));
      const time = `{'${String(Math.floor(clock.now / 1000))}', '${String(clock.now % 1000)}000'}`;
      assert.ok(script.source.includes(`redis.call('TIME')`));
      return connection.run({ name: script.name, source: script.source.replace(`redis.call('TIME')`, time) }, keys, args);
    },
  };
  const two = (): [Replica, Replica] => [new Replica('one', clock, sent, store), new Replica('two', clock, sent, store)];

  before(async () => {
    redis = await startRedis();
    connection.configure(resolveState({ redis: { url: redis.url, commandTimeoutMs: 1000 } }, {}, (_path, text) => { assert.fail(text); }));
    await connection.ready();
    assert.ok(connection.isUp);
  });
  beforeEach(async () => {
    clock.now += 100_000_000;
    sent.length = 0;
    store.isAway = false;
    await connection.command('DEL', 'alerts');
  });
  after(async () => {
    await connection.close();
    await redis?.kill();
  });

  test('are told once, and once that no replica sees the condition any more, with one id', async () => {
    const [one, other] = two();
    one.isDown = true;
    await pass(clock, 20_000, [one, other]);
    other.isDown = true;
    await pass(clock, 60_000, [one, other]);
    assert.deepEqual(events(sent), ['fired']);
    one.isDown = false;
    await pass(clock, 300_000, [one, other]);
    assert.deepEqual(events(sent), ['fired'], 'the other still sees it');
    other.isDown = false;
    await pass(clock, 300_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'over']);
    assert.equal(sent[0]?.incident, sent[1]?.incident);
    assert.match(sent[1]?.message ?? '', /minutes it was down: 6\.$/);
    other.isDown = true;
    await pass(clock, 60_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'over', 'fired'], 'the next incident is told');
    assert.notEqual(sent[2]?.incident, sent[0]?.incident);
  });

  test('that a replica did not live to tell are told by another one', async () => {
    const [one, other] = two();
    one.isDown = other.isDown = true;
    one.hangs = true;
    await pass(clock, 120_000, [one, other]);
    assert.deepEqual(sent, [], 'as long as it tries, no other does');
    one.isGone = true;
    await pass(clock, 40_000, [one, other]);
    assert.deepEqual(sent.map(({ by, event }) => [by, event]), [['two', 'fired']]);
  });

  test('are ended by another replica where all that saw them are gone', async () => {
    const [one, other] = two();
    one.isDown = true;
    await pass(clock, 30_000, [one, other]);
    one.isGone = true;
    await pass(clock, 240_000, [one, other]);
    assert.deepEqual(sent.map(({ by, event }) => [by, event]), [['one', 'fired'], ['two', 'over']]);
    assert.equal(sent[0]?.incident, sent[1]?.incident);
  });

  test('are told by each while the store is away, and by none again when it is back', async () => {
    const [one, other] = two();
    await pass(clock, 20_000, [one, other]);
    store.isAway = true;
    one.isDown = other.isDown = true;
    await pass(clock, 30_000, [one, other]);
    assert.deepEqual(sent.map(({ by, event }) => [by, event]), [['one', 'fired'], ['two', 'fired']]);
    store.isAway = false;
    await pass(clock, 60_000, [one, other]);
    assert.equal(sent.length, 2);
    one.isDown = other.isDown = false;
    await pass(clock, 300_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'fired', 'over']);
  });

  test('that ended while the store was away are not ended again, and the next ones are told', async () => {
    const [one, other] = two();
    one.isDown = other.isDown = true;
    await pass(clock, 30_000, [one, other]);
    store.isAway = true;
    one.isDown = other.isDown = false;
    await pass(clock, 180_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'over', 'over']);
    store.isAway = false;
    await pass(clock, 10_000, [one, other]);
    one.isDown = true;
    await pass(clock, 30_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'over', 'over', 'fired']);
  });

  test('last over a store that lost what it held', async () => {
    const [one, other] = two();
    one.isDown = other.isDown = true;
    await pass(clock, 30_000, [one, other]);
    await connection.command('DEL', 'alerts');
    for (const key of await connection.command('KEYS', 'alerts*') as string[]) await connection.command('DEL', key.replace(/^\{[^}]*\}:/, ''));
    await pass(clock, 60_000, [one, other]);
    assert.deepEqual(events(sent), ['fired']);
    one.isDown = other.isDown = false;
    await pass(clock, 300_000, [one, other]);
    assert.deepEqual(events(sent), ['fired', 'over']);
  });

  test('are told anew by a replica that has not ended the last one, where all others did', async () => {
    const [one, other] = two();
    one.isDown = other.isDown = true;
    await pass(clock, 30_000, [one, other]);
    one.isDown = other.isDown = false;
    // The process of the other stands still until the end was told.
    await pass(clock, 90_000, [one]);
    assert.deepEqual(events(sent), ['fired', 'over']);
    other.isDown = true;
    await pass(clock, 30_000, [other, one]);
    assert.deepEqual(sent.map(({ by, event }) => [by, event]).slice(2), [['two', 'fired']]);
    other.isDown = false;
    await pass(clock, 300_000, [other, one]);
    assert.deepEqual(events(sent), ['fired', 'over', 'fired', 'over']);
    assert.equal(sent[2]?.incident, sent[3]?.incident);
  });

  test('about endpoints of a machine are told for each machine', async () => {
    const [one, other] = [new Replica('one', clock, sent, store, 'here'), new Replica('two', clock, sent, store, 'there')];
    one.isDown = other.isDown = true;
    await pass(clock, 30_000, [one, other]);
    assert.deepEqual(sent.map(({ by }) => by), ['one', 'two']);
  });
});

test('alerts of a replica that never reached its store are told within some looks, once', async () => {
  const clock = { now: start };
  const sent: Sent[] = [];
  const replica = new Replica('one', clock, sent, { isConfigured: true, run: () => Promise.reject(new StateAwayError('away', true)) });
  replica.isDown = true;
  await pass(clock, 10_000, [replica]);
  assert.deepEqual(sent, []);
  await pass(clock, 60_000, [replica]);
  assert.deepEqual(events(sent), ['fired']);
});

test('alerts are told where the store says what cannot be understood', async () => {
  for (const answer of [null, 'OK', [], [['maybe'], [['on', 'x']]], [[], [['on', 'a', 'down', 'openai', 'x', 'y', '0', '0', 'z']]]]) {
    const clock = { now: start };
    const sent: Sent[] = [];
    const replica = new Replica('one', clock, sent, { isConfigured: true, run: () => Promise.resolve(answer) });
    replica.isDown = true;
    await pass(clock, 60_000, [replica]);
    assert.deepEqual(events(sent), ['fired'], JSON.stringify(answer));
  }
});
