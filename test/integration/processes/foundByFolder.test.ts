import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { exitOf, spawnServer, startServer, writeConfig } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
after(remove);
const configFile = path.join(folder, 'waybill.yaml');
const dataDir = path.join(folder, 'data');
writeConfig(configFile, { a: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1', probe: { enabled: false } } }, { coding: { targets: ['a/m'] } });

async function run(...words: string[]): Promise<{ code: number | null; text: string }> {
  const { child, written } = spawnServer([...words, '--data', dataDir]);
  const code = await exitOf(child);
  return { code, text: written.stdout + written.stderr };
}

describe('commands that ask a running server', () => {
  it('find it by its data folder wherever it listens, and after others that are gone', async () => {
    // A killed server leaves its note; the next one takes another port.
    const killed = await startServer({ configFile, dataDir });
    killed.child.kill('SIGKILL');
    await exitOf(killed.child);
    const server = await startServer({ configFile, dataDir });
    try {
      for (const words of [['canary', 'status'], ['shadow', 'status'], ['savings'], ['migration', 'openai'], ['doctor']]) {
        const { code, text } = await run(...words);
        assert.equal(code, 0, `${words.join(' ')}: ${text}`);
        assert.doesNotMatch(text, /answers at|no Waybill/, words.join(' '));
      }
      const elsewhere = await run('savings', '--port', '9');
      assert.equal(elsewhere.code, 3);
      assert.match(elsewhere.text, /^Nothing answers at port 9; without --port the server of the data folder is looked for\.\n$/);
    } finally {
      await server.stop();
    }
  });

  it('say in one sentence what to do once none runs', async () => {
    const { code, text } = await run('savings');
    assert.equal(code, 3);
    assert.match(text, /^No Waybill of .*data answers at .*7717: start one \(waybill serve --config FILE, or VS Code\), or give --port where it listens, or --data for another data folder\.\n$/);
    // A server that ended took its own note away.
    assert.equal(readdirSync(path.join(dataDir, 'ports')).length, 1);
  });
});
