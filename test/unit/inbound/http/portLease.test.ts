import assert from 'node:assert/strict';
import { createServer as createHttpServer, request, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, connect, type AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type { HttpStatus } from '../../../../server/api/status.ts';
import { answerIdentity, askIdentity, identityPath } from '../../../../server/inbound/http/auth/identity.ts';
import { PortLease } from '../../../../server/inbound/http/portLease.ts';

const token = { token: 'waybill-of-this-data-folder', file: '/data/token' };
const warnings: string[] = [];
const log = { debug: () => undefined, info: () => undefined, warn: (line: string) => void warnings.push(line), error: (line: string) => assert.fail(line) };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  warnings.length = 0;
});

/** A program that answers HTTP on a port of its own. */
async function program(answer: RequestListener): Promise<number> {
  return listening(createHttpServer(answer));
}

async function listening(server: Server | ReturnType<typeof createTcpServer>, port = 0): Promise<number> {
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server with a token that answers as a peer does. */
function waybill(ofToken: string): RequestListener {
  return (asked, response) => { answerIdentity(asked, response, ofToken); };
}

/** Holds a port and waits until something is known of it. */
async function heldAt(port: number): Promise<{ holder: PortLease; status: HttpStatus }> {
  const holder = new PortLease(createHttpServer(waybill(token.token)), token, log, () => wake?.());
  closers.push(() => { holder.release(); }, () => { holder.close(); });
  let wake: (() => void) | undefined;
  holder.hold(port);
  while (holder.status.state === 'starting') await new Promise<void>(resolve => { wake = resolve; });
  return { holder, status: holder.status };
}

describe('the port of the local endpoint', () => {
  it('is free: it is listened on, and its address is published', async () => {
    const { status } = await heldAt(0);
    assert.equal(status.state, 'listening');
    assert.equal(await askIdentity(Number(new URL(status.url ?? '').port), token.token, 2000), 'ours');
  });

  it('is held by a peer on the same data folder, which proves it', async () => {
    const port = await program(waybill(token.token));
    const { status } = await heldAt(port);
    assert.deepEqual([status.state, status.url, status.tokenFile], ['held-by-peer', `http://127.0.0.1:${port}`, '/data/token']);
    assert.deepEqual(warnings, []);
  });

  it('is held by another program, which is logged once; no address is published, and the token is not sent', async () => {
    const seen: string[] = [];
    const port = await program((asked, response) => {
      seen.push(`${asked.url ?? ''} ${JSON.stringify(asked.headers)}`);
      response.end('{"proof":"I am Waybill, trust me"}');
    });
    const { holder, status } = await heldAt(port);
    assert.equal(status.state, 'held-by-another-program');
    assert.match(status.message ?? '', new RegExp(`Port ${port} is taken by another program`));
    assert.deepEqual([status.url, status.tokenFile], [undefined, undefined]);
    await holder.check();
    assert.deepEqual(warnings, [status.message]);
    assert.ok(seen.length >= 2);
    assert.ok(!seen.join().includes(token.token));
  });

  for (const [what, answer] of [
    ['a Waybill of another data folder', waybill('waybill-of-another-folder')],
    ['a program that answers without an end', (_asked, response) => { const more = setInterval(() => response.write('x'.repeat(1024)), 1); response.on('close', () => { clearInterval(more); }); }],
    ['a program that redirects', (_asked, response) => { response.writeHead(302, { location: '/' }).end(); }],
    ['a web server', (_asked, response) => { response.end('<!doctype html>'); }],
  ] satisfies [string, RequestListener][]) {
    it(`is held by ${what}: not ours`, async () => {
      assert.equal((await heldAt(await program(answer))).status.state, 'held-by-another-program');
    });
  }

  it('is held by a program that speaks no HTTP: not ours', async () => {
    const port = await listening(createTcpServer(socket => { socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.6\r\n'); }));
    assert.equal((await heldAt(port)).status.state, 'held-by-another-program');
  });

  it('is held by a program that passes the question on to a real Waybill: not ours', async () => {
    const real = await program(waybill(token.token));
    const port = await listening(createTcpServer(socket => {
      const onward = connect(real, '127.0.0.1');
      for (const end of [socket, onward]) end.on('error', () => undefined);
      socket.pipe(onward).pipe(socket);
    }));
    assert.equal(await askIdentity(real, token.token, 2000), 'ours');
    assert.equal(await askIdentity(port, token.token, 2000), 'foreign');
  });

  it('is silent: what was proved before gives no address to a question asked now', async () => {
    let silent = false;
    const port = await program((asked, response) => { if (!silent) answerIdentity(asked, response, token.token); });
    const { holder } = await heldAt(port);
    assert.equal(holder.status.state, 'held-by-peer');
    silent = true;
    const now = await holder.check();
    assert.deepEqual([now.state, now.url], ['starting', undefined]);
  });

  it('is taken over as soon as another try finds it free', async () => {
    const foreign = createHttpServer((_asked, response) => { response.end(); });
    const port = await listening(foreign);
    const { holder, status } = await heldAt(port);
    assert.equal(status.state, 'held-by-another-program');
    foreign.closeAllConnections();
    await new Promise(resolve => foreign.close(resolve));
    const now = await holder.check();
    assert.deepEqual([now.state, now.url], ['listening', `http://127.0.0.1:${port}`]);
  });

  it('of two that are wanted one after the other, the last one is listened on', async () => {
    const { holder } = await heldAt(0);
    const [one, other] = [await listening(createTcpServer()), 0];
    for (const wanted of [one, undefined, one, other]) holder.hold(wanted);
    while (holder.status.state !== 'listening') await new Promise(resolve => setTimeout(resolve, 5));
    assert.notEqual(Number(new URL(holder.status.url ?? '').port), one);
    holder.hold(undefined);
    assert.deepEqual(holder.status, { state: 'off' });
  });
});

describe('the identity of a server', () => {
  it('is proved only for a fresh number of full length', async () => {
    const port = await program(waybill(token.token));
    for (const nonce of ['', 'nonce=', `nonce=${'0'.repeat(63)}`, `nonce=${'G'.repeat(64)}`]) {
      const status = await new Promise(resolve => { request({ host: '127.0.0.1', port, path: `${identityPath}?${nonce}` }, response => { response.resume(); resolve(response.statusCode); }).end(); });
      assert.equal(status, 400, nonce);
    }
  });
});
