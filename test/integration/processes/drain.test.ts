import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exitOf, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
const configFile = path.join(folder, 'waybill.yaml');
const chunk = (content: string, finish: string | null): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** Streams whose first word has been sent, and which wait. */
const waiting: ServerResponse[] = [];
const provider = createServer((request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chunk('first', null));
    waiting.push(response);
  });
});

before(async () => {
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  writeConfig(configFile, { a: { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`, probe: { enabled: false } } }, { coding: { targets: ['a/m'] } });
});
after(() => {
  provider.closeAllConnections();
  provider.close();
  remove();
});

function finish(): void {
  for (const response of waiting.splice(0)) response.end(`${chunk(' last', 'stop')}data: [DONE]\n\n`);
}

let folders = 0;
function start(...options: string[]): Promise<ServerProcess> {
  return startServer({ configFile, dataDir: path.join(folder, `data-${folders++}`), options });
}

/** Begins a streamed request. @returns once its first word is here, with its text to the end */
async function stream({ url, token }: ServerProcess): Promise<{ whole: Promise<string> }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'coding', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  });
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('first')) text += (await reader.read()).value ?? '';
  return {
    whole: (async () => {
      for (;;) {
        // A stream that ends with an error ends its connection too, so that no caller takes it for whole.
        const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }));
        if (done) return text;
        text += value;
      }
    })(),
  };
}

async function state(server: ServerProcess, name: 'ready' | 'live'): Promise<[number, unknown, string | null]> {
  const response = await fetch(`${server.url}/waybill/${name}`);
  return [response.status, (await response.json() as { status: unknown }).status, response.headers.get('connection')];
}

function accepts(server: ServerProcess): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => { resolve(false); });
  });
}

describe('a server that a service manager ends', () => {
  it('is not ready and serves on for the delay; asked again, it ends at once', async () => {
    const server = await start('--drain-delay', '3600');
    assert.deepEqual(await state(server, 'ready'), [200, 'ok', 'keep-alive']);
    server.child.kill('SIGTERM');
    await until('it is not ready', async () => (await state(server, 'ready'))[0] === 503);
    assert.deepEqual(await state(server, 'ready'), [503, 'draining', 'close']);
    assert.deepEqual(await state(server, 'live'), [200, 'ok', 'close']);
    const { whole } = await stream(server);
    finish();
    assert.match(await whole, /last[^]*\[DONE\]/);
    server.child.kill('SIGTERM');
    assert.equal(await exitOf(server.child), 0);
  });

  it('accepts nothing new, and ends once its streams have ended', async () => {
    const server = await start();
    const { whole } = await stream(server);
    server.child.kill('SIGTERM');
    await until('nothing new is accepted', async () => !await accepts(server));
    assert.equal(server.child.exitCode, null);
    finish();
    assert.match(await whole, /first[^]* last[^]*\[DONE\]/);
    assert.equal(await exitOf(server.child), 0);
    assert.doesNotMatch(server.written.stderr, /ends while/);
  });

  it('ends streams with an error once their time is over', async () => {
    const server = await start('--drain-timeout', '0.2');
    const { whole } = await stream(server);
    server.child.kill('SIGTERM');
    const text = await whole;
    assert.match(text, /"error"/);
    assert.doesNotMatch(text, /\[DONE\]/);
    assert.equal(await exitOf(server.child), 0);
    assert.match(server.written.stderr, /the server ends while 1 request runs; --drain-timeout gives them more time\./);
    finish();
  });

  it('ends at once at SIGINT', async () => {
    const server = await start('--drain-delay', '3600', '--drain-timeout', '3600');
    const { whole } = await stream(server);
    server.child.kill('SIGINT');
    assert.match(await whole, /"error"/);
    assert.equal(await exitOf(server.child), 0);
    finish();
  });
});
