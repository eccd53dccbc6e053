import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { digestName, digestNamesIn } from '../../../../server/base/files/digestName.ts';

describe('a file that is named by a digest', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'waybill-digest-')); });
  afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

  it('has the same name at every server, in which nothing of its subject is', () => {
    assert.equal(digestName('abc', '.json'), 'ba7816bf8f01cfea414140de5dae2223.json');
    assert.match(digestName('../../etc/passwd'), /^[0-9a-f]{32}$/);
  });

  it('is found among files of other names', () => {
    const [plain, json] = [digestName('one'), digestName('two', '.json')];
    for (const name of [plain, json, `.${json}.0123456789ab.draft`, `${plain}.editor`, 'a.json', `${'A'.repeat(32)}.json`, `${plain}0`]) writeFileSync(join(folder, name), '');
    assert.deepEqual(digestNamesIn(folder), [plain]);
    assert.deepEqual(digestNamesIn(folder, '.json'), [json]);
  });
});
