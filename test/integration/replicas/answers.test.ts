import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createClient } from '@redis/client';
import { startRedis, withoutRedis } from '../../support/redisServer.ts';
import { killAll, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { chat, Provider, Replicas } from './replicas.ts';

const redis = withoutRedis === false ? await startRedis() : undefined;

describe('answers that replicas with a data folder each keep for each other', { skip: withoutRedis }, () => {
  const { folder, remove } = temporaryFolder();
  const provider = new Provider();
  const toolTokens = [['data-1', `waybill-${'a'.repeat(32)}`], ['data-2', `waybill-${'b'.repeat(32)}`]] as const;
  let one: ServerProcess;
  let other: ServerProcess;
  let replicas: Replicas | undefined;

  before(async () => {
    assert.ok(redis !== undefined);
    // Both data folders have one token, and each has a tool of the same name with a token of its own.
    for (const [dataDir, token] of toolTokens) {
      mkdirSync(path.join(folder, dataDir, 'tokens'), { recursive: true, mode: 0o700 });
      writeFileSync(path.join(folder, dataDir, 'token'), `${'c'.repeat(64)}\n`, { mode: 0o600 });
      writeFileSync(path.join(folder, dataDir, 'tokens', 'codex'), `${token}\n`, { mode: 0o600 });
    }
    replicas = new Replicas(folder, {
      endpoints: { north: { provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 100, outputPerMTok: 100 } } } } },
      routes: { batch: { targets: ['north/m'], responseCache: { replicas: true } }, alone: { targets: ['north/m'], responseCache: {} } },
      // A machine on which much else runs is given the time.
      state: { redis: { url: '${REDIS_URL}', commandTimeoutMs: 1000 }, answers: { secret: '${ANSWERS_SECRET}', waitMs: 1000 } },
      monitoring: { metrics: {} },
    }, { REDIS_URL: redis.url, ANSWERS_SECRET: 'a secret of thirty-two characters' });
    [one, other] = await Promise.all([replicas.start('data-1'), replicas.start('data-2')]);
  });
  after(async () => {
    await killAll(replicas?.children ?? []);
    await redis?.kill();
    provider.close();
    remove();
  });

  const ask = (server: ServerProcess, text: string, model = 'batch', more: object = {}): ReturnType<typeof chat> => chat(server, model, { temperature: 0, messages: [{ role: 'user', content: text }], ...more });
  const cacheOf = ({ headers }: Awaited<ReturnType<typeof chat>>): string | null => headers.get('x-waybill-cache');

  /** Asks one with a text that nobody has asked, then the other. The part is loaded behind the first requests, and answers are kept behind theirs. */
  async function askedInTurn(text: string, more: object = {}): Promise<Awaited<ReturnType<typeof chat>>> {
    let answered: Awaited<ReturnType<typeof chat>> | undefined;
    let turn = 0;
    await until('the other answers from what the first keeps', async () => {
      turn += 1;
      const words = `${text} ${String(turn)}`;
      assert.equal((await ask(one, words)).status, 200);
      await until('the answer is in the store', async () => Number(await command(['ZCARD', '{waybill}:answers'])) >= turn);
      const asked = provider.asked;
      answered = await ask(other, words, 'batch', more);
      return cacheOf(answered) === 'hit' && provider.asked === asked;
    }, 30_000);
    assert.ok(answered !== undefined);
    return answered;
  }

  async function command(words: string[]): Promise<unknown> {
    const client = createClient({ url: redis?.url ?? '' });
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  }

  it('are given to callers of another one, whole and as a stream, and booked as what a memory gives', async () => {
    const { id, text } = await askedInTurn('plain');
    assert.equal((JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content, 'yes');
    const receipt = await other.receipt(id);
    assert.deepEqual([receipt.cache?.state, receipt.cache?.from, receipt.attempts.length, receipt.cost.microUsd], ['hit', 'replicas', 0, 0]);
    assert.equal(receipt.cache?.savedMicroUsd, 1_000);
    assert.equal(receipt.cache?.savedEstimated, undefined);
    const stream = await ask(other, 'plain 1', 'batch', { stream: true });
    assert.match(stream.text, /"content":"yes"[^]*data: \[DONE\]/);
    const metrics = await (await fetch(`${other.url}/metrics`, { headers: { authorization: `Bearer ${other.token}` } })).text();
    assert.match(metrics, /^waybill_response_cache_reads_total\{layer="replicas",outcome="hit"\} [1-9]/m);
  });

  it('are in the store without a word of a prompt, an answer or a model, and only those of routes that say so', async () => {
    const before = await command(['ZCARD', '{waybill}:answers']);
    assert.equal((await ask(one, 'for this server alone', 'alone')).status, 200);
    assert.equal(cacheOf(await ask(one, 'for this server alone', 'alone')), 'hit');
    assert.equal(cacheOf(await ask(other, 'for this server alone', 'alone')), 'miss');
    assert.equal(await command(['ZCARD', '{waybill}:answers']), before);
    const keys = (await command(['KEYS', '*answers*'])) as string[];
    assert.ok(keys.length > 3);
    for (const key of keys) {
      if (await command(['TYPE', key]) !== 'string') continue;
      const value = String(await command(['GET', key]));
      for (const word of ['plain', 'yes', 'north', 'content']) {
        // A word of three letters is in base64 by chance, so it is looked for with what stands beside it.
        for (const text of [key, value, Buffer.from(value.replace(/^\d+ /, ''), 'base64').toString('latin1')]) assert.ok(!text.includes(`"${word}`), word);
      }
    }
  });

  it('are not given to a tool of another data folder that has the same name and another token', async () => {
    const [ofOne, ofOther] = toolTokens.map(([, token]) => ({ authorization: `Bearer ${token}` }));
    const asTool = (server: ServerProcess, headers: Record<string, string> | undefined): ReturnType<typeof chat> => chat(server, 'batch', { temperature: 0, messages: [{ role: 'user', content: 'of a tool' }] }, headers);
    const before = Number(await command(['ZCARD', '{waybill}:answers']));
    const first = await asTool(one, ofOne);
    assert.equal(first.status, 200, first.text);
    await until('the answer is in the store', async () => Number(await command(['ZCARD', '{waybill}:answers'])) > before);
    assert.equal(cacheOf(await asTool(one, ofOne)), 'hit');
    assert.equal(cacheOf(await asTool(other, ofOther)), 'miss');
  });

  it('are gone with Redis, and requests go on', async () => {
    await redis?.kill();
    assert.equal((await ask(other, 'redis is gone')).status, 200);
    assert.equal(cacheOf(await ask(other, 'redis is gone')), 'hit', 'its own memory answers');
    assert.equal(cacheOf(await ask(one, 'redis is gone')), 'miss');
  });
});
