import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { endedWithTests } from '../../support/childProcesses.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, until, writeConfig } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { describeDeployPage } from './deployPage/deployPage.ts';

const { folder, remove } = temporaryFolder();
const root = path.join(import.meta.dirname, '..', '..', '..');
const installed = path.join(folder, 'installed');
const configFile = path.join(folder, 'waybill.yaml');
const environment = { PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`, HOME: folder };
const run = promisify(execFile);
let provider: SandboxProvider;

const npx = async (...words: string[]): Promise<string> => (await run('npx', ['--offline', 'waybill', ...words], { cwd: installed, env: environment })).stdout;

before(async () => {
  provider = await startSandboxProvider({ name: 'a', protocol: 'openai-chat' });
  writeConfig(configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
  mkdirSync(installed);
  await run(process.execPath, [path.join(root, 'scripts', 'npmPackage.mjs'), folder], { cwd: root, env: environment });
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', path.join(folder, `waybill-${version}.tgz`)], { cwd: installed, env: environment });
});
after(async () => {
  await provider.close();
  remove();
});

describe('the package for npm', () => {
  it('runs its commands from an empty folder, without network and dependencies', async () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    assert.ok((await npx('version')).startsWith(`waybill ${version} `));
    assert.match(await npx('serve', '--help'), /--config FILE/);
    await npx('check', configFile);
    const broken = path.join(folder, 'broken.yaml');
    writeFileSync(broken, 'endpoint: {}\n');
    await assert.rejects(npx('check', broken), ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => code === 1 && /broken\.yaml:1/.test(stdout + stderr));
    const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: installed, env: environment });
    assert.equal(stdout.trim().split('\n').length, 2, stdout);
  });

  it('serves a request', async () => {
    const child = endedWithTests(spawn(process.execPath, [path.join(installed, 'node_modules', '.bin', 'waybill'), 'serve', '--config', configFile, '--port', '0', '--host', '127.0.0.2', '--data', path.join(folder, 'data'), '--json'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }));
    let [out, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    await until('the server announces itself or ends', () => out.includes('\n') || child.exitCode !== null, 60_000);
    assert.equal(child.exitCode, null, errors);
    const { url, tokenFile } = JSON.parse(out.split('\n')[0] ?? '') as { url: string; tokenFile: string };
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST', headers: { 'authorization': `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.ok((await answer.json() as { choices: unknown[] }).choices.length > 0);
    child.kill('SIGTERM');
    assert.equal(await exitOf(child), 0);
  });
});

// In this file, because both build the package, and one build writes what the other one reads.
describeDeployPage();
