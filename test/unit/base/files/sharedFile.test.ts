import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { agreeOnSharedFile, removeAbandonedDrafts, replaceSharedFile } from '../../../../server/base/files/sharedFile.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-shared-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const child = path.join(import.meta.dirname, 'fixtures', 'agreeChild.ts');
const number = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

function freshFolder(name: string): string {
  const own = path.join(folder, name);
  mkdirSync(own);
  return own;
}

/** What each of eight processes that start at once holds for the value. */
async function valuesOfEight(file: string): Promise<Set<string>> {
  const runs = Array.from({ length: 8 }, (_, index) => promisify(execFile)(process.execPath, [child, file, String(150 + 10 * index)], { timeout: 60_000 }));
  return new Set((await Promise.all(runs)).map(({ stdout }) => stdout));
}

describe('a file that processes agree on', () => {
  for (const [state, text] of [['missing', undefined], ['empty', ''], ['damaged', 'value-\0\0']] as const) {
    it(`has one value for eight processes that find it ${state}`, async () => {
      const own = freshFolder(state);
      const file = path.join(own, 'value');
      if (text !== undefined) writeFileSync(file, text, { mode: 0o644 });
      const values = await valuesOfEight(file);
      assert.deepEqual([...values], [readFileSync(file, 'utf8')]);
      assert.deepEqual(readdirSync(own), ['value'], 'drafts or locks were left');
      if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
    });
  }

  it('keeps its value, and nothing is created then', () => {
    const file = path.join(freshFolder('kept'), 'value');
    writeFileSync(file, '7');
    assert.equal(agreeOnSharedFile(file, number, () => assert.fail('a value was created')), 7);
  });

  it('is repaired although a process died while it repaired it', () => {
    const file = path.join(freshFolder('lock'), 'value');
    writeFileSync(file, 'x');
    writeFileSync(`${file}.lock`, '');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${file}.lock`, longAgo, longAgo);
    assert.equal(agreeOnSharedFile(file, number, () => '8'), 8);
    assert.equal(readFileSync(file, 'utf8'), '8');
  });

  it('is not replaced when it cannot be read: the reason is thrown', () => {
    const file = path.join(freshFolder('unreadable'), 'value');
    mkdirSync(file);
    assert.throws(() => agreeOnSharedFile(file, number, () => '9'), { code: 'EISDIR' });
    assert.ok(statSync(file).isDirectory());
  });
});

describe('a file that is replaced', () => {
  it('is whole or as it was, and leaves no draft behind', () => {
    const own = freshFolder('replaced');
    const file = path.join(own, 'list');
    replaceSharedFile(file, 'one');
    replaceSharedFile(file, 'two');
    assert.equal(readFileSync(file, 'utf8'), 'two');
    const taken = path.join(own, 'taken');
    mkdirSync(path.join(taken, 'inner'), { recursive: true });
    assert.throws(() => replaceSharedFile(taken, 'three'));
    assert.deepEqual(readdirSync(own).sort(), ['list', 'taken']);
  });

  it('loses drafts of dead writers, and only those', () => {
    const own = freshFolder('drafts');
    const [old, fresh, other] = ['.list.0123456789ab.draft', '.list.ba9876543210.draft', '.list.draft'];
    for (const name of [old, fresh, other]) writeFileSync(path.join(own, name), '');
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of [old, other]) utimesSync(path.join(own, name), longAgo, longAgo);
    removeAbandonedDrafts(own);
    assert.deepEqual(readdirSync(own).sort(), [fresh, other].sort());
    removeAbandonedDrafts(path.join(own, 'nothing'));
  });
});
