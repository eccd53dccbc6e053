import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointSettings } from '../../server/api/settings.ts';
import { HostileProvider } from './support/hostileProvider.ts';
import { rawRequest } from './support/rawClient.ts';
import { exitOf, startServer, until, writeConfig, type ServerProcess } from './support/serverProcess.ts';
import { temporaryFolder } from './support/temporaryFolder.ts';

const seed = 20261126;
const kinds = 200;
const callers = 8;
const rounds = 2;

type Door = (model: string, stream: boolean) => [path: string, body: object];
const chatDoor: Door = (model, stream) => ['/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: 'hi' }] }];
/** Requests in each protocol. */
const doors: readonly Door[] = [
  chatDoor,
  (model, stream) => ['/v1/messages', { model, stream, max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] }],
  (model, stream) => ['/v1/responses', { model, stream, input: 'hi' }],
  (model, stream) => [`/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
];

/** Memory the system gives the process, in bytes; undefined where that cannot be read. */
function residentBytes(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/status`;
  const kilobytes = existsSync(file) ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

describe(`a server whose providers send hostile data of ${kinds} kinds (seed ${seed})`, () => {
  const { folder, remove } = temporaryFolder();
  const configFile = path.join(folder, 'switchyard.yaml');
  const provider = new HostileProvider(seed);
  let server: ServerProcess;
  const start = (): Promise<ServerProcess> => startServer({ configFile, dataDir: path.join(folder, 'data') });

  before(async () => {
    await provider.listen();
    const timeouts = { headersMs: 3_000, firstTokenMs: 2_000, idleMs: 300, totalMs: 10_000 };
    const endpoints: Record<string, EndpointSettings> = { good: { provider: 'openai-compatible', baseUrl: provider.baseUrl('good'), keys: ['k'], probe: { enabled: false } } };
    for (let kind = 0; kind < kinds; kind += 1) {
      endpoints[`kind-${kind}`] = { provider: 'openai-compatible', baseUrl: provider.baseUrl(kind), keys: ['k'], probe: { enabled: provider.family(kind) === 'list' }, timeouts, breaker: { failures: 1_000, minimumAttempts: 10_000 } };
    }
    writeConfig(configFile, endpoints);
    server = await start();
  });
  after(async () => {
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    provider.close();
    remove();
  });

  const ask = (model: string, door: number, stream: boolean): Promise<{ status: number; text: string }> => {
    const [route, body] = (doors[door % doors.length] ?? chatDoor)(model, stream);
    return rawRequest({ url: server.url + route, headers: { authorization: `Bearer ${server.token}` }, body: JSON.stringify(body) });
  };

  /** All kinds, in each round at another door. */
  const round = async (number: number): Promise<void> => {
    let next = 0;
    await Promise.all(Array.from({ length: callers }, async () => {
      for (let kind = next++; kind < kinds; kind = next++) {
        // Streams are hostile only where a stream is asked for.
        const stream = provider.family(kind) === 'stream' || (kind + number) % 2 === 0;
        const answer = await ask(`kind-${kind}/m`, kind + number, stream).catch((error: unknown) => assert.fail(`kind ${kind}: ${String(error)}; the server wrote ${server.written.stderr.slice(-2_000)}`));
        assert.ok(answer.status >= 200 && answer.status < 600, `kind ${kind}`);
      }
    }));
  };

  const ledgerIsReadable = async (): Promise<void> => {
    await server.get('/switchyard/status');
    const exchanges = await server.get('/switchyard/exchanges?limit=1000') as { id: string }[];
    for (const { id } of exchanges.slice(0, 400)) await server.receipt(id);
    await server.get('/switchyard/spend');
  };

  it('stays up, serves others meanwhile, keeps its memory, and its ledger can be read', async () => {
    const waits: number[] = [];
    let over = false;
    const others = (async () => {
      while (!over) {
        const startedAt = performance.now();
        const { status, text } = await ask('good/m', 0, false);
        waits.push(performance.now() - startedAt);
        assert.equal(status, 200, text);
        await sleep(20);
      }
    })();
    const memory: (number | undefined)[] = [];
    for (let number = 0; number < rounds; number += 1) {
      await round(number);
      memory.push(residentBytes(server.child.pid));
    }
    over = true;
    await others;
    await ledgerIsReadable();
    assert.equal(server.child.exitCode, null);
    waits.sort((a, b) => a - b);
    const typicalMs = waits[Math.floor(waits.length / 2)] ?? Infinity;
    assert.ok(typicalMs < 200, `others waited ${typicalMs} ms`);
    const [first, last] = [memory[0], memory.at(-1)];
    if (first !== undefined && last !== undefined) assert.ok(last - first < 20 * 1024 * 1024, `the second round took ${(last - first) / 1024 / 1024} MB`);
  });

  it('comes up again with what it kept of them, and serves', async () => {
    assert.equal(await server.stop(), 0);
    server = await start();
    for (let kind = 0; kind < kinds; kind += 5) await ask(`kind-${kind}/m`, 0, false);
    assert.equal((await ask('good/m', 0, false)).status, 200);
    await until('the ledger can be read', async () => {
      await ledgerIsReadable();
      return true;
    });
    assert.equal(server.child.exitCode, null);
  });
});
