import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import type { SpendReport } from '../../../server/api/receipt.ts';
import { missingEngine } from '../../support/engines/engines.ts';
import { until } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import type { CountedCall } from './countingProvider.ts';
import { eventWithinMs, Fleet, type FleetReplica } from './fleet.ts';

const answerTokens = 10;
const prices = { inputPerMTok: 1, cacheReadPerMTok: 0.1, outputPerMTok: 100 };
/** Of the endpoint `paid`, whose input costs nothing, so that what an answer is expected to cost is what it costs. */
const paidMicroUsd = answerTokens * prices.outputPerMTok;
const limits = { requests: 150, tokens: 4_000, atOnce: 30, microUsd: 150 * paidMicroUsd };
/** At once for each kind of limit. */
const perKind = 500;

/** In the second test: callers that ask one request after another, and requests whose answers never come. */
const callersEach = 8;
const heldCount = 10;
/** So many requests are answered between two events. */
const between = 25;

/** What a caller was told. */
interface Told { readonly model: string; readonly status: number; readonly exchange: string; /** The text of its request. */ readonly text: string; /** The answer came whole. */ readonly isWhole: boolean }

function configuration(provider: string): object {
  const endpoint = (name: string, more: object): object => ({
    provider: 'openai-compatible', baseUrl: `${provider}/${name}/v1`, keys: ['${PROVIDER_KEY}'], probe: { enabled: false }, breaker: { failures: 1_000 },
    models: Object.fromEntries(['m', 'held', 'cut', 'stalled'].map(model => [model, { prices }])), ...more,
  });
  return {
    endpoints: {
      requests: endpoint('requests', { limits: { requestsPerMinute: limits.requests } }),
      tokens: endpoint('tokens', { limits: { tokensPerMinute: limits.tokens } }),
      atOnce: endpoint('atOnce', { limits: { concurrency: limits.atOnce } }),
      paid: endpoint('paid', { models: { m: { prices: { ...prices, inputPerMTok: 0 } } } }),
      open: endpoint('open', { limits: { requestsPerMinute: 1_000_000, concurrency: 10_000 } }),
    },
    routes: {}, monitoring: { metrics: {} },
    budgets: { paid: { limitUsd: limits.microUsd / 1e6, period: 'day', per: 'endpoint', only: ['paid'] }, all: { limitUsd: 1_000, period: 'day' } },
    state: { redis: { url: '${REDIS_URL}', connectTimeoutMs: 1_000, commandTimeoutMs: 1_000 } }, ledger: { postgres: '${DATABASE_URL}' },
  };
}

describe('three replicas with one Redis and one PostgreSQL', { skip: missingEngine('redis', 'postgres') }, () => {
  const { folder, remove } = temporaryFolder();
  let fleet: Fleet;
  /** What callers were told, in both tests. */
  const told: Told[] = [];
  let asked = 0;
  before(async () => { fleet = await Fleet.start(folder, configuration); });
  after(() => fleet.close());
  after(remove);

  /** @returns undefined where no replica answered, not even with an error */
  async function ask(replica: FleetReplica, model: string, stream = false): Promise<Told | undefined> {
    const { pool } = replica;
    if (pool === undefined) return undefined;
    const content = `request ${String(asked += 1)}`;
    const response = await pool.request({
      method: 'POST', path: '/v1/chat/completions', headers: { 'authorization': `Bearer ${replica.server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, max_tokens: answerTokens, messages: [{ role: 'user', content }] }),
    }).catch(() => undefined);
    if (response === undefined) return undefined;
    const { statusCode: status, headers, body } = response;
    const whole = await (model.endsWith('/stalled') ? abandoned(body) : text(body)).catch(() => undefined);
    const one = { model, status, exchange: String(headers['x-waybill-exchange']), text: content, isWhole: whole !== undefined && (!stream || status !== 200 || whole.includes('data: [DONE]')) };
    told.push(one);
    return one;
  }

  async function callsOf(endpoint: string): Promise<readonly CountedCall[]> {
    return (await fleet.counted()).calls.filter(call => call.endpoint === endpoint);
  }

  /** No answer or error that a caller was told is without its record. */
  function assertAllRecorded(): void {
    const recorded = new Set(fleet.postgres.query('SELECT id FROM waybill.exchanges').map(([id]) => id));
    assert.deepEqual(told.filter(({ exchange }) => !recorded.has(exchange)), []);
  }

  /** What the docs promise: the limit while Redis decides; where a share decided about one of them, two thirds more with three servers. */
  async function boundOf(kind: 'limits' | 'budgets', limit: number): Promise<number> {
    const shares = await Promise.all(fleet.replicas.map(async replica => (await replica.metrics()).get(`waybill_shared_store_decisions_total{kind="${kind}",state="share"}`) ?? NaN));
    return shares.every(decisions => decisions === 0) ? limit : limit + 2 * Math.ceil(limit / 3);
  }

  it('pass no limit and no budget when 2,000 requests come at once, and have what the provider counted', async () => {
    const began = performance.now();
    const kinds = ['requests', 'tokens', 'atOnce', 'paid'];
    const answers = await Promise.all(Array.from({ length: perKind * kinds.length }, (_, index) => ask(fleet.replicas[index % 3] ?? assert.fail(), `${kinds[index % kinds.length] ?? ''}/m`)));
    // What a limit of a minute lets through again in the next one.
    const minutes = 1 + Math.floor((performance.now() - began) / 60_000);
    assert.deepEqual(answers.filter(answer => answer === undefined || ![200, 400, 503].includes(answer.status)), []);
    const { calls, most } = await fleet.counted();
    const of = (endpoint: string): readonly CountedCall[] => calls.filter(call => call.endpoint === endpoint);
    const tokens = of('tokens').reduce((sum, { usage }) => sum + usage.prompt + usage.completion, 0);
    /** How much of the limits was used, in their order. */
    const measured = [of('requests').length / minutes, tokens / minutes, most['atOnce'] ?? 0, of('paid').length * paidMicroUsd];
    const bounds = [await boundOf('limits', limits.requests), await boundOf('limits', limits.tokens), await boundOf('limits', limits.atOnce), await boundOf('budgets', limits.microUsd)];
    assert.deepEqual(measured.map((one, index) => one <= (bounds[index] ?? NaN)), [true, true, true, true], `${String(measured)} of ${String(bounds)}`);
    // The limits are what held them back.
    assert.deepEqual(measured.map((one, index) => one >= [limits.requests / 4, limits.tokens / 4, 2, limits.microUsd / 4][index]!), [true, true, true, true], String(measured));

    await fleet.settled();
    assertAllRecorded();
    assert.deepEqual(fleet.postgres.query(`SELECT count(*) FROM waybill.exchanges`), [[String(answers.length)]]);
    assert.deepEqual(
      fleet.postgres.query(`SELECT endpoint, count(*) FILTER (WHERE outcome = 'ok'), sum(input_tokens), sum(output_tokens), sum(cost_micro_usd), sum(usage_estimated) FROM waybill.attempts GROUP BY endpoint ORDER BY endpoint COLLATE "C"`),
      [...kinds].sort().map(endpoint => {
        const [count, input] = [of(endpoint).length, of(endpoint).reduce((sum, { usage }) => sum + usage.prompt, 0)];
        return [endpoint, count, input, count * answerTokens, count * paidMicroUsd + (endpoint === 'paid' ? 0 : input * prices.inputPerMTok), 0].map(String);
      }),
    );
  });

  it('lose nothing and double nothing while a replica, Redis, PostgreSQL and networks fail', async () => {
    const [victim, second, third] = fleet.replicas;
    const before = told.length;
    let isOver = false;
    /** Asks one request after another, also one that is cut off by the provider or left by the caller, until everything has happened. */
    const caller = async (replica: FleetReplica, index: number): Promise<void> => {
      for (let turn = index; !isOver; turn += 1) {
        const [model, stream] = turn % 9 === 0 ? ['open/cut', true] as const : turn % 9 === 1 ? ['open/stalled', true] as const : turn % 9 === 2 ? ['requests/m', false] as const : ['open/m', turn % 2 === 0] as const;
        if (await ask(replica, model, stream) === undefined) await new Promise(resolve => setTimeout(resolve, 50));
      }
    };
    const callers = fleet.replicas.flatMap(replica => Array.from({ length: callersEach }, (_, index) => caller(replica, index)));
    const more = async (): Promise<void> => {
      const from = told.length;
      await until('requests are answered', () => told.length >= from + between, eventWithinMs);
    };
    let held: Promise<Told | undefined>[] = [];
    try {
      await more();

      // A replica is killed while requests run, and comes back while Redis is gone.
      held = Array.from({ length: heldCount }, () => ask(victim, 'open/held'));
      await until('the provider holds them', async () => (await callsOf('open')).filter(({ model }) => model === 'held').length === heldCount, eventWithinMs);
      await until('they are in its file', () => victim.running('open/held') === heldCount, eventWithinMs);
      await victim.kill();
      await more();
      await fleet.redis.kill();
      const back = victim.start();
      for (const replica of [second, third]) await replica.until('Redis is away', 'waybill_shared_store_up', up => up === 0);
      await more();
      await back;
      await fleet.redis.start();

      await fleet.postgres.kill();
      for (const replica of fleet.replicas) await replica.until('PostgreSQL is away', 'waybill_shared_ledger_up', up => up === 0);
      await more();
      await fleet.postgres.start();
      for (const replica of fleet.replicas) await replica.until('Redis is back', 'waybill_shared_store_up', up => up === 1);

      // One replica hears nothing of the engines any more, and another one's connections break.
      await Promise.all([fleet.setNetworks(second, 'silent'), fleet.setNetworks(third, 'cut')]);
      await second.until('Redis does not answer', 'waybill_shared_store_up', up => up === 0);
      await third.until('Redis cannot be reached', 'waybill_shared_store_up', up => up === 0);
      await third.until('PostgreSQL cannot be reached', 'waybill_shared_ledger_up', up => up === 0);
      await more();
      await Promise.all([second, third].map(replica => fleet.setNetworks(replica, 'up')));
      await more();
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    assert.deepEqual(new Set(await Promise.all(held)), new Set([undefined]));
    await fleet.settled();

    assertAllRecorded();
    const calls = await callsOf('open');
    // Without attempts that did not reach the provider.
    const rows = fleet.postgres.query(`SELECT key_last4, model, usage_estimated, cost_certainty, exchange_id, input_tokens, cache_read_tokens, output_tokens, cost_micro_usd FROM waybill.attempts WHERE endpoint = 'open'
      AND NOT (outcome <> 'ok' AND usage_estimated = 0 AND input_tokens IS NULL)`);
    const exact = rows.filter(([, , estimated]) => estimated === '0');
    // What the provider said is recorded as it said it, and once.
    const saidBy = new Map(calls.map(call => [String(call.usage.prompt), call]));
    assert.equal(new Set(exact.map(([, , , , , input]) => input)).size, exact.length, 'no call is recorded twice');
    for (const [last4, , , certainty, , input = '', ...figures] of exact) {
      const { key, isSent, usage: { prompt, cached, completion } } = saidBy.get(input) ?? assert.fail(`The provider was never asked for ${input} tokens.`);
      assert.deepEqual([last4, certainty, ...figures, isSent], [key.slice(-4), 'exact', ...[cached, completion, prompt * prices.inputPerMTok + cached * prices.cacheReadPerMTok + completion * prices.outputPerMTok].map(String), true]);
    }
    // What was cut off is marked.
    const marked = rows.filter(([, , estimated]) => estimated !== '0');
    assert.deepEqual(marked.filter(([, , , certainty]) => certainty === 'exact'), []);
    const isExact = new Set(exact.map(([, , , , , input]) => input));
    assert.deepEqual(calls.filter(({ isSent, usage, key }) => isSent && key !== victim.key && !isExact.has(String(usage.prompt))), [], 'usage that was delivered is recorded');
    for (const { key, last4 } of [second, third]) assert.equal(rows.filter(row => row[0] === last4).length, calls.filter(call => call.key === key).length, 'each call has a record');
    assert.equal(marked.filter(row => row[0] === victim.last4 && row[1] === 'held').length, heldCount, 'what the killed replica had asked for is recorded');
    // In its last moment it may have asked once for each caller without writing that down, or written down what it did not ask for any more.
    const difference = rows.filter(row => row[0] === victim.last4).length - calls.filter(call => call.key === victim.key).length;
    assert.ok(Math.abs(difference) <= callersEach, String(difference));
    // Answers that callers got whole have their figures, or a mark where their replica was killed then.
    const byExchange = Map.groupBy(rows, row => row[4]);
    const wrong = told.slice(before).filter(({ model, status, isWhole, text: content, exchange }) => {
      if (model !== 'open/m' || status !== 200 || !isWhole) return false;
      const call = calls.find(one => one.text === content);
      const [row] = byExchange.get(exchange) ?? [];
      return call === undefined || row === undefined || (row[5] !== String(call.usage.prompt) && !(call.key === victim.key && row[2] === '1'));
    });
    assert.deepEqual(wrong, []);

    // Every replica says the sums of all, and has all of the budget that nothing was asked of since.
    const [[microUsd, unknown, paid] = []] = fleet.postgres.query(`SELECT sum(cost_micro_usd), count(*) FILTER (WHERE cost_certainty = 'unknown'), sum(cost_micro_usd) FILTER (WHERE endpoint = 'paid') FROM waybill.attempts`);
    for (const replica of fleet.replicas) {
      const { totals, scope } = await replica.server.get('/waybill/spend') as SpendReport;
      assert.deepEqual([totals.microUsd, totals.unknownAttempts, totals.exchanges, scope], [Number(microUsd), Number(unknown), Number(fleet.postgres.query('SELECT count(*) FROM waybill.exchanges')[0]?.[0]), { replicas: 'all', count: 3 }]);
      await until('its count of the budget is whole', async () => {
        const { budgets } = await replica.server.get('/waybill/budgets') as { budgets: BudgetStatus[] };
        return budgets.find(({ name }) => name === 'paid')?.spentMicroUsd === Number(paid);
      }, eventWithinMs);
    }
  });
});

/** Reads the begin of an answer and goes away. */
async function abandoned(body: AsyncIterable<unknown> & { destroy(): void }): Promise<undefined> {
  for await (const _ of body) break;
  body.destroy();
  return undefined;
}
