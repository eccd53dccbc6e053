import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowCall, type CountHold } from '../../../../server/limits/replicas/countCalls.ts';
import { CountEnds } from '../../../../server/limits/replicas/countEnds.ts';
import { budget } from './replicaServers.ts';

const counting = { state: { replica: 'r', prefix: '{test}:' }, ledger: 'l' };
const daily = budget('daily', 10);
const hold = (id: string): CountHold => ({ id, claims: [], allowances: [daily], microUsd: 100, second: 0 });

describe('ends that the store was not told', () => {
  it('are bounded, keep the money of those that were merged, and what people ordered', () => {
    const ends = new CountEnds({ ...counting, most: 3, call: () => Promise.resolve(undefined), told: () => undefined, failed: () => undefined });
    ends.add('order', allowCall(counting, 'order', daily.key, 5, 0));
    for (let index = 0; index < 10; index += 1) ends.add(`e-${String(index)}`, { hold: hold(`e-${String(index)}`), requests: 1, settled: 30, unknown: 1, tokens: 1, isUncertain: index === 9 });
    assert.deepEqual([...ends.ids()], ['order', 'e-8', 'e-9']);
    assert.ok(ends.hasUnnamed);
    assert.deepEqual(ends.takeMerged(), [[daily.key, { settled: 8 * (30 - 100), unknown: 8 }]]);
    assert.deepEqual(ends.takeMerged(), []);
  });

  it('do not hold each other up where one always fails', async () => {
    const told: string[] = [];
    const failures: unknown[] = [];
    const ends = new CountEnds({
      ...counting, call: ({ args }) => (args[2] === 'bad' ? Promise.reject(new Error('WRONGTYPE')) : Promise.resolve([0, []])),
      told: ({ args }) => { told.push(String(args[2])); }, failed: error => { failures.push(error); },
    });
    for (const id of ['one', 'bad', 'two']) ends.add(id, { hold: hold(id), requests: 1, settled: 1, unknown: 0, tokens: 1, isUncertain: false });
    assert.equal(await ends.tellAll(), true);
    assert.deepEqual([told, failures.length, ends.size], [['one', 'two'], 1, 0]);
  });
});
