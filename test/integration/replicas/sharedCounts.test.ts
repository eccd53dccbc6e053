import assert from 'node:assert/strict';
import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import { startRedis, withoutRedis, type RedisServer } from '../../support/redisServer.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { killAll, serverEntry, startServer, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { Provider } from './replicas.ts';

/** Every answer has as many tokens as its request may have at most, so that what is expected of it is exact. */
const answerTokens = 10;
const outputPerMTok = 100;
const answerMicroUsd = answerTokens * outputPerMTok;
const startAtMostMs = 90_000;

const { folder, remove } = temporaryFolder();
const children: ChildProcess[] = [];
const providers: Provider[] = [];
after(async () => {
  await killAll(children);
  for (const provider of providers) provider.close();
  remove();
});

interface Replica extends ServerProcess { readonly dataDir: string }

async function start(configFile: string, dataDir: string, redisUrl: string): Promise<Replica> {
  const server = await startServer({ configFile, dataDir, environment: { REDIS_URL: redisUrl }, withinMs: startAtMostMs });
  children.push(server.child);
  return { ...server, dataDir };
}

/** Servers, each with a data folder of its own, before one provider and one Redis. */
async function scene(name: string, count: number, settings: { limits?: object; budgets?: object; whenAway?: object; monitoring?: object }, redisUrl: string): Promise<{ provider: Provider; replicas: Replica[]; configFile: string }> {
  const provider = new Provider(answerTokens);
  providers.push(provider);
  const configFile = path.join(folder, `${name}.yaml`);
  writeFileSync(configFile, JSON.stringify({
    endpoints: { a: { provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 0, outputPerMTok } } }, limits: settings.limits } },
    routes: {}, ...(settings.monitoring === undefined ? {} : { monitoring: settings.monitoring }), ...(settings.budgets === undefined ? {} : { budgets: settings.budgets }), state: { redis: { url: '${REDIS_URL}', commandTimeoutMs: 500 }, ...(settings.whenAway === undefined ? {} : { whenAway: settings.whenAway }) },
  }));
  return { provider, configFile, replicas: await Promise.all(Array.from({ length: count }, (_, index) => start(configFile, path.join(folder, `${name}-${String(index)}`), redisUrl))) };
}

function ask({ url, token }: Replica, key = token): Promise<RawAnswer> {
  return rawRequest({ url: `${url}/v1/chat/completions`, headers: { authorization: `Bearer ${key}` }, body: JSON.stringify({ model: 'a/m', max_tokens: answerTokens, messages: [{ role: 'user', content: 'go' }] }) });
}

async function budgetOf({ url, token }: Replica): Promise<BudgetStatus> {
  const { text } = await rawRequest({ url: `${url}/waybill/budgets`, headers: { authorization: `Bearer ${token}` } });
  const { budgets: [first] } = JSON.parse(text) as { budgets: BudgetStatus[] };
  return first ?? assert.fail(text);
}

function statuses(answers: readonly RawAnswer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Redis behind a way that takes time. */
async function slowWay(redis: RedisServer): Promise<{ url: string; delayMs: number }> {
  const way = { url: '', delayMs: 0 };
  const sockets = new Set<Socket>();
  const proxy = createServer(socket => {
    const upstream = connect(redis.port, '127.0.0.1');
    for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) {
      sockets.add(from);
      from.on('data', data => { setTimeout(() => { if (!to.destroyed) to.write(data); }, from === upstream ? way.delayMs : 0); });
      from.on('error', () => undefined);
      from.on('close', () => { to.destroy(); });
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  way.url = `redis://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
  return way;
}

describe('three servers with data folders of their own and one Redis', { skip: withoutRedis }, () => {
  it('send no more requests in a minute than the limit of the endpoint', async () => {
    const redis = await startRedis();
    const { provider, replicas } = await scene('rate', 3, { limits: { requestsPerMinute: 30 } }, redis.url);
    const answers = await Promise.all(replicas.flatMap(replica => Array.from({ length: 20 }, () => ask(replica))));
    assert.deepEqual(statuses(answers), { 200: 30, 503: 30 });
    assert.equal(provider.asked, 30);
    const refused = answers.find(({ status }) => status === 503);
    assert.match(refused?.text ?? '', /its own limit of 30 requests a minute is used up/);
    assert.ok(Number(refused?.headers['retry-after']) > 0);
  });

  it('pass a budget by nothing, and show the same of it', async () => {
    const redis = await startRedis();
    const { provider, replicas } = await scene('budget', 3, { budgets: { daily: { limitUsd: 20 * answerMicroUsd / 1e6, period: 'day' } } }, redis.url);
    const answers = await Promise.all(replicas.flatMap(replica => Array.from({ length: 20 }, () => ask(replica))));
    assert.deepEqual(statuses(answers), { 200: 20, 400: 40 });
    assert.equal(provider.asked, 20);
    for (const replica of replicas) await until('it shows all of it', async () => { const { spentMicroUsd, reservedMicroUsd } = await budgetOf(replica); return spentMicroUsd === 20 * answerMicroUsd && reservedMicroUsd === 0; });
    assert.match(answers.find(({ status }) => status === 400)?.text ?? '', /The budget \\"daily\\"/);
  });

  it('count a budget on after all of them and Redis began anew', async () => {
    const redis = await startRedis();
    const { configFile, replicas: [first, second] } = await scene('anew', 2, { budgets: { daily: { limitUsd: 1, period: 'day' } } }, redis.url);
    assert.ok(first !== undefined && second !== undefined);
    await Promise.all([first, second].flatMap(replica => Array.from({ length: 3 }, () => ask(replica))));
    await until('both show it', async () => (await budgetOf(first)).spentMicroUsd === 6 * answerMicroUsd && (await budgetOf(second)).spentMicroUsd === 6 * answerMicroUsd);
    for (const { child } of [first, second]) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await redis.kill();
    await redis.start();
    const [again, other] = [await start(configFile, first.dataDir, redis.url), await start(configFile, second.dataDir, redis.url)];
    await ask(again);
    for (const replica of [again, other]) await until('both ledgers are in it', async () => { await ask(replica); const { spentMicroUsd } = await budgetOf(replica); return spentMicroUsd >= 7 * answerMicroUsd; });
  });

  it('refuse a token that two servers of one folder know, with the time to try again', async () => {
    const redis = await startRedis();
    const { provider, configFile, replicas: [first] } = await scene('token', 1, {}, redis.url);
    assert.ok(first !== undefined);
    const second = await start(configFile, first.dataDir, redis.url);
    const made = spawnSync(process.execPath, [serverEntry, 'token', 'create', '--name', 'ci', '--rpm', '5', '--data', first.dataDir, '--json'], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    const { token } = JSON.parse(made.stdout) as { token: string };
    await until('both know it', async () => (await Promise.all([first, second].map(({ url }) => rawRequest({ url: `${url}/v1/models`, headers: { authorization: `Bearer ${token}` } })))).every(({ status }) => status === 200));
    const answers = await Promise.all([first, second].flatMap(replica => Array.from({ length: 6 }, () => ask(replica, token))));
    assert.deepEqual(statuses(answers), { 200: 5, 429: 7 });
    assert.equal(provider.asked, 5);
    const refused = answers.find(({ status }) => status === 429);
    assert.match(refused?.text ?? '', /The request of ci was not sent: the limit of the token of 5 requests a minute is used up/);
    assert.ok(Number(refused?.headers['retry-after']) > 0);
  });

  it('go on with shares while Redis is slow and while it is gone, hold no request up, and never send more than the limit', async () => {
    const redis = await startRedis();
    const way = await slowWay(redis);
    const { provider, replicas: [first, second] } = await scene('away', 2, { limits: { requestsPerMinute: 40 } }, way.url);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(statuses(await Promise.all([first, second].flatMap(replica => Array.from({ length: 5 }, () => ask(replica))))), { 200: 10 });
    way.delayMs = 5_000;
    const slow = await Promise.all([first, second].flatMap(replica => Array.from({ length: 5 }, () => ask(replica))));
    assert.deepEqual(statuses(slow), { 200: 10 });
    for (const { written } of [first, second]) await until('it says so', () => written.stderr.includes('is away: it did not answer within 500 ms, 3 times in a row'));
    await redis.kill();
    const gone = await Promise.all([first, second].flatMap(replica => Array.from({ length: 30 }, () => ask(replica))));
    assert.deepEqual(statuses(gone), { 200: 20, 503: 40 });
    assert.equal(provider.asked, 40);
    assert.match(gone.find(({ status }) => status === 503)?.text ?? '', /this server's share of its own limit of 20 requests a minute is used up/);
    way.delayMs = 0;
    await redis.start();
    for (const { written } of [first, second]) await until('it is used again', () => written.stderr.split('is used, by').length > 2, 30_000);
    assert.deepEqual(statuses(await Promise.all([first, second].map(replica => ask(replica)))), { 503: 2 }, 'Redis, which came back empty, knows what was used');
    assert.equal(provider.asked, 40);
  });

  it('keep to their shares of a budget while Redis is gone, and refuse the rest with a time to try again', async () => {
    const redis = await startRedis();
    const { provider, replicas: [first, second] } = await scene('broke', 2, { budgets: { daily: { limitUsd: 10 * answerMicroUsd / 1e6, period: 'day' } }, monitoring: { metrics: {} } }, redis.url);
    assert.ok(first !== undefined && second !== undefined);
    await redis.kill();
    for (const { written } of [first, second]) await until('it noticed', () => written.stderr.includes('is away'));
    const answers: RawAnswer[] = [];
    for (const replica of [first, second]) for (let request = 0; request < 6; request += 1) answers.push(await ask(replica));
    assert.deepEqual(statuses(answers), { 200: 10, 503: 2 });
    assert.equal(provider.asked, 10);
    for (const { text, headers } of answers.filter(({ status }) => status === 503)) {
      assert.match(text, /nothing is left of this server's share of the budget \\"daily\\" \(\$0\.010 a day\) while the count that servers share is away/);
      assert.equal(headers['retry-after'], '1');
    }
    // A request that is refused is tried once more, and no further.
    const { text } = await rawRequest({ url: `${first.url}/metrics`, headers: { authorization: `Bearer ${first.token}` } });
    assert.equal(/^waybill_shared_store_decisions_total\{kind="budgets",state="share"\} (\d+)$/m.exec(text)?.[1], '7');
  });

  it('refuse with one sentence and a time to try again where the mode is "closed"', async () => {
    const redis = await startRedis();
    const { provider, replicas: [only] } = await scene('closed', 1, { limits: { requestsPerMinute: 40 }, whenAway: { limits: 'closed' }, monitoring: { metrics: {} } }, redis.url);
    assert.ok(only !== undefined);
    assert.equal((await ask(only)).status, 200);
    await redis.kill();
    await until('it noticed', () => only.written.stderr.includes('is away'));
    const refused = await ask(only);
    assert.equal(refused.status, 503);
    assert.match(refused.text, /the count of limits that servers share is away, and nothing that limits hold for is sent until it is back/);
    assert.equal(refused.headers['retry-after'], '1');
    const { text } = await rawRequest({ url: `${only.url}/metrics`, headers: { authorization: `Bearer ${only.token}` } });
    for (const line of ['waybill_shared_store_up 0', 'waybill_shared_store_losses_total 1', 'waybill_shared_store_mode{kind="limits",state="closed"} 1', 'waybill_shared_store_decisions_total{kind="limits",state="store"} 1']) assert.ok(text.includes(`${line}\n`), line);
    assert.match(text, /waybill_shared_store_decisions_total\{kind="limits",state="closed"\} [1-9]/);
    assert.match(text, /waybill_shared_store_call_duration_seconds_count [1-9]/);
    assert.equal(provider.asked, 1);
  });
});
