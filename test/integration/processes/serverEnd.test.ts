import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { endedWithTests } from '../../support/childProcesses.ts';
import { exitOf, isAlive, killAll, serverEntry, startServer, until, writeConfig } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
after(remove);
const configFile = path.join(folder, 'waybill.yaml');
writeConfig(configFile, {});
const endWatch = pathToFileURL(path.join(import.meta.dirname, '..', '..', '..', 'server', 'app', 'endWatch.ts'));
const testWatch = path.join(import.meta.dirname, '..', '..', 'support', 'endWatch.mjs');

describe('a server whose starter is gone before the server can look', { concurrency: 3 }, () => {
  const ways = { serve: ['serve', '--config', configFile, '--port', '0', '--json', '--data'], stdio: ['--stdio', '--data'], 'node-ipc': ['--node-ipc', '--data'] };
  for (const [way, args] of Object.entries(ways)) {
    for (const afterMs of [0, 60, 150]) {
      it(`ends: ${way}, ${afterMs} ms after it was started`, async () => {
        const all = [serverEntry, ...args, path.join(folder, `${way}-${afterMs}`)];
        const stdio = { serve: ['ignore', 'ignore', 'ignore'], stdio: ['pipe', 'pipe', 'ignore'], 'node-ipc': ['ignore', 'ignore', 'ignore', 'ipc'] }[way];
        const script = `const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify(all)}, { stdio: ${JSON.stringify(stdio)} });
          require('node:fs').writeSync(1, child.pid + '\\n');
          setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${afterMs});`;
        const starter = endedWithTests(spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }));
        let line = '';
        starter.stdout.setEncoding('utf8').on('data', (text: string) => (line += text));
        await exitOf(starter);
        await until('the server is named', () => line.includes('\n'));
        const pid = Number(line);
        try {
          await until('the server has ended', () => !isAlive(pid), 20_000);
        } finally {
          if (isAlive(pid)) process.kill(pid, 'SIGKILL');
        }
      });
    }
  }

  if (process.platform === 'linux') it('serves on when it leads a session of its own, as a service does', async () => {
    const server = await startServer({ configFile, dataDir: path.join(folder, 'leader'), detached: true });
    await server.get('/waybill/status');
    assert.equal(await server.stop(), 0);
  });
});

describe('two first starts at once', () => {
  it('agree on one token: each server accepts the other\'s requests, in every round', async () => {
    for (let round = 0; round < 4; round += 1) {
      const dataDir = path.join(folder, `round-${round}`);
      const servers = await Promise.all([1, 2].map(() => startServer({ configFile, dataDir })));
      for (const server of servers) await server.get('/waybill/status');
      assert.equal(new Set(servers.map(({ token }) => token)).size, 1);
      await killAll(servers.map(({ child }) => child));
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

describe('a process that outlives its end', () => {
  const watched = (then: string): ReturnType<typeof spawnSync> => spawnSync(process.execPath, ['--input-type=module', '-e', `
    import { createServer } from 'node:net';
    import { expectEnd } from ${JSON.stringify(endWatch)};
    expectEnd({ withinMs: 300, subject: 'The tested process' });
    ${then}`], { encoding: 'utf8', timeout: 60_000 });

  it('names the function that keeps it busy', () => {
    const { stderr, signal } = watched('setTimeout(function spinsForEver() { for (;;) JSON.stringify({}); }, 100);');
    assert.equal(signal, 'SIGKILL');
    assert.match(String(stderr), /The tested process has not ended 0\.3 s after it should have/);
    assert.match(String(stderr), /main thread is busy:\n\s+at spinsForEver \(/);
  });

  it('names what keeps it alive', () => {
    const { stderr, signal } = watched('createServer().listen(0, "127.0.0.1");');
    assert.equal(signal, 'SIGKILL');
    assert.match(String(stderr), /kept alive by: .*TCPServerWrap.*Server port \d+/);
  });

  it('is not held up when it ends in time', () => {
    const { stderr, status } = watched('');
    assert.equal(status, 0, String(stderr));
    assert.equal(stderr, '');
  });

  it('fails the test file it ran, with the reason', () => {
    const file = path.join(folder, 'left.test.mjs');
    writeFileSync(file, 'import { it } from "node:test"; it("passes", () => { setInterval(() => undefined, 1000); });');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NODE_TEST_CONTEXT'));
    const run = spawnSync(process.execPath, [`--import=${pathToFileURL(testWatch)}`, '--test', file], { encoding: 'utf8', timeout: 60_000, env: { ...env, WAYBILL_TEST_END_MS: '300' } });
    assert.notEqual(run.status, 0);
    assert.match(run.stdout + run.stderr, /The test process of .*left\.test\.mjs has not ended[\s\S]*1 Timeout/);
  });

  it('keeps the result of a test file that ends in time', () => {
    const failing = path.join(folder, 'failing.test.mjs');
    const passing = path.join(folder, 'passing.test.mjs');
    writeFileSync(failing, 'import { it } from "node:test"; it("fails", () => { throw new Error("expected"); });');
    writeFileSync(passing, 'import { it } from "node:test"; it("passes", () => undefined);');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NODE_TEST_CONTEXT'));
    const run = (file: string): string => {
      const { status, stdout } = spawnSync(process.execPath, [`--import=${pathToFileURL(testWatch)}`, '--test', file], { encoding: 'utf8', timeout: 60_000, env });
      return `${status} ${/^(?:ℹ|#) pass \d+/m.exec(stdout)?.[0].slice(2)} ${/^(?:ℹ|#) fail \d+/m.exec(stdout)?.[0].slice(2)}`;
    };
    assert.equal(run(failing), '1 pass 0 fail 1');
    assert.equal(run(passing), '0 pass 1 fail 0');
  });
});
