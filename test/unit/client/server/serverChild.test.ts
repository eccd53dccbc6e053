import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { forkServer } from '../../../../client/server/serverChild.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-child-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('the process of the server', () => {
  it('works in its data folder, which it makes, and not in a workspace', async () => {
    const dataDir = path.join(folder, 'data', 'of the extension');
    const server = forkServer(script('say.cjs', 'process.send({ cwd: process.cwd(), args: process.argv.slice(2), node: process.env.ELECTRON_RUN_AS_NODE });'), dataDir);
    const [said] = await once(server.process, 'message') as [{ cwd: string; args: string[]; node: string }];
    assert.ok(existsSync(dataDir));
    assert.equal(said.cwd, realpathSync(dataDir));
    assert.deepEqual(said.args, ['--data', dataDir, '--node-ipc', `--clientProcessId=${String(process.pid)}`]);
    assert.equal(said.node, '1');
    server.process.disconnect();
    assert.equal(await server.ended, 'ended with code 0');
  });

  it('says how it ended, also where that was before anybody asked', async () => {
    const failing = forkServer(script('fail.cjs', 'process.exit(3);'), folder);
    await once(failing.process, 'close');
    assert.equal(await failing.ended, 'ended with code 3');
    const killed = forkServer(script('wait.cjs', 'setInterval(() => {}, 1000); process.send("ready");'), folder);
    await once(killed.process, 'message');
    killed.process.kill('SIGKILL');
    assert.equal(await killed.ended, 'was ended by SIGKILL');
  });
});
