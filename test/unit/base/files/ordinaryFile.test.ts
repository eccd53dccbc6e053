import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readOrdinaryFile } from '../../../../server/base/files/ordinaryFile.ts';

describe('reading a file that others may have put there', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'waybill-file-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reads a file, also through a link, up to the bound', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, 'täxt');
    symlinkSync(file, path.join(folder, 'link'));
    assert.equal(readOrdinaryFile(file, 5), 'täxt');
    assert.equal(readOrdinaryFile(path.join(folder, 'link')), 'täxt');
    assert.throws(() => readOrdinaryFile(file, 4), /larger than 4 bytes/);
    assert.throws(() => readOrdinaryFile(path.join(folder, 'none')), { code: 'ENOENT' });
  });

  it('refuses a folder', () => {
    mkdirSync(path.join(folder, 'folder'));
    assert.throws(() => readOrdinaryFile(path.join(folder, 'folder')), { code: 'EISDIR' });
  });

  if (process.platform !== 'win32') {
    // In a process of their own: what waits for a pipe cannot be given up.
    const readers: Record<string, { name: string; source: string }> = {
      'a file': { name: 'pipe', source: "const { readOrdinaryFile } = await import(root + 'base/files/ordinaryFile.ts'); try { readOrdinaryFile(folder + '/pipe'); } catch { process.stdout.write('refused'); }" },
      'tokens of tools': { name: 'tokens/codex', source: "const { ToolTokens } = await import(root + 'inbound/http/auth/toolTokens.ts'); if (new ToolTokens(folder).tokens.size === 0) process.stdout.write('refused');" },
      'lists of models': { name: 'models.json', source: "const { ModelCache } = await import(root + 'models/modelCache.ts'); if (new ModelCache(folder + '/models.json').read().size === 0) process.stdout.write('refused');" },
    };
    for (const [what, { name, source }] of Object.entries(readers)) it(`does not wait for a pipe in the place of ${what}`, () => {
      mkdirSync(path.join(folder, 'tokens'), { recursive: true });
      execFileSync('mkfifo', [path.join(folder, name)]);
      const root = new URL('../../../../server/', import.meta.url).href;
      const script = `const root = ${JSON.stringify(root)}; const folder = ${JSON.stringify(folder)}; ${source}`;
      const { stdout, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000, killSignal: 'SIGKILL', encoding: 'utf8' });
      assert.deepEqual([stdout, signal], ['refused', null], stderr);
    });
  }
});
