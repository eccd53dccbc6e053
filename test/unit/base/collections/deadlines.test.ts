import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Deadlines, type Deadline } from '../../../../server/base/collections/deadlines.ts';
import { mockClock } from '../../exchange/attempt/mockClock.ts';

class Noted implements Deadline {
  dueAt = Infinity;
  before: Deadline | undefined;
  behind: Deadline | undefined;
  readonly name: string;
  readonly #note: (name: string) => void;

  constructor(name: string, note: (name: string) => void) {
    this.name = name;
    this.#note = note;
  }

  onDue(): void {
    this.#note(this.name);
  }
}

/** A list on a mocked clock, the names of what was due in it, and how often a timer of Node was set. */
function listed(t: TestContext): { clock: ReturnType<typeof mockClock>; list: Deadlines; due: string[]; set(name: string, inMs: number): Noted; timers(): number } {
  const clock = mockClock(t);
  const setTimer = t.mock.method(globalThis, 'setTimeout');
  const list = new Deadlines();
  const due: string[] = [];
  const set = (name: string, inMs: number): Noted => {
    const deadline = new Noted(name, known => due.push(known));
    const now = performance.now();
    list.add(deadline, now + inMs, now);
    return deadline;
  };
  return { clock, list, due, set, timers: () => setTimer.mock.callCount() };
}

describe('deadlines', () => {
  it('each happens once, at its moment and not before', t => {
    const { clock, due, set } = listed(t);
    set('later', 3_000);
    set('sooner', 1_000);
    set('between', 2_000);
    clock.tick(990);
    assert.deepEqual(due, []);
    clock.tick(20);
    assert.deepEqual(due, ['sooner']);
    clock.tick(1_000);
    assert.deepEqual(due, ['sooner', 'between']);
    clock.tick(60_000);
    assert.deepEqual(due, ['sooner', 'between', 'later']);
  });

  it('what is taken back does not happen, wherever it stands', t => {
    const { clock, list, due, set } = listed(t);
    const all = ['a', 'b', 'c', 'd', 'e'].map(name => set(name, 1_000));
    for (const index of [2, 0, 4]) list.remove(all[index] ?? assert.fail());
    clock.tick(2_000);
    assert.deepEqual(due, ['b', 'd']);
  });

  it('one that was taken back can be set again', t => {
    const { clock, list, due, set } = listed(t);
    const one = set('one', 1_000);
    set('other', 5_000);
    list.remove(one);
    const now = performance.now();
    list.add(one, now + 3_000, now);
    clock.tick(2_000);
    assert.deepEqual(due, []);
    clock.tick(1_100);
    assert.deepEqual(due, ['one']);
  });

  it('one sets and another takes back while it is due', t => {
    const { clock, list, due, set } = listed(t);
    const second = set('second', 1_000);
    list.remove(second);
    const first: Deadline = { dueAt: 0, before: undefined, behind: undefined, onDue: () => { list.remove(second); set('third', 500); } };
    const now = performance.now();
    list.add(first, now + 1_000, now);
    list.add(second, now + 1_000, now);
    clock.tick(1_100);
    assert.deepEqual(due, []);
    clock.tick(500);
    assert.deepEqual(due, ['third']);
  });

  it('one moves another that is due at the same moment', t => {
    const { clock, list, due, set } = listed(t);
    const now = performance.now();
    list.add({ dueAt: 0, before: undefined, behind: undefined, onDue: () => { list.add(moved, performance.now() + 3_000, performance.now()); } }, now + 1_000, now);
    const moved = set('moved', 1_000);
    set('last', 1_000);
    clock.tick(1_100);
    assert.deepEqual(due, ['last']);
    clock.tick(3_000);
    assert.deepEqual(due, ['last', 'moved']);
  });

  it('one that is set twice is in the list once, with its later setting', t => {
    const { clock, list, due, set } = listed(t);
    const one = set('one', 1_000);
    set('other', 2_000);
    const now = performance.now();
    list.add(one, now + 3_000, now);
    clock.tick(2_100);
    assert.deepEqual(due, ['other']);
    list.remove(one);
    clock.tick(60_000);
    assert.deepEqual(due, ['other']);
  });

  it('ten thousand are looked at every ten milliseconds, however many moments they have', t => {
    const { clock, due, set, timers } = listed(t);
    for (let count = 0; count < 10_000; count += 1) set('one', 1_000 + count);
    clock.tick(2_000);
    assert.ok(due.length > 950 && due.length <= 1_001, String(due.length));
    assert.ok(timers() < 150, String(timers()));
  });

  it('what one throws does not keep the others from happening', t => {
    const { clock, list, due, set } = listed(t);
    const now = performance.now();
    list.add({ dueAt: 0, before: undefined, behind: undefined, onDue: () => { throw new Error('broken'); } }, now + 1_000, now);
    set('other', 1_000);
    assert.throws(() => { clock.tick(1_100); }, /broken/);
    clock.tick(100);
    assert.deepEqual(due, ['other']);
  });

  it('a thousand that are set and taken back while another waits set one timer of Node', t => {
    const { list, set, timers } = listed(t);
    set('waits', 1_000);
    for (let count = 0; count < 1_000; count += 1) list.remove(set('request', 5_000));
    assert.equal(timers(), 1);
  });

  it('nothing is left that keeps a process alive once the last one was taken back', t => {
    const { list, set } = listed(t);
    const cleared = t.mock.method(globalThis, 'clearTimeout');
    const one = set('one', 1_000);
    const other = set('other', 2_000);
    list.remove(one);
    const before = cleared.mock.callCount();
    list.remove(other);
    assert.equal(cleared.mock.callCount(), before + 1);
  });
});
