import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Emitter } from '../../../server/base/emitter.ts';
import { silentLog, type Log } from '../../../server/base/log.ts';

function emitter(): { emitter: Emitter<number>; said: string[] } {
  const said: string[] = [];
  const log: Log = { ...silentLog, error: (message) => { said.push(message); } };
  return { emitter: new Emitter('The test', log), said };
}

describe('an emitter', () => {
  it('calls every listener, in the order of subscription', () => {
    const { emitter: made } = emitter();
    const calls: string[] = [];
    made.subscribe((value) => { calls.push(`first ${value}`); });
    made.subscribe((value) => { calls.push(`second ${value}`); });
    made.emit(1);
    assert.deepEqual(calls, ['first 1', 'second 1']);
  });

  it('calls a listener no more once it is disposed of, and twice is safe', () => {
    const { emitter: made } = emitter();
    const calls: number[] = [];
    const listen = (value: number): void => { calls.push(value); };
    const first = made.subscribe(listen);
    made.subscribe(listen);
    first.dispose();
    first.dispose();
    made.emit(1);
    assert.deepEqual(calls, [1], 'the other subscription of the same function stays');
    assert.equal(made.hasListeners, true);
  });

  it('has no listeners after the last is gone', () => {
    const { emitter: made } = emitter();
    assert.equal(made.hasListeners, false);
    made.subscribe(() => undefined).dispose();
    assert.equal(made.hasListeners, false);
  });

  it('survives a listener that throws or rejects: the others are called, and the log has a line now and then', async () => {
    const { emitter: made, said } = emitter();
    let calls = 0;
    made.subscribe(() => { throw new Error('injected'); });
    made.subscribe(() => Promise.reject(new Error('injected later')));
    made.subscribe(() => { calls += 1; });
    for (let count = 0; count < 32; count += 1) made.emit(count);
    await new Promise((resolve) => { setImmediate(resolve); });
    assert.equal(calls, 32);
    assert.equal(said.length, 12, 'each of the two is logged at its 1st, 2nd, 4th, 8th, 16th and 32nd error');
    assert.equal(said[0], 'The test failed; the rest goes on.');
  });

  it('lets a listener subscribe and dispose during an event, which counts from the next one on', () => {
    const { emitter: made } = emitter();
    const calls: string[] = [];
    const first = made.subscribe(() => {
      calls.push('first');
      first.dispose();
      made.subscribe(() => { calls.push('third'); });
    });
    made.subscribe(() => { calls.push('second'); });
    made.emit(1);
    assert.deepEqual(calls, ['first', 'second']);
    made.emit(2);
    assert.deepEqual(calls, ['first', 'second', 'second', 'third']);
  });
});
