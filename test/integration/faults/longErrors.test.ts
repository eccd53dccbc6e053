import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { callerHeaders, callerPath, callerProtocols, requestBody } from '../support/callerProtocols.ts';
import { rawRequest } from '../support/rawClient.ts';
import { exitOf, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const unit = '-eyJ-eyJ';
const said: Readonly<Record<string, { status: number; bytes: number; body(text: string): string; type: string }>> = {
  'an error of 60 KB': { status: 400, bytes: 60_000, type: 'application/json', body: text => JSON.stringify({ error: { message: text, type: text } }) },
  'an error of 1 MB': { status: 500, bytes: 1 << 20, type: 'application/json', body: text => JSON.stringify({ error: { message: text } }) },
  'a page of 1 MB': { status: 502, bytes: 1 << 20, type: 'text/html', body: text => `<html><title>${'<title '.repeat(10_000)}${text}` },
  'an error of 4 MB in a good answer': { status: 200, bytes: 4 << 20, type: 'application/json', body: text => JSON.stringify({ error: { message: text, code: 400, type: text } }) },
  'an error of 4 MB in FastAPI\'s shape': { status: 200, bytes: 4 << 20, type: 'application/json', body: text => JSON.stringify({ detail: [{ loc: [text], msg: text, input: text }] }) },
  'an event of 500 KB in a stream': { status: 200, bytes: 500_000, type: 'text/event-stream', body: text => `data: ${JSON.stringify({ error: { message: text } })}\n\n` },
};

/** Earlier regular expressions took more than 25 s for the shorter errors, and no other request was served in that time. */
const longestWaitMs = 3000;

describe('an error that is long and made to be slow to look through', () => {
  const { folder, remove } = temporaryFolder();
  const kinds = Object.keys(said);
  let provider: Server;
  let server: ServerProcess;

  before(async () => {
    provider = createServer((request, response) => {
      request.resume();
      const kind = said[kinds[Number(request.url?.split('/')[1])] ?? ''];
      if (kind === undefined || request.method !== 'POST') response.writeHead(404).end();
      else response.writeHead(kind.status, { 'content-type': kind.type }).end(kind.body(unit.repeat(kind.bytes / unit.length)));
    });
    await new Promise<void>(resolve => provider.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const configFile = path.join(folder, 'waybill.yaml');
    writeConfig(configFile, Object.fromEntries(kinds.map((_kind, index) => [`e${index}`, { provider: 'openai-compatible', baseUrl: `${base}/${index}`, keys: ['a-key-of-no-shape'], models: { m: {} }, probe: { enabled: false } }])));
    server = await startServer({ configFile, dataDir: path.join(folder, 'data') });
  });
  after(async () => {
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    provider.close();
    provider.closeAllConnections();
    remove();
  });

  for (const [index, kind] of kinds.entries()) {
    it(`delays no other request: ${kind}`, async () => {
      for (const caller of callerProtocols) {
        const startedAt = performance.now();
        let longestMs = 0;
        let asking = true;
        const others = (async () => {
          while (asking) {
            const askedAt = performance.now();
            await rawRequest({ url: `${server.url}/health` });
            longestMs = Math.max(longestMs, performance.now() - askedAt);
          }
        })();
        const answer = await rawRequest({
          url: server.url + callerPath[caller], headers: callerHeaders(caller, server.token),
          body: JSON.stringify(requestBody(caller, { model: `e${index}/m`, prompt: 'hi', stream: kind.includes('stream') })),
        });
        asking = false;
        await others;
        assert.ok(answer.text.length < 70_000, `${answer.text.length} characters`);
        assert.match(answer.text, /error/);
        assert.ok(longestMs < longestWaitMs && performance.now() - startedAt < 2 * longestWaitMs, `${longestMs} ms for another caller`);
      }
    });
  }
});
