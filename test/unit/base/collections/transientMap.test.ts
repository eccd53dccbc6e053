import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TransientMap } from '../../../../server/base/collections/transientMap.ts';

interface Value { name: string; ballast?: number[] }

describe('TransientMap', () => {
  it('keeps values by key, in the order in which keys came', () => {
    const map = new TransientMap<Value>();
    map.set('one', { name: 'first' });
    map.set('two', { name: 'second' });
    map.set('one', { name: 'first again' });
    assert.equal(map.size, 2);
    assert.equal(map.get('one')?.name, 'first again');
    assert.equal(map.has('three'), false);
    assert.deepEqual([...map], [['one', { name: 'first again' }], ['two', { name: 'second' }]]);
    assert.deepEqual([...map.values()].map(({ name }) => name), ['first again', 'second']);
  });

  it('forgets what is deleted or cleared', () => {
    const map = new TransientMap<Value>();
    for (const name of ['one', 'two', 'three']) map.set(name, { name });
    map.delete('two');
    map.delete('nothing');
    assert.equal(map.get('two'), undefined);
    assert.deepEqual([...map.values()].map(({ name }) => name), ['one', 'three']);
    map.clear();
    assert.equal(map.size, 0);
    assert.equal(map.get('one'), undefined);
    map.set('two', { name: 'anew' });
    assert.deepEqual([...map.values()], [{ name: 'anew' }]);
  });

  it('lets entries be deleted while they are gone through', () => {
    const map = new TransientMap<Value>();
    for (const name of ['one', 'two', 'three']) map.set(name, { name });
    const seen: string[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key);
      map.delete('two');
    }
    assert.deepEqual(seen, ['one', 'three']);
    assert.equal(map.size, 0);
  });

  it('keeps nothing of removed values alive, however long it lives itself', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
    const oldBytes = (): number => getHeapSpaceStatistics().find(space => space.space_name === 'old_space')?.space_used_size ?? 0;
    const map = new TransientMap<Value>();
    const rounds = 100;
    const valuesARound = 50;
    const ballast = 128;
    const churn = (): void => {
      for (let round = 0; round < rounds; round++) {
        for (let index = 0; index < valuesARound; index++) {
          map.set(`${round} ${index}`, { name: 'value', ballast: new Array<number>(ballast).fill(round) });
          if (index >= 10) map.delete(`${round} ${index - 10}`);
        }
        collect({ type: 'minor' });
        map.clear();
      }
    };
    churn();
    collect();
    const before = oldBytes();
    churn();
    const made = rounds * valuesARound * ballast * 8;
    assert.ok(oldBytes() - before < made / 4, `${oldBytes() - before} bytes of ${made} stayed`);
  });
});
