import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { directNetwork, networkOf } from '../../../server/config/network.ts';
import { Receivers } from '../../../server/upstream/receivers.ts';

describe('receivers that are no providers', () => {
  const receivers = new Receivers();
  const seen: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let answer: { status: number; body: string } | 'silent' = { status: 200, body: 'ok' };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body });
      if (answer !== 'silent') response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
    });
  });
  let origin = '';
  before(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  after(async () => {
    await receivers.shutdown();
    server.closeAllConnections();
    server.close();
  });
  const send = (url: string, rest: { timeoutMs?: number; signal?: AbortSignal } = {}): ReturnType<typeof receivers.post> => receivers.post({ name: 'The webhook "team"', url, headers: { 'x-own': '1' }, body: Buffer.from('{}'), timeoutMs: 20_000, ...rest });

  test('are reached through the proxy of the configuration, and this machine without it', async () => {
    // The proxy answers itself, as if the receiver had.
    receivers.configure(networkOf({ proxy: origin }, {}, message => assert.fail(message)));
    assert.equal((await send('http://hooks.internal/T1?x=1')).failed, undefined);
    assert.deepEqual([seen.at(-1)?.url, seen.at(-1)?.headers.host, seen.at(-1)?.body], ['http://hooks.internal/T1?x=1', 'hooks.internal', '{}']);
    await send(`${origin}/direct`);
    assert.equal(seen.at(-1)?.url, '/direct');
    receivers.configure(directNetwork);
    const direct = await send('http://hooks.internal/T1', { timeoutMs: 5_000 });
    assert.ok(direct.failed !== undefined, 'the name is known to the proxy alone');
  });

  test('are not followed elsewhere, and only the first part of an answer is kept', async () => {
    answer = { status: 307, body: '' };
    const moved = await send(`${origin}/moved`);
    assert.equal(moved.failed === undefined && moved.status, 307);
    assert.equal(seen.at(-1)?.url, '/moved');
    answer = { status: 200, body: 'x'.repeat(5_000_000) };
    const long = await send(`${origin}/long`);
    assert.ok(long.failed === undefined && long.status === 200 && long.text.length <= 65_536);
  });

  test('that do not answer are waited for so long, or until nobody wants it any more', async () => {
    answer = 'silent';
    assert.deepEqual(await send(`${origin}/silent`, { timeoutMs: 50 }), { failed: 'headers-timeout' });
    const ended = new AbortController();
    const waiting = send(`${origin}/silent`, { signal: ended.signal });
    ended.abort();
    assert.deepEqual(await waiting, { failed: 'cancelled' });
    assert.deepEqual(await send('http://127.0.0.1:9/'), { failed: 'connection-refused' });
    await receivers.shutdown();
    assert.deepEqual(await send(`${origin}/late`), { failed: 'shutting-down' });
  });
});
