import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { silentLog, type Log } from '../../../server/base/log.ts';
import { resolveState } from '../../../server/config/state/resolveState.ts';
import type { StateConfig } from '../../../server/config/state/stateConfig.ts';
import { StateConnection, type StateConnectionOptions } from '../../../server/state/stateConnection.ts';
import type { StateDriver } from '../../../server/state/stateDriver.ts';
import { isStateAway, StateAwayError, type StateChange, type StateReply } from '../../../server/state/stateStore.ts';
import { freePort } from '../../support/freePort.ts';
import { isInstalled } from '../../support/isInstalled.ts';
import { startRedis, withoutRedis } from '../../support/redisServer.ts';

const open: StateConnection[] = [];
after(async () => { for (const one of open) await one.close(); });

function connection(options: Partial<StateConnectionOptions> = {}): { state: StateConnection; changes: StateChange[] } {
  const state = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined, ...options });
  open.push(state);
  const changes: StateChange[] = [];
  state.changes(change => changes.push(change));
  return { state, changes };
}

function configOf(redis: Record<string, unknown>, environment: Record<string, string> = {}): StateConfig {
  const problems: string[] = [];
  const config = resolveState({ redis }, environment, (_path, message) => problems.push(message));
  assert.deepEqual(problems, []);
  assert.ok(config !== undefined);
  return config;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`This did not happen: ${what}`);
    await sleep(5);
  }
}

const away = (isSent?: boolean) => (error: unknown): boolean => error instanceof StateAwayError && (isSent === undefined || error.isSent === isSent);

/** A store whose answers a test gives. */
class FakeStore {
  opened = 0;
  /** Undefined: it does not answer. */
  answer: ((args: readonly string[]) => StateReply | Error) | undefined = () => [0, 3, 'one'];
  /** Takes the place of `answer`. */
  answerLater: (() => Promise<StateReply>) | undefined;
  isReachable = true;
  /** Connections are made, and it says nothing on them: to a log-in, to a subscription. */
  isMute: 'never' | 'to a connection' | 'to a subscription' = 'never';
  closed = 0;
  readonly subscribed: string[] = [];
  /** Called at the first subscription, before its answer. */
  subscribing: (() => void) | undefined;
  #lost: ((cause: Error) => void) | undefined;

  readonly open = (_config: unknown, lost: (cause: Error) => void): Promise<StateDriver> => {
    this.opened += 1;
    if (!this.isReachable) return Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:1'));
    if (this.isMute === 'to a connection') return new Promise(() => undefined);
    this.#lost = lost;
    return Promise.resolve({
      send: (_key, args) => {
        if (this.answerLater !== undefined) return this.answerLater();
        const answer = this.answer?.(args);
        return answer === undefined ? new Promise<never>(() => undefined) : answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      subscribe: channel => {
        if (this.isMute === 'to a subscription') return new Promise(() => undefined);
        this.subscribed.push(channel);
        if (this.subscribed.length === 1) this.subscribing?.();
        return Promise.resolve();
      },
      unsubscribe: () => Promise.resolve(), close: () => { this.closed += 1; },
    });
  };

  breakConnection(): void {
    this.#lost?.(new Error('the socket was closed'));
  }
}

const fakeConfig = configOf({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 5 });

describe('the breaker around the shared store', () => {
  it('is recognized by what its calls throw, also in a part of the bundle with a copy of the class', () => {
    class Copy extends Error { override readonly name = 'StateAwayError'; }
    assert.ok(isStateAway(new StateAwayError('away', false)));
    assert.ok(isStateAway(new Copy('away')));
    assert.ok(!isStateAway(new Error('StateAwayError')));
  });

  it('fails calls at once after three that were not answered in time, and lets them through again after a heartbeat', async () => {
    const store = new FakeStore();
    const { state, changes } = connection({ load: () => Promise.resolve(store.open) });
    state.configure(fakeConfig);
    await state.ready();
    assert.ok(state.isUp);
    assert.equal(state.replicas, 3);
    store.answer = undefined;
    for (let call = 0; call < 3; call += 1) await assert.rejects(state.command('GET', 'a'), away(true));
    assert.equal(state.isUp, false);
    await assert.rejects(state.command('GET', 'a'), away(false));
    assert.deepEqual([state.figures.calls.timeout >= 3, state.figures.calls.away, state.figures.losses], [true, 1, 1]);
    assert.equal(state.replicas, 3, 'the last known number is kept');
    await until('it is tried again', () => store.opened >= 3);
    assert.equal(state.isUp, false, 'a store that does not answer a heartbeat is not used');
    store.answer = () => [0, 2, 'one'];
    await until('it is up again', () => state.isUp);
    assert.deepEqual(changes, ['up', 'down', 'up']);
    assert.equal(state.replicas, 2);
  });

  it('is not opened by a store that had no time to answer, because this process was held up', async () => {
    const store = new FakeStore();
    const { state } = connection({ load: () => Promise.resolve(store.open) });
    state.configure(configOf({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 40 }));
    await state.ready();
    // An answer comes after five turns of the event loop, each of which is held up for longer than the time limit.
    store.answerLater = async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        const until = performance.now() + 60;
        while (performance.now() < until);
        await new Promise(resolve => { setImmediate(resolve); });
      }
      return 'an answer';
    };
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => state.command('GET', 'a'))), ['an answer', 'an answer', 'an answer']);
    assert.deepEqual([state.isUp, state.figures.calls.timeout], [true, 0]);
  });

  for (const isMute of ['to a connection', 'to a subscription'] as const) {
    it(`makes the connection for messages anew where the store says nothing ${isMute}`, async () => {
      const store = new FakeStore();
      const { state, changes } = connection({ load: () => Promise.resolve(store.open) });
      state.configure(fakeConfig);
      await state.ready();
      store.isMute = isMute;
      state.subscribe('news', () => undefined);
      await until('it is tried once more', () => { state.tick(); return store.opened >= 3; });
      assert.ok(state.isUp, 'messages are no reason to give the store up');
      assert.ok(!changes.includes('subscribed'));
      store.isMute = 'never';
      await until('it is subscribed', () => { state.tick(); return changes.includes('subscribed'); });
      assert.equal(store.subscribed.length, 1);
      store.isMute = 'to a subscription';
      const opened = store.opened;
      state.subscribe('more', () => undefined);
      await until('that one is given up, too', () => { state.tick(); return store.opened > opened; });
      store.isMute = 'never';
      await until('both are subscribed', () => { state.tick(); return store.subscribed.length === 3; });
      assert.deepEqual(new Set(store.subscribed.slice(1)), new Set(['{waybill}:news', '{waybill}:more']));
    });
  }

  it('subscribes once to a channel that is added while the connection for messages is made', async () => {
    const store = new FakeStore();
    const { state, changes } = connection({ load: () => Promise.resolve(store.open) });
    state.configure(fakeConfig);
    await state.ready();
    store.subscribing = () => { state.subscribe('second', () => undefined); };
    state.subscribe('first', () => undefined);
    await until('it is ready', () => { state.tick(); return changes.includes('subscribed') && store.subscribed.length >= 2; });
    assert.deepEqual(store.subscribed, ['{waybill}:first', '{waybill}:second']);
  });

  it('tells of a store that lost what it held, before it is used again', async () => {
    const store = new FakeStore();
    const { state, changes } = connection({ load: () => Promise.resolve(store.open) });
    state.configure(fakeConfig);
    await state.ready();
    store.answer = () => [0, 1, 'another'];
    store.breakConnection();
    await until('it is up again', () => state.isUp);
    assert.deepEqual(changes, ['up', 'down', 'emptied', 'up']);
  });

  it('takes an answer that says that the store cannot work for its end, and a mistake in a call for a mistake', async () => {
    const store = new FakeStore();
    const { state } = connection({ load: () => Promise.resolve(store.open) });
    state.configure(fakeConfig);
    await state.ready();
    store.answer = () => new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
    await assert.rejects(state.command('GET', 'a'), /WRONGTYPE/);
    assert.ok(state.isUp);
    store.answer = () => new Error('READONLY You can\'t write against a read only replica.');
    await assert.rejects(state.command('GET', 'a'), away());
    assert.equal(state.isUp, false);
  });

  it('says once that the store is away and once that it is back, with its address and no password', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, info: line => lines.push(line), warn: line => lines.push(line) };
    const store = new FakeStore();
    store.isReachable = false;
    const { state } = connection({ log, load: () => Promise.resolve(store.open) });
    state.configure(configOf({ url: 'rediss://someone:${SECRET}@store.example.com:6380' }, { SECRET: 'swordfish-1234' }));
    await until('it was tried again and again', () => store.opened >= 3);
    store.isReachable = true;
    await until('it is up', () => state.isUp);
    assert.deepEqual(lines, [
      'The shared store at store.example.com:6380 is away: connect ECONNREFUSED 127.0.0.1:1. It is tried again until it answers.',
      'The shared store at store.example.com:6380 is used, by 3 servers.',
    ]);
  });

  it('loads no client where none is configured', async () => {
    let loads = 0;
    const store = new FakeStore();
    const { state } = connection({ load: () => { loads += 1; return Promise.resolve(store.open); } });
    state.configure(undefined);
    state.tick();
    await state.ready();
    assert.deepEqual([loads, state.isConfigured, state.isUp], [0, false, false]);
    await assert.rejects(state.command('GET', 'a'), away(false));
  });
});

describe('the connection to Redis', { skip: withoutRedis }, () => {
  it('runs scripts and commands under the prefix, also after Redis forgot its scripts', async () => {
    const redis = await startRedis();
    const { state } = connection();
    state.configure(configOf({ url: `${redis.url}/2`, prefix: 'team' }));
    await state.ready();
    const script = { name: 'add', source: 'return { redis.call("INCRBY", KEYS[1], ARGV[1]), KEYS[1] }' };
    assert.deepEqual(await state.run(script, ['count'], [2]), [2, '{team}:count']);
    const admin = await createClient({ url: redis.url, RESP: 2 }).connect();
    await admin.sendCommand(['SCRIPT', 'FLUSH']);
    admin.destroy();
    assert.deepEqual(await Promise.all([state.run(script, ['count'], [3]), state.run(script, ['count'], [4])]), [[5, '{team}:count'], [9, '{team}:count']]);
    assert.equal(await state.command('GET', 'count'), '9');
    assert.equal(state.figures.calls.error, 0);
    await assert.rejects(state.run({ name: 'bad', source: 'return redis.call("INCR", KEYS[1])' }, ['members'], []), /The script "bad" failed in the shared store: WRONGTYPE/);
    assert.ok(state.isUp, 'a mistake in a script is none of the store');
  });

  it('logs in with a password from the environment, and says where it is wrong without showing it', async () => {
    const redis = await startRedis(['--requirepass', 'right-password']);
    const lines: string[] = [];
    const { state } = connection({ log: { ...silentLog, warn: line => lines.push(line) } });
    state.configure(configOf({ url: redis.url, password: '${PASSWORD}' }, { PASSWORD: 'wrong-password' }));
    await state.ready();
    assert.equal(state.isUp, false);
    assert.match(lines[0] ?? '', /^The shared store at 127\.0\.0\.1:\d+ is away: WRONGPASS /);
    assert.doesNotMatch(lines.join(), /wrong-password/);
    state.configure(configOf({ url: redis.url, password: '${PASSWORD}' }, { PASSWORD: 'right-password' }));
    await state.ready();
    assert.ok(state.isUp);
  });

  it('counts the servers that live, and no longer those that left', async () => {
    const redis = await startRedis();
    const config = configOf({ url: redis.url });
    const [one, two] = [connection().state, connection().state];
    one.configure(config);
    two.configure(config);
    await Promise.all([one.ready(), two.ready()]);
    one.tick();
    await until('one knows both', () => one.replicas === 2);
    await two.close();
    one.tick();
    await until('one is alone', () => { one.tick(); return one.replicas === 1; });
  });

  it('gives the messages of a channel to every server, and again after Redis was away', async () => {
    const redis = await startRedis();
    const config = configOf({ url: redis.url });
    const [one, two] = [connection(), connection()];
    const heard: string[] = [];
    const subscription = one.state.subscribe('news', message => heard.push(message));
    for (const { state } of [one, two]) {
      state.configure(config);
      await state.ready();
    }
    await until('it is subscribed', () => one.changes.includes('subscribed'));
    await two.state.publish('news', 'first');
    await until('it is heard', () => heard.length === 1);
    await redis.kill();
    await until('both noticed', () => !one.state.isUp && !two.state.isUp);
    await redis.start();
    await until('both are back', () => one.state.isUp && two.state.isUp);
    await until('it is subscribed again', () => { one.state.tick(); return one.changes.filter(change => change === 'subscribed').length === 2; });
    await two.state.publish('news', 'second');
    await until('that is heard, too', () => heard.length === 2);
    assert.deepEqual(heard, ['first', 'second']);
    assert.ok(one.changes.includes('emptied'));
    subscription.dispose();
  });

  it('is given up while Redis holds its connections and does not answer, and used again after that', async () => {
    const redis = await startRedis();
    const { state } = connection();
    state.configure(configOf({ url: redis.url, commandTimeoutMs: 50 }));
    await state.ready();
    redis.pause();
    try {
      for (let call = 0; call < 3; call += 1) await assert.rejects(state.command('GET', 'a'), away(true));
      await assert.rejects(state.command('GET', 'a'), away(false));
    } finally {
      redis.resume();
    }
    await until('it is used again', () => state.isUp);
  });

  it('encrypts a connection and trusts the authority of the configuration alone', { skip: isInstalled('openssl', 'version') ? false : 'openssl is not installed' }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'waybill-tls-'));
    after(() => { rmSync(folder, { recursive: true, force: true }); });
    const [certificate, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=redis.test', '-addext', 'subjectAltName=DNS:redis.test', '-keyout', key, '-out', certificate]);
    assert.equal(made.status, 0, String(made.stderr));
    const tlsPort = await freePort();
    await startRedis(['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no']);
    const lines: string[] = [];
    const { state } = connection({ log: { ...silentLog, warn: line => lines.push(line) } });
    const config = (tls: Record<string, string>): StateConfig => configOf({ url: `rediss://127.0.0.1:${String(tlsPort)}`, connectTimeoutMs: 1000, commandTimeoutMs: 1000, tls });
    state.configure(config({ serverName: 'redis.test' }));
    await state.ready();
    assert.equal(state.isUp, false, 'nobody vouches for the certificate');
    state.configure(config({ caFile: certificate, serverName: 'another.test' }));
    await state.ready();
    assert.equal(state.isUp, false, 'the certificate is for another name');
    assert.equal(lines.length, 2);
    state.configure(config({ caFile: certificate, serverName: 'redis.test' }));
    await state.ready();
    assert.ok(state.isUp);
    assert.equal(await state.command('PING', 'text'), '{waybill}:text');
  });

  it('reaches a cluster, with all keys of a script in one slot', async () => {
    const redis = await startRedis(['--cluster-enabled', 'yes']);
    // A node that holds no slot refuses every key, so the slots are given to it over a connection of its own.
    const admin = await createClient({ url: redis.url, RESP: 2 }).connect();
    await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    const { state } = connection();
    await until('the cluster is ready', () => { if (!state.isConfigured) state.configure(configOf({ url: redis.url, cluster: true })); return state.isUp; });
    const script = { name: 'two', source: 'redis.call("SET", KEYS[1], "a") redis.call("SET", KEYS[2], "b") return redis.call("MGET", KEYS[1], KEYS[2])' };
    assert.deepEqual(await state.run(script, ['one', 'another'], []), ['a', 'b']);
    admin.destroy();
  });
});
