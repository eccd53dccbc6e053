import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitSettings } from '../../../server/api/settings.ts';
import { killAll, spawnServer, until, writeConfig } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
const providers: Server[] = [];
const children: ChildProcess[] = [];
after(async () => {
  await killAll(children);
  for (const provider of providers) {
    provider.closeAllConnections();
    provider.close();
  }
  remove();
});

/** A provider that counts what reaches it and answers each request after a while; 0: never. */
class CountingProvider {
  requests = 0;
  readonly byKey = new Map<string, number>();
  open = 0;
  mostOpen = 0;
  answerAfterMs = 1;
  readonly server = createServer((request, response) => {
    this.requests += 1;
    const key = request.headers.authorization ?? '';
    this.byKey.set(key, (this.byKey.get(key) ?? 0) + 1);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.once('close', () => (this.open -= 1));
    request.resume().once('end', () => {
      if (this.answerAfterMs > 0) setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(answer), this.answerAfterMs);
    });
  });

  async listen(): Promise<string> {
    providers.push(this.server);
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }
}

const answer = JSON.stringify({
  id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
});

interface Running { child: ChildProcess; url: string; token: string }

/** Eight servers that start on a busy machine need more time than one server gets in other tests. */
const startAtMostMs = 90_000;

async function start(configFile: string, dataDir: string, environment: Record<string, string>): Promise<Running> {
  const { child, written } = spawnServer(['serve', '--config', configFile, '--port', '0', '--data', dataDir, '--json'], environment);
  children.push(child);
  await until('the server announces itself', () => written.stdout.includes('\n') || child.exitCode !== null, startAtMostMs);
  const { url, tokenFile } = JSON.parse(written.stdout.split('\n')[0] ?? '') as { url: string; tokenFile: string };
  return { child, url, token: readFileSync(tokenFile, 'utf8').trim() };
}

/** Servers on one new data folder before one provider. */
async function scene(name: string, limits: LimitSettings, count: number, keys: Record<string, string> = {}): Promise<{ provider: CountingProvider; servers: Running[] }> {
  const provider = new CountingProvider();
  const configFile = path.join(folder, `${name}.yaml`);
  writeConfig(configFile, { a: { provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: {} }, limits, keys: Object.keys(keys).map(key => `\${${key}}`) } });
  const servers: Running[] = [];
  for (let index = 0; index < count; index += 1) servers.push(await start(configFile, path.join(folder, name), keys));
  return { provider, servers };
}

async function ask({ url, token }: Running): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a/m', max_tokens: 10, messages: [{ role: 'user', content: 'go' }] }),
  });
  await response.text();
  return response.status;
}

test('eight servers that are asked at once send no more requests than the limit allows', async () => {
  const { provider, servers } = await scene('rate', { requestsPerMinute: 30 }, 8);
  const statuses = await Promise.all(servers.flatMap(server => Array.from({ length: 12 }, () => ask(server))));
  assert.equal(provider.requests, 30);
  assert.equal(statuses.filter(status => status === 200).length, 30);
  assert.equal(statuses.filter(status => status === 503).length, 96 - 30);
});

test('each key is used as often as its limit allows by all servers together, and the next key takes over', async () => {
  const { provider, servers } = await scene('keys', { perKey: { requestsPerMinute: 4 } }, 3, { FIRST: 'key-one', SECOND: 'key-two' });
  const statuses = await Promise.all(servers.flatMap(server => Array.from({ length: 5 }, () => ask(server))));
  assert.deepEqual([...provider.byKey].sort(), [['Bearer key-one', 4], ['Bearer key-two', 4]]);
  assert.equal(statuses.filter(status => status === 200).length, 8);
});

test('four servers under a limit of two at once never run a third, and all callers are served in turn', async () => {
  const { provider, servers } = await scene('at-once', { concurrency: 2 }, 4);
  provider.answerAfterMs = 60;
  const statuses = await Promise.all(servers.flatMap(server => Array.from({ length: 4 }, () => ask(server))));
  assert.deepEqual(statuses, new Array(16).fill(200));
  assert.equal(provider.mostOpen, 2);
});

test('what a killed server held is free within seconds', async () => {
  const { provider, servers: [holder, other] } = await scene('killed', { concurrency: 2 }, 2);
  assert.ok(holder !== undefined && other !== undefined);
  provider.answerAfterMs = 0;
  const lost = [ask(holder), ask(holder)].map(one => one.catch(() => 0));
  await until('two requests run', () => provider.open === 2);
  provider.answerAfterMs = 1;
  const waiting = ask(other);
  await sleep(300);
  assert.equal(provider.requests, 2, 'a third one waits');
  const killedAt = performance.now();
  holder.child.kill('SIGKILL');
  assert.equal(await waiting, 200);
  assert.equal(provider.mostOpen, 2);
  assert.ok(performance.now() - killedAt < 10_000, 'two seconds are promised, on a machine that is not overloaded');
  assert.deepEqual(await Promise.all(lost), [0, 0]);
});
