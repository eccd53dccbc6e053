import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { silentLog } from '../../../../../server/base/log.ts';
import type { AnswersConfig } from '../../../../../server/config/state/stateConfig.ts';
import { resolveState } from '../../../../../server/config/state/resolveState.ts';
import { LayerFigures } from '../../../../../server/exchange/cache/layerFigures.ts';
import { ReplicaAnswers } from '../../../../../server/exchange/cache/replicas/replicaAnswers.ts';
import { SharedAnswer } from '../../../../../server/exchange/cache/sharedAnswer.ts';
import { StateConnection } from '../../../../../server/state/stateConnection.ts';
import type { StateStore } from '../../../../../server/state/stateStore.ts';
import { startRedis, withoutRedis } from '../../../../support/redisServer.ts';
import { AnswerStoreFake, answersConfig } from './answerStoreFake.ts';

const secretWords = 'the launch code is 0000';
const target = { target: 'a/m', endpoint: 'a', model: 'm', upstreamModel: 'name-of-the-model' };
const cost = { microUsd: 42, estimated: true };
const hourMs = 3_600_000;

function answerOf(text: string): SharedAnswer {
  const answer = new SharedAnswer('x-1', 'auto');
  answer.origin = { target };
  answer.append([{ type: 'start', id: 'c' }, { type: 'text', text }, { type: 'finish', reason: 'end' }]);
  answer.end({ kind: 'whole', refusal: false });
  return answer;
}

interface Under { answers: ReplicaAnswers; figures: LayerFigures; warnings: string[]; clock: { now: number } }

function replica(store: Pick<StateStore, 'isUp' | 'run'>, changes: Partial<AnswersConfig> = {}, version = '1.0.0'): Under {
  const figures = new LayerFigures();
  const warnings: string[] = [];
  const clock = { now: 5_000_000 };
  return { figures, warnings, clock, answers: new ReplicaAnswers({ store, figures, version, config: { ...answersConfig, ...changes }, now: () => clock.now, log: { warn: text => { warnings.push(text); } } }) };
}

function textIn(answer: SharedAnswer | undefined): string | undefined {
  return answer?.events.flatMap(event => (event.type === 'text' ? [event.text] : [])).join('');
}

describe('answers that replicas keep for each other', () => {
  it('are found by another replica with their events, their age and what they had cost, and no word of them is in the store', async () => {
    const store = new AnswerStoreFake();
    await replica(store).answers.keep('auto', 'key', answerOf(secretWords), cost, hourMs);
    store.now += 1_234;
    const { answers, figures, clock } = replica(store);
    const found = await answers.find('auto', ['other', 'key'], hourMs);
    assert.equal(found?.place, 1);
    assert.equal(textIn(found.answer), secretWords);
    assert.deepEqual(found.answer.state, { kind: 'whole', refusal: false });
    assert.deepEqual(found.answer.origin, { target });
    assert.deepEqual([found.answer.of, clock.now - found.answer.keptAt], ['x-1', 1_234]);
    const use = { state: 'hit' as const };
    found.answer.price.saves(use);
    assert.deepEqual(use, { state: 'hit', savedMicroUsd: 42, savedEstimated: true });
    assert.equal(figures.reads.replicas.hit, 1);
    for (const [name, { text }] of store.kept) for (const word of ['launch code', 'name-of-the-model']) assert.ok(![name.slice('answers:'.length), text, Buffer.from(text, 'base64').toString('latin1')].some(one => one.includes(word)), word);
  });

  it('stay without a cost where that is unknown', async () => {
    const store = new AnswerStoreFake();
    const { answers } = replica(store);
    await answers.keep('auto', 'key', answerOf('yes'), undefined, hourMs);
    const use = { state: 'hit' as const };
    (await answers.find('auto', ['key'], hourMs))?.answer.price.saves(use);
    assert.deepEqual(use, { state: 'hit' });
  });

  it('are those of embeddings, byte by byte', async () => {
    const { answers } = replica(new AnswerStoreFake());
    const whole = new SharedAnswer('x-1', 'auto');
    whole.origin = { target };
    whole.setBody(Buffer.from([0, 255, 1, 254]));
    whole.end({ kind: 'whole', refusal: false });
    await answers.keep('auto', 'key', whole, cost, hourMs);
    assert.deepEqual((await answers.find('auto', ['key'], hourMs))?.answer.body, Buffer.from([0, 255, 1, 254]));
  });

  it('are compressed where they are long', async () => {
    const store = new AnswerStoreFake();
    const { answers } = replica(store);
    await answers.keep('auto', 'key', answerOf('again and again '.repeat(1_000)), cost, hourMs);
    const [kept] = store.kept.values();
    assert.ok((kept?.text.length ?? Infinity) < 1_000);
    assert.equal(textIn((await answers.find('auto', ['key'], hourMs))?.answer), 'again and again '.repeat(1_000));
  });

  it('are not those of another secret, another version, another route or another key', async () => {
    const store = new AnswerStoreFake();
    const { answers } = replica(store);
    await answers.keep('auto', 'key', answerOf('yes'), cost, hourMs);
    assert.equal(await replica(store, { secret: 'another secret of thirty-two characters' }).answers.find('auto', ['key'], hourMs), undefined);
    assert.equal(await replica(store, {}, '1.0.1').answers.find('auto', ['key'], hourMs), undefined);
    assert.equal(await answers.find('other', ['key'], hourMs), undefined);
    assert.equal(await answers.find('auto', ['yek'], hourMs), undefined);
    assert.ok(await answers.find('auto', ['key'], hourMs));
  });

  it('are not used where a byte was changed, a part is missing, the form is another one, or one stands in the place of another', async () => {
    const store = new AnswerStoreFake();
    const { answers, figures, warnings } = replica(store);
    await answers.keep('auto', 'key', answerOf('yes'), cost, hourMs);
    await answers.keep('auto', 'other', answerOf('no'), cost, hourMs);
    const [name = '', other = ''] = store.kept.keys();
    const { at, text } = store.kept.get(name) ?? assert.fail();
    const bytes = Buffer.from(text, 'base64');
    const changes: Buffer[] = [Buffer.alloc(0), bytes.subarray(0, 20), bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.from(store.kept.get(other)?.text ?? '', 'base64')];
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      changes.push(changed);
    }
    for (const changed of changes) {
      store.kept.set(name, { at, text: changed.toString('base64') });
      assert.equal(await answers.find('auto', ['key'], hourMs), undefined);
    }
    assert.equal(figures.reads.replicas.unreadable, changes.length);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /give all replicas the same "secret"/);
  });

  it('are not kept where they are too large', async () => {
    const store = new AnswerStoreFake();
    const { answers, figures } = replica(store, { maxAnswerBytes: 200 });
    await answers.keep('auto', 'key', answerOf(Array.from({ length: 100 }, (_one, index) => String(index ** 5)).join(' ')), cost, hourMs);
    assert.equal(store.kept.size, 0);
    assert.equal(figures.writes['too-large'], 1);
  });

  it('are not asked for while the store is away', () => {
    const store = new AnswerStoreFake();
    const { answers, figures } = replica(store);
    store.isUp = false;
    assert.equal(answers.find('auto', ['key'], hourMs), undefined);
    assert.deepEqual(store.asked, []);
    assert.equal(figures.reads.replicas.away, 1);
  });

  it('are waited for no longer than the bound, and after three that came late not asked for a while', async () => {
    const store = new AnswerStoreFake();
    const { answers, figures, clock } = replica(store, { waitMs: 1 });
    await answers.keep('auto', 'key', answerOf('yes'), cost, hourMs);
    store.isSlow = true;
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(await answers.find('auto', ['key'], hourMs), undefined);
      store.answer();
    }
    assert.equal(answers.find('auto', ['key'], hourMs), undefined, 'none is asked now');
    assert.equal(store.asked.filter(one => one === 'read an answer').length, 3);
    assert.deepEqual([figures.reads.replicas.late, figures.reads.replicas.miss, figures.reads.replicas.hit], [4, 0, 0]);
    clock.now += 10_000;
    assert.ok(answers.find('auto', ['key'], hourMs) instanceof Promise, 'it is asked again');
    store.answer();
  });
});

describe('answers in Redis', { skip: withoutRedis }, () => {
  const connection = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined });
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  before(async () => {
    redis = await startRedis();
    connection.configure(resolveState({ redis: { url: redis.url, commandTimeoutMs: 1000 } }, {}, (_path, text) => { assert.fail(text); }));
    await connection.ready();
    assert.ok(connection.isUp);
  });
  beforeEach(async () => { for (const key of ['answers', 'answers:sizes', 'answers:bytes']) await connection.command('DEL', key); });
  after(async () => {
    await connection.close();
    await redis?.kill();
  });

  it('are found, and gone when they are too old', async () => {
    const { answers } = replica(connection);
    await answers.keep('auto', 'found', answerOf('yes'), cost, hourMs);
    assert.equal(textIn((await answers.find('auto', ['nothing', 'found'], hourMs))?.answer), 'yes');
    assert.equal(await answers.find('auto', ['found'], 0), undefined, 'the route that asks allows no age');
    const [name] = await connection.command('ZRANGE', 'answers', 0, 0) as string[];
    const left = Number(await connection.command('PTTL', (name ?? '').replace(/^\{[^}]*\}:/, '')));
    assert.ok(left > hourMs - 60_000 && left <= hourMs, String(left));
  });

  it('are bounded together: those that are too old first go first', async () => {
    const { answers, figures } = replica(connection, { maxBytes: 3_000 });
    for (let number = 0; number < 8; number += 1) await answers.keep('auto', `bounded ${String(number)}`, answerOf(String(number)), cost, hourMs + number * 1_000);
    assert.equal(figures.writes.stored, 8);
    const kept: boolean[] = [];
    for (let number = 0; number < 8; number += 1) kept.push(await answers.find('auto', [`bounded ${String(number)}`], 2 * hourMs) !== undefined);
    assert.equal(kept[7], true);
    assert.equal(kept[0], false);
    assert.ok(kept.indexOf(true) > 0 && !kept.slice(kept.indexOf(true)).includes(false), String(kept));
    assert.ok(Number(await connection.command('GET', 'answers:bytes')) <= 3_000);
    assert.equal(Number(await connection.command('ZCARD', 'answers')), kept.filter(Boolean).length);
    await replica(connection, { maxBytes: 100 }).answers.keep('auto', 'too large for all', answerOf('x'), cost, hourMs);
    assert.equal(await answers.find('auto', ['too large for all'], hourMs), undefined);
  });

  it('are counted once however often they are kept anew', async () => {
    const { answers } = replica(connection);
    for (let turn = 0; turn < 3; turn += 1) await answers.keep('auto', 'anew', answerOf('yes'), cost, hourMs);
    assert.equal(Number(await connection.command('ZCARD', 'answers')), 1);
    assert.ok(Number(await connection.command('GET', 'answers:bytes')) < 1_500);
  });

  it('are forgotten for all replicas when one clears their route', async () => {
    const { answers } = replica(connection);
    await answers.keep('auto', 'cleared', answerOf('yes'), cost, hourMs);
    await answers.keep('other', 'cleared', answerOf('yes'), cost, hourMs);
    await answers.clear('auto');
    assert.equal(await replica(connection).answers.find('auto', ['cleared'], hourMs), undefined);
    assert.ok(await answers.find('other', ['cleared'], hourMs), 'those of another route stay');
  });
});
