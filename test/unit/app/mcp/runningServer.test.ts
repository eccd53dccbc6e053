import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { RunningServer } from '../../../../server/app/mcp/runningServer.ts';

const call = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'waybill_why' } });

/** A running server that answers as given. */
async function answering(t: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void, waitMs = 60_000): Promise<RunningServer> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return new RunningServer({ find: () => Promise.resolve({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, token: 'waybill-test' }), waitMs });
}

describe('a running server that is asked for an agent', () => {
  it('answers itself', async t => {
    const running = await answering(t, (_request, response) => response.end('{"jsonrpc":"2.0","id":1,"result":{}}'));
    assert.deepEqual(await running.answer(call(1)), { text: '{"jsonrpc":"2.0","id":1,"result":{}}' });
    for (const own of ['{', '[]', '{"jsonrpc":"2.0","id":1,"method":"ping"}', '{"jsonrpc":"2.0","id":{},"method":"tools/call"}', '{"id":1,"method":"tools/call"}']) assert.equal(await running.answer(own), undefined, own);
  });

  it('is not said to be gone where it fails or is too slow', async t => {
    const failing: ((request: IncomingMessage, response: ServerResponse) => void)[] = [
      (_request, response) => response.writeHead(503).end(), (_request, response) => response.writeHead(500).end('x'), request => request.socket.destroy(),
    ];
    for (const handle of [...failing, () => undefined]) {
      const running = await answering(t, handle, failing.includes(handle) ? 60_000 : 50);
      const answer = JSON.parse((await running.answer(call(7)))?.text ?? '') as { id: number; result: { isError: boolean; content: { text: string }[] } };
      assert.deepEqual([answer.id, answer.result.isError, answer.result.content[0]?.text], [7, true, 'The running Waybill did not answer; ask again.']);
    }
  });

  it('has no such tools, or cannot be asked: then the ledger is read', async t => {
    const older = await answering(t, (_request, response) => response.writeHead(404).end());
    assert.equal(await older.answer(call(1)), undefined);
    assert.equal(await new RunningServer({ find: () => Promise.resolve({ message: 'none' }), waitMs: 1 }).answer(call(1)), undefined);
  });

  it('learns that a call was cancelled, which gets no answer', async t => {
    let asked: (() => void) | undefined;
    const arrived = new Promise<void>(resolve => { asked = resolve; });
    let left: (() => void) | undefined;
    const gone = new Promise<void>(resolve => { left = resolve; });
    const running = await answering(t, (_request, response) => {
      response.on('close', () => left?.());
      asked?.();
    });
    const answer = running.answer(call(3));
    await arrived;
    assert.equal(await running.answer('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}'), undefined);
    assert.deepEqual(await answer, { text: undefined });
    await gone;
  });
});
