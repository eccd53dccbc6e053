import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CompiledParts, compiledCodeFolder } from '../../../server/app/compiledParts.ts';

const server = path.join(import.meta.dirname, '..', '..', '..', 'server');

let folder: string;
let sources: string;
let dataDir: string;
let compiled: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'waybill-compiled-'));
  sources = path.join(folder, 'lib');
  dataDir = path.join(folder, 'data');
  compiled = path.join(dataDir, compiledCodeFolder);
  mkdirSync(sources);
  writeSource('one.js', "exports.answer = () => require('./two.js').word + ' 1';\nexports.two = require('./two.js');\nexports.path = require('node:path');\n");
  writeSource('two.js', "exports.word = 'two';\nexports.file = __filename;\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface One { answer(): string; two: { word: string; file: string }; path: unknown }

function writeSource(name: string, text: string): void {
  writeFileSync(path.join(sources, name), text);
}
const load = (parts: CompiledParts): One => parts.load('one.js') as One;
const files = (): string[] => readdirSync(compiled).sort();
const fileOf = (name: string): string => path.join(compiled, files().find(file => file.startsWith(`${name}-`)) ?? 'missing');
/** A file that is replaced is another one. */
const identity = (): string[] => files().map(file => `${file} ${statSync(path.join(compiled, file)).ino}`);

/** Loads, answers and keeps. @returns whether code of an earlier time was taken: what is taken is not written again */
function run(extent: 'start' | 'served' = 'start'): { answer: string; taken: boolean } {
  const before = existsSync(compiled) ? identity() : [];
  const parts = new CompiledParts(sources, dataDir);
  const answer = load(parts).answer();
  parts.keep(extent);
  return { answer, taken: before.length > 0 && identity().join() === before.join() };
}

describe('the files of the bundle', () => {
  it('are loaded once each, require each other and the modules of Node, and know where they are', () => {
    const parts = new CompiledParts(sources, dataDir);
    const one = load(parts);
    assert.equal(one.answer(), 'two 1');
    assert.equal(parts.load('two.js'), one.two);
    assert.equal(load(parts), one);
    assert.equal(one.two.file, path.join(sources, 'two.js'));
    assert.equal(one.path, path);
  });

  it('throw what they throw, and the error names their line', () => {
    writeSource('three.js', "'use strict';\nthrow new Error('mistake');\n");
    assert.throws(() => new CompiledParts(sources, dataDir).load('three.js'), (error: Error) => error.message === 'mistake' && (error.stack ?? '').includes('three.js:2'));
    assert.throws(() => new CompiledParts(sources, dataDir).load('missing.js'), { code: 'ENOENT' });
  });

  it('keep the compiled code for the next process, readable for the owner only', () => {
    assert.deepEqual(run(), { answer: 'two 1', taken: false });
    assert.equal(files().length, 2);
    if (process.platform !== 'win32') for (const file of files()) assert.equal(statSync(path.join(compiled, file)).mode & 0o777, 0o600);
    assert.deepEqual(run(), { answer: 'two 1', taken: true });
  });

  it('keep more once requests were served, and never less', () => {
    run('start');
    assert.equal(run('served').taken, false, 'more is kept');
    assert.equal(run('start').taken, true, 'less is not');
    assert.equal(run('served').taken, true, 'the same is not kept again');
  });

  it('are compiled again when their source is another one of the same length', () => {
    run();
    writeSource('two.js', "exports.word = 'six';\nexports.file = __filename;\n");
    assert.deepEqual(run(), { answer: 'six 1', taken: false });
    assert.deepEqual(run(), { answer: 'six 1', taken: true });
  });

  for (const [what, damage] of [
    ['is changed in one byte', (bytes: Buffer) => { bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 1; return bytes; }],
    ['says another extent', (bytes: Buffer) => { bytes[32] = 7; return bytes; }],
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['is empty', () => Buffer.alloc(0)],
    ['is something else', () => Buffer.from('{}')],
  ] as const) {
    it(`are compiled again when the compiled code ${what}`, () => {
      run();
      writeFileSync(fileOf('two'), damage(readFileSync(fileOf('two'))));
      assert.deepEqual(run(), { answer: 'two 1', taken: false });
      assert.deepEqual(run(), { answer: 'two 1', taken: true });
    });
  }

  it('forget the code for versions of V8 that nothing has used for long', () => {
    run();
    const [old, recent, other] = ['two-1.0-x64', 'two-2.0-x64', 'another-1.0-x64'].map(name => path.join(compiled, name)) as [string, string, string];
    for (const file of [old, recent, other]) writeFileSync(file, 'x');
    for (const file of [old, other]) utimesSync(file, new Date(0), new Date(0));
    run('served');
    assert.deepEqual([old, recent, other].map(file => existsSync(file)), [false, true, true]);
  });

  it('keep nothing without a data folder, or where one cannot be made', () => {
    for (const place of [undefined, path.join(sources, 'one.js')]) {
      const parts = new CompiledParts(sources, place);
      assert.equal(load(parts).answer(), 'two 1');
      parts.keep('served');
    }
    assert.deepEqual(readdirSync(folder), ['lib']);
  });

  if (process.platform !== 'win32') {
    it('take no code from a folder that others can write to, nor through a link', () => {
      run();
      const before = identity();
      chmodSync(compiled, 0o770);
      run('served');
      assert.deepEqual(identity(), before, 'nothing is written into it');
      chmodSync(compiled, 0o700);
      const elsewhere = path.join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      symlinkSync(compiled, path.join(elsewhere, compiledCodeFolder));
      const parts = new CompiledParts(sources, elsewhere);
      load(parts);
      parts.keep('served');
      assert.deepEqual(identity(), before);
    });
  }

  it('are taken by another process, though this one has set flags of V8 by then', () => {
    const program = (loadAt: 'start' | 'later'): string => `
      import { CompiledParts } from ${JSON.stringify(pathToFileURL(path.join(server, 'app/compiledParts.ts')).href)};
      import { HeapTuning } from ${JSON.stringify(pathToFileURL(path.join(server, 'app/v8Tuning.ts')).href)};
      const parts = new CompiledParts(${JSON.stringify(sources)}, ${JSON.stringify(dataDir)});
      const tuning = new HeapTuning();
      parts.flagsAreSetBy(tuning);
      if (${JSON.stringify(loadAt)} === 'start') parts.load('one.js');
      tuning.tick(0);
      parts.load('one.js');
      parts.keep('start');
    `;
    const runElsewhere = (loadAt: 'start' | 'later'): void => {
      execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program(loadAt)], { stdio: ['ignore', 'ignore', 'inherit'] });
    };
    runElsewhere('start');
    const before = identity();
    runElsewhere('start');
    runElsewhere('later');
    assert.deepEqual(identity(), before);
  });
});
