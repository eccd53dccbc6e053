import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { Guard, safeLog } from '../../../server/base/guarded.ts';
import { silentLog } from '../../../server/base/log.ts';
import { installLastDefence, quietWriter } from '../../../server/app/lastDefence.ts';

function listening(): { log: { error(message: string, cause?: unknown): void }; said: string[]; causes: unknown[] } {
  const said: string[] = [];
  const causes: unknown[] = [];
  return { said, causes, log: { error: (message, cause) => { said.push(message); causes.push(cause); } } };
}

function thrower(message: string): () => never {
  return () => { throw new Error(message); };
}

describe('a guard', () => {
  it('owns what is thrown, and gives results through', () => {
    const { log, said } = listening();
    const guard = new Guard('The clock', log);
    assert.equal(guard.run(() => 7), 7);
    assert.equal(guard.run(thrower('no')), undefined);
    assert.deepEqual(said, ['The clock failed; the rest goes on.']);
  });

  it('owns rejections of what it starts', async () => {
    const { log, said, causes } = listening();
    const guard = new Guard('A probe', log);
    guard.start(() => Promise.reject(new Error('late')));
    guard.wrap(thrower('at once'))();
    await new Promise((resolve) => { setImmediate(resolve); });
    assert.equal(said.length, 2);
    assert.match(String(causes[1]), /late/);
  });

  it('logs an error that comes every second at growing distance, and one after a calm time again', () => {
    const { log, said } = listening();
    const guard = new Guard('The tick', log);
    for (let count = 0; count < 1_000; count += 1) guard.run(thrower('again'));
    assert.equal(said.length, 10);
    assert.equal(said.at(-1), 'The tick failed 512 times; the rest goes on.');
    for (let count = 0; count < 100; count += 1) guard.run(() => undefined);
    guard.run(thrower('new'));
    assert.equal(said.at(-1), 'The tick failed; the rest goes on.');
  });

  it('survives a log that throws', () => {
    const guard = new Guard('The tick', { error: thrower('no log') });
    assert.doesNotThrow(() => { guard.run(thrower('no')); });
  });
});

describe('a safe log', () => {
  it('never throws, whatever is to be printed and wherever it goes', () => {
    const gone = safeLog({ debug: thrower('gone'), info: thrower('gone'), warn: thrower('gone'), error: thrower('gone') });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) assert.doesNotThrow(() => { gone[level]('x'); });
    const causes: unknown[] = [];
    const log = safeLog({ ...silentLog, error: (_message, cause) => { causes.push(cause); } });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const cause of [circle, 1n, { toJSON: thrower('no') }, Symbol('s'), undefined, 'text']) log.error('failed', cause);
    assert.deepEqual(causes, ['[object Object]', '[object BigInt]', '[object Object]', 'Symbol(s)', undefined, 'text']);
  });
});

describe('the handler of unowned errors', () => {
  function defended(): { process: EventEmitter; said: string[]; ended: () => number } {
    const process = new EventEmitter();
    const { log, said } = listening();
    let ends = 0;
    installLastDefence({ process, log: () => log, end: () => { ends += 1; } });
    return { process, said, ended: () => ends };
  }

  it('logs exceptions and rejections that nothing else owns, and goes on', () => {
    const { process, said, ended } = defended();
    process.emit('uncaughtException', new Error('a timer'));
    process.emit('unhandledRejection', 'a promise');
    assert.equal(said.length, 2);
    assert.equal(ended(), 0);
  });

  it('ends in order, once and with a sentence, where memory cannot be had', () => {
    const { process, said, ended } = defended();
    for (let count = 0; count < 3; count += 1) process.emit('uncaughtException', new RangeError('Array buffer allocation failed'));
    assert.equal(ended(), 1);
    assert.match(said[0] ?? '', /out of memory and ends; start it again/);
  });
});

describe('a standard stream whose reader is gone', () => {
  it('loses what was to be written, without an error', () => {
    const stream = Object.assign(new EventEmitter(), { write: thrower('ENOSPC') });
    const write = quietWriter(stream);
    assert.doesNotThrow(() => { write('x'); });
    assert.doesNotThrow(() => { stream.emit('error', new Error('EPIPE')); });
  });
});
