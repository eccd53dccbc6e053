import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { LearntRepairs, type RepairTarget } from '../../../server/exchange/learntRepairs.ts';
import type { RepairNote } from '../../../server/ledger/peerNotes.ts';
import type { Repair } from '../../../server/protocols/repairs/repair.ts';

const here = { name: 'e', baseUrl: 'https://a.example', provider: { id: 'openai-compatible' } };
const at = (model: string, endpoint = here): RepairTarget => ({ endpoint, form: 'openai-chat', model });
const day = 24 * 60 * 60 * 1000;
const noSeed: Repair = { kind: 'drop', name: 'seed' };
const limit: Repair = { kind: 'output-limit', most: 8192 };
const noStore: Repair = { kind: 'drop', name: 'store' };
const configured = (endpoint: typeof here, ...others: string[]): EndpointConfig[] => [{ ...endpoint, protocolRules: others.map(baseUrl => ({ baseUrl })) } as unknown as EndpointConfig];

function known(learnt: LearntRepairs, model: string, now: number, endpoint = here): readonly Repair[] | undefined {
  return learnt.of(endpoint, 'openai-chat', model, now);
}

describe('what was learnt from refusals', () => {
  test('holds for one model and form of requests at one endpoint, provider and address', () => {
    const learnt = new LearntRepairs();
    assert.equal(known(learnt, 'm', 0), undefined);
    learnt.learn(at('m'), [noSeed], 0);
    assert.deepEqual(known(learnt, 'm', 1), [noSeed]);
    assert.deepEqual(known(learnt, 'm', 1, { ...here }), [noSeed], 'also for another object of the same endpoint');
    const others = [{ ...here, name: 'f' }, { ...here, baseUrl: 'https://b.example' }, { ...here, provider: { id: 'vllm' } }];
    assert.deepEqual(others.map(endpoint => known(learnt, 'm', 1, endpoint)), [undefined, undefined, undefined]);
    assert.deepEqual([known(learnt, 'other', 1), learnt.of(here, 'anthropic-messages', 'm', 1), learnt.of(here, 'completion', 'm', 1)], [undefined, undefined, undefined]);
  });

  test('is forgotten after a day, each part by itself', () => {
    const learnt = new LearntRepairs();
    learnt.learn(at('m'), [noSeed], 0);
    learnt.learn(at('m'), [noSeed, noStore], day / 2);
    assert.deepEqual(known(learnt, 'm', day - 1), [noSeed, noStore]);
    assert.deepEqual(known(learnt, 'm', day), [noStore]);
    assert.equal(known(learnt, 'm', 2 * day), undefined);
  });

  test('is taken back where it did not help', () => {
    const learnt = new LearntRepairs();
    learnt.learn(at('m'), [noSeed, noStore], 0);
    learnt.forget(at('m'), [noSeed], 1);
    assert.deepEqual(known(learnt, 'm', 1), [noStore]);
  });

  test('leaves a limit out that is refused under both of its names', () => {
    const learnt = new LearntRepairs();
    learnt.learn(at('m'), [{ kind: 'rename', name: 'max_tokens', to: 'max_completion_tokens' }], 0);
    assert.deepEqual(learnt.learn(at('m'), [{ kind: 'rename', name: 'max_completion_tokens', to: 'max_tokens' }], 1), [{ kind: 'drop', name: 'max_completion_tokens' }]);
  });

  test('is bounded', () => {
    const learnt = new LearntRepairs();
    for (let index = 0; index < 3000; index += 1) learnt.learn(at(`m${String(index)}`), [noSeed], 0);
    assert.deepEqual([known(learnt, 'm0', 1), known(learnt, 'm2999', 1)], [undefined, [noSeed]]);
    for (let index = 0; index < 100; index += 1) learnt.learn(at('m2999'), [{ kind: 'drop', name: `f${String(index)}` }], 0);
    assert.equal(known(learnt, 'm2999', 1)?.length, 32);
  });

  test('is said in words, by model, at each address of the endpoint', () => {
    const learnt = new LearntRepairs();
    learnt.learn(at('m'), [noSeed, { kind: 'drop', name: 'reasoning_effort', value: '"minimal"' }], 0);
    learnt.learn({ ...at('m', { ...here, baseUrl: 'https://a.example/anthropic' }), form: 'anthropic-messages' }, [noStore], 0);
    const [endpoint] = configured(here, 'https://a.example/anthropic');
    assert.ok(endpoint !== undefined);
    assert.deepEqual(learnt.wordsOf(endpoint, 1), [
      'm: seed was left out, which this target refuses', 'm: reasoning_effort minimal was left out, which this target refuses', 'm: store was left out, which this target refuses',
    ]);
    assert.deepEqual(learnt.wordsOf(endpoint, day), []);
  });
});

describe('what peers and the next start learn of refusals', () => {
  /** Two servers on one data folder: what the first publishes is kept, the latest of each subject. */
  function twoServers(): { first: LearntRepairs; second: LearntRepairs; notes: RepairNote[] } {
    const notes: RepairNote[] = [];
    return { first: new LearntRepairs(note => { notes.push(note); }), second: new LearntRepairs(), notes };
  }

  test('is each part for a day from when it was learnt', () => {
    const { first, second, notes } = twoServers();
    first.learn(at('m'), [noSeed], 0);
    first.learn(at('m'), [noSeed, limit], day / 2);
    assert.equal(notes.length, 2, 'what is known already is published once');
    for (const note of notes) second.applyRemote(note, day / 2 + 1);
    assert.deepEqual(known(second, 'm', day - 1), [noSeed, limit]);
    assert.deepEqual(known(second, 'm', day), [limit]);
  });

  test('is that a part did not help', () => {
    const { first, second, notes } = twoServers();
    first.learn(at('m'), [noSeed], 0);
    first.forget(at('m'), [noSeed, noStore], 5);
    for (const note of notes) second.applyRemote(note, 6);
    assert.deepEqual([notes.length, known(second, 'm', 6)], [2, undefined]);
  });

  test('is nothing that is over, nor anything that is no repair', () => {
    const learnt = new LearntRepairs();
    const note: RepairNote = { kind: 'repair', endpoint: 'e', place: 'p', model: 'openai-chat m', repair: '{"kind":"drop","name":"seed"}', at: 0, until: day };
    learnt.applyRemote(note, day);
    for (const repair of ['', '{', '{"kind":"explode"}', '{"kind":"drop"}', '{"kind":"output-limit","most":0}', '{"kind":"output-limit","most":"8"}', '{"kind":"drop","name":"a secret of mine"}', '{"kind":"drop","name":"seed","value":{}}']) learnt.applyRemote({ ...note, repair }, 1);
    assert.deepEqual(learnt.wordsOf({ ...configured(here)[0] as EndpointConfig }, 1), []);
  });

  test('is no field whose name is free text', () => {
    const { first, notes } = twoServers();
    first.learn(at('m'), [{ kind: 'drop', name: 'what I said to the model' }, noSeed], 0);
    assert.deepEqual([known(first, 'm', 1)?.length, notes.map(({ repair }) => repair)], [2, ['{"kind":"drop","name":"seed"}']]);
  });

  test('is dropped with the address or the provider of the endpoint, by that server and by the next', () => {
    for (const elsewhere of [{ ...here, baseUrl: 'https://b.example' }, { ...here, provider: { id: 'vllm' } }, { ...here, name: 'f' }]) {
      const { first, second, notes } = twoServers();
      first.configure(configured(here), 0);
      first.learn(at('m'), [noSeed], 0);
      first.configure(configured(here), 1);
      assert.deepEqual(known(first, 'm', 1), [noSeed], 'a configuration that leaves it where it is changes nothing');
      first.configure(configured(elsewhere), 2);
      first.configure(configured(here), 3);
      for (const note of notes) second.applyRemote(note, 3);
      assert.deepEqual([known(first, 'm', 3), known(second, 'm', 3)], [undefined, undefined]);
    }
  });

  test('is kept where only a peer has the endpoint', () => {
    const { first, notes } = twoServers();
    first.applyRemote({ kind: 'repair', endpoint: 'z', place: 'elsewhere', model: 'openai-chat m', repair: '{"kind":"drop","name":"seed"}', at: 0, until: day }, 1);
    first.configure(configured(here), 2);
    first.configure([], 3);
    assert.deepEqual(notes, []);
  });
});
