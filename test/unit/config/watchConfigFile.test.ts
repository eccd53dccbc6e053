import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { watchConfigFile } from '../../../server/config/watchConfigFile.ts';

/** A watched file, and a promise of the next change of it. */
function watched(t: TestContext): { folder: string; file: string; next(): Promise<void>; count(): number } {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-watch-'));
  const file = join(folder, 'waybill.yaml');
  writeFileSync(file, 'a');
  let count = 0;
  let wake = (): void => {};
  const watch = watchConfigFile(file, () => {
    count++;
    wake();
  });
  // The watch does not keep the process alive, so the test must.
  const alive = setInterval(() => {}, 1000);
  t.after(() => {
    watch.dispose();
    watch.dispose();
    clearInterval(alive);
    rmSync(folder, { recursive: true });
  });
  return { folder, file, count: () => count, next: () => new Promise(resolve => { wake = resolve; }) };
}

describe('a watched configuration file', { timeout: 10_000 }, () => {
  test('is noticed when it is written in several steps, once', async t => {
    const { file, next, count } = watched(t);
    const change = next();
    writeFileSync(file, '');
    writeFileSync(file, 'b');
    writeFileSync(file, 'bc');
    await change;
    assert.equal(count(), 1);
  });

  test('is noticed when an editor replaces it, again and again', async t => {
    const { folder, file, next } = watched(t);
    for (const text of ['b', 'c']) {
      const change = next();
      writeFileSync(join(folder, 'new'), text);
      renameSync(join(folder, 'new'), file);
      await change;
    }
  });

  test('is noticed when it goes and comes back', async t => {
    const { file, next } = watched(t);
    const gone = next();
    rmSync(file);
    await gone;
    const back = next();
    writeFileSync(file, 'b');
    await back;
  });

  test('does not mind other files beside it', async t => {
    const { folder, file, next, count } = watched(t);
    const change = next();
    writeFileSync(join(folder, 'ledger.sqlite-wal'), 'x');
    writeFileSync(file, 'b');
    await change;
    assert.equal(count(), 1);
  });
});
