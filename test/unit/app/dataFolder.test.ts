import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { closeToOthers, setAsideMisplaced } from '../../../server/app/dataFolder.ts';
import { defaultDataDir } from '../../../server/app/defaultDataDir.ts';
import { LogSink } from '../../integration/support/logSink.ts';

let folder: string;
let sink: LogSink;
const log = {
  debug: (text: string) => sink.write('debug', text), info: (text: string) => sink.write('info', text),
  warn: (text: string) => sink.write('warn', text), error: (text: string) => sink.write('error', text),
};
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'waybill-modes-'));
  sink = new LogSink();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the data folder when none is named', { skip: process.platform === 'win32' || process.platform === 'darwin' }, () => {
  const before = process.env['XDG_DATA_HOME'];
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_DATA_HOME'];
    else process.env['XDG_DATA_HOME'] = before;
  });
  for (const [value, parent] of [['/srv/data', '/srv/data'], ['', path.join(homedir(), '.local/share')], ['data', path.join(homedir(), '.local/share')]] as const) {
    it(`is in ${parent === value ? 'it' : 'the usual place'} where XDG_DATA_HOME is "${value}"`, () => {
      process.env['XDG_DATA_HOME'] = value;
      assert.equal(defaultDataDir(), path.join(parent, 'waybill'));
    });
  }
});

function put(name: string, mode: number): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), 'x');
  chmodSync(path.join(folder, name), mode);
}
const modeOf = (name: string): number => statSync(path.join(folder, name)).mode & 0o777;

if (process.platform !== 'win32') describe('the data folder', () => {
  it('is closed to other users with every file that is ours, and each change is logged', () => {
    const files = ['token', 'key-salt', 'models.json', 'ledger.db', 'ledger.db-wal', 'ledger.db.damaged-1', 'limits/counts.db', 'limits.damaged-1/counts.db', 'tokens/codex', 'connections/codex.json'];
    for (const name of files) put(name, 0o644);
    for (const name of ['', 'tokens', 'connections', 'limits']) chmodSync(path.join(folder, name), 0o755);
    closeToOthers(folder, log);
    for (const name of files) assert.equal(modeOf(name), 0o600, name);
    for (const name of ['', 'tokens', 'connections', 'limits']) assert.equal(modeOf(name), 0o700, name);
    assert.match(sink.text, /tokens\/codex was open to other users of this machine \(mode 0644\)/);
    const { length } = sink.lines;
    closeToOthers(folder, log);
    assert.equal(sink.lines.length, length, 'what is closed is not mentioned');
  });

  it('keeps its own mode when it holds other files, and a sentence says so; our files in it are closed', () => {
    put('token', 0o640);
    put('notes.txt', 0o644);
    chmodSync(folder, 0o755);
    closeToOthers(folder, log);
    assert.equal(modeOf('token'), 0o600);
    assert.equal(modeOf('notes.txt'), 0o644);
    assert.equal(modeOf(''), 0o755);
    assert.match(sink.text, /warn: The data folder .* is open to other users .*mode 0755.*Give Waybill a folder of its own/);
  });

  it('is left alone when it is gone', () => {
    closeToOthers(path.join(folder, 'nothing'), log);
    assert.match(sink.text, /cannot be checked/);
  });

  it('moves aside what is no file in the place of a file, and no folder in the place of a folder', () => {
    const at = (name: string): string => path.join(folder, name);
    mkdirSync(at('ledger.db/inside'), { recursive: true });
    mkdirSync(at('limits/counts.db'), { recursive: true });
    mkdirSync(at('ledger.db.mending'));
    symlinkSync(at('token'), at('token'));
    writeFileSync(at('tokens'), 'x');
    for (const name of ['models.json', 'key-salt']) execFileSync('mkfifo', [at(name)]);
    const wrong = ['ledger.db', 'limits/counts.db', 'ledger.db.mending', 'token', 'tokens', 'models.json', 'key-salt'];
    setAsideMisplaced(folder, Date.UTC(2026, 0, 2), log);
    for (const name of wrong) {
      assert.equal(lstatSync(at(name), { throwIfNoEntry: false }), undefined, name);
      assert.notEqual(lstatSync(at(`${path.basename(name)}.damaged-2026-01-02T00-00-00-000Z`), { throwIfNoEntry: false }), undefined, name);
    }
    assert.ok(existsSync(at('ledger.db.damaged-2026-01-02T00-00-00-000Z/inside')), 'nothing is lost');
    assert.equal(sink.lines.length, wrong.length);
    closeToOthers(folder, log);
    setAsideMisplaced(folder, Date.UTC(2026, 0, 3), log);
    assert.ok(!readdirSync(folder).some(name => name.includes('01-03')), 'what was moved is left alone');
  });

  it('leaves files, folders and links to them as they are', () => {
    for (const name of ['ledger.db', 'tokens/codex', 'limits/counts.db']) put(name, 0o600);
    put('elsewhere', 0o600);
    symlinkSync(path.join(folder, 'elsewhere'), path.join(folder, 'models.json'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'key-salt'));
    mkdirSync(path.join(folder, 'of-a-person'));
    const before = readdirSync(folder, { recursive: true });
    setAsideMisplaced(folder, 0, log);
    assert.deepEqual(readdirSync(folder, { recursive: true }), before);
    assert.equal(sink.text, '');
  });
});
