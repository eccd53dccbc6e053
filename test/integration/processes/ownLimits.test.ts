import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { answers, rawEndpoint, startRawProvider, type RawExchange } from '../support/rawProvider.ts';
import { exitOf, serverEntry, until, writeConfig } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

interface Limited { url: string; token: string; stderr(): string; alive(): boolean; cpuMs(): number }

/** A headless server that may open few files. */
async function startLimited(t: TestContext, files: number, url: string): Promise<Limited> {
  const { folder, remove } = temporaryFolder();
  t.after(remove);
  const configFile = path.join(folder, 'waybill.yaml');
  writeConfig(configFile, { a: rawEndpoint({ url }) });
  const args = [serverEntry, 'serve', '--config', configFile, '--port', '0', '--data', path.join(folder, 'data'), '--json'];
  const child = spawn('/bin/sh', ['-c', `ulimit -n ${files}; exec "$0" "$@"`, process.execPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(async () => {
    child.kill('SIGKILL');
    await exitOf(child);
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => { stdout += String(chunk); });
  child.stderr.on('data', chunk => { stderr += String(chunk); });
  await until(`the server announces itself; ${stderr}`, () => stdout.includes('\n') || child.exitCode !== null);
  const announced = JSON.parse(stdout.split('\n')[0] ?? '') as { url: string; tokenFile: string };
  return {
    url: announced.url, token: readFileSync(announced.tokenFile, 'utf8').trim(), stderr: () => stderr, alive: () => child.exitCode === null && child.signalCode === null,
    cpuMs: () => readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0),
  };
}

const onLinux = { skip: process.platform === 'linux' ? false : 'limits are set and read as Linux does' };

test('a server without free file descriptors says so itself: no breaker, no cost, no lost health, and it serves again when descriptors are free', onLinux, async t => {
  const provider = await startRawProvider(answers);
  t.after(() => provider.close());
  const server = await startLimited(t, 64, provider.url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
  t.after(() => agent.destroy());
  const ask = (): Promise<RawAnswer> => rawRequest({
    url: `${server.url}/v1/chat/completions`, agent, headers: { authorization: `Bearer ${server.token}` }, body: JSON.stringify({ model: 'a/m', messages: [{ role: 'user', content: 'hello' }] }),
  });
  const get = async <Value>(route: string): Promise<Value> => {
    const answer = await rawRequest({ url: server.url + route, agent, headers: { authorization: `Bearer ${server.token}` } });
    return JSON.parse(answer.text) as Value;
  };
  assert.equal((await ask()).status, 200);
  const before = (await get<StatusSnapshot>('/waybill/status')).endpoints[0];

  // The provider takes its time, so that each request needs two descriptors at once.
  const waiting: RawExchange[] = [];
  provider.behave(exchange => void waiting.push(exchange));
  const already = provider.requests.length;
  const all = Array.from({ length: 30 }, () => ask().catch((error: unknown) => error as Error));
  const settled = new Set<RawAnswer | Error>();
  for (const one of all) void one.then(answer => settled.add(answer));
  await until(`all either wait at the provider or were refused: ${waiting.length} and ${settled.size}`, () => waiting.length + settled.size >= 30, 20_000);
  for (const exchange of waiting) answers(exchange);
  provider.behave(answers);
  const answered = (await Promise.all(all)).filter((one): one is RawAnswer => !(one instanceof Error));
  const refused = answered.filter(one => one.status !== 200);
  assert.ok(refused.length > 0, 'the server ran out');
  for (const one of refused) {
    assert.equal(one.status, 503, one.text);
    assert.equal(one.headers['retry-after'], '1');
    assert.match(one.text, /Too many files and connections are open, so a was not asked\. Raise the limit/);
    const receipt = await get<Receipt>(`/waybill/exchanges/${String(one.headers['x-waybill-exchange'])}`);
    for (const attempt of receipt.attempts) {
      assert.deepEqual([attempt.failureClass, attempt.cost.certainty === 'unknown'], ['local', false], JSON.stringify(attempt));
    }
    assert.equal(receipt.cost.microUsd ?? 0, 0);
    assert.notEqual(receipt.cost.certainty, 'unknown');
  }
  assert.equal(answered.length - refused.length, provider.requests.length - already, 'what was sent was answered');
  const after = (await get<StatusSnapshot>('/waybill/status')).endpoints[0];
  assert.deepEqual([after?.state, after?.breaker, after?.lastError, after?.errorRate], [before?.state, 'closed', before?.lastError, before?.errorRate]);
  for (let index = 0; index < 5; index += 1) assert.equal((await ask()).status, 200);
});

test('a server that can take no more connections neither ends nor spins, keeps its port, and takes callers again', onLinux, async t => {
  const provider = await startRawProvider(answers);
  t.after(() => provider.close());
  const server = await startLimited(t, 64, provider.url);
  const { port } = new URL(server.url);
  const sockets: Socket[] = [];
  t.after(() => { for (const socket of sockets) socket.destroy(); });
  for (let index = 0; index < 150; index += 1) sockets.push(connect(Number(port), '127.0.0.1').on('error', () => undefined));
  await sleep(500);
  const cpuMs = server.cpuMs();
  await sleep(2000);
  assert.ok(server.cpuMs() - cpuMs < 1000, `${server.cpuMs() - cpuMs} ms of work in 2 s`);
  assert.ok(server.alive());
  assert.ok(server.stderr().split('\n').length < 20, server.stderr());
  for (const socket of sockets) socket.destroy();
  await until('callers are served again', () => rawRequest({ url: `${server.url}/health` }).then(answer => answer.status === 200, () => false));
  const status = JSON.parse((await rawRequest({ url: `${server.url}/waybill/status`, headers: { authorization: `Bearer ${server.token}` } })).text) as StatusSnapshot;
  assert.equal(status.http.state, 'listening', server.stderr());
});
