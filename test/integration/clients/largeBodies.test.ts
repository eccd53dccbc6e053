import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatAnswer } from '../support/rawProvider.ts';
import { startTestRouter } from '../support/testRouter.ts';

/** A provider that keeps the bodies it reads. @param status of its answers */
async function keepingProvider(status: number): Promise<{ url: string; bodies: Buffer[]; server: Server }> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      bodies.push(Buffer.concat(pieces));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(status === 200 ? chatAnswer().split('\r\n\r\n')[1] : '{"error":{"message":"overloaded"}}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, bodies, server };
}

test('a large body reaches each target byte for byte, numbers as they were written, and its memory is given back after the answer', { timeout: 60_000 }, async (t) => {
  const failing = await keepingProvider(503);
  const working = await keepingProvider(200);
  const router = await startTestRouter({
    endpoints: {
      first: { provider: 'openai-compatible', baseUrl: failing.url, keys: ['k1'], models: { m: { upstream: 'upstream-1' } } },
      second: { provider: 'openai-compatible', baseUrl: working.url, keys: ['k2'], models: { m: { upstream: 'the-second-upstream' } } },
    },
    routes: { r: { strategy: 'priority', targets: ['first/m', 'second/m'] } },
  });
  try {
    let released = 0;
    const transfer = ArrayBuffer.prototype.transfer;
    t.mock.method(ArrayBuffer.prototype, 'transfer', function counted(this: ArrayBuffer, length?: number): ArrayBuffer {
      released += this.byteLength;
      return transfer.call(this, length);
    });
    const bodies: Buffer[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const file = `const a = "${turn}\\\\";\n\t// größer, 字 😀 {[\n`.repeat(30_000 + turn * 997);
      const body = Buffer.from(`{ "model" :"r", "seed":1.50e+03,"big": 12345678901234567890, "messages":[{"role":"user","content":${JSON.stringify(file)}}],"max_tokens":100 }`);
      bodies.push(body);
      const response = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body, headers: { 'content-type': 'application/json', authorization: `Bearer ${router.token}` } });
      assert.equal(response.status, 200);
      assert.match(await response.text(), /"content":"hello"/);
    }
    const expected = (model: string): string[] => bodies.map(body => body.toString().replace('"model" :"r"', `"model" :"${model}"`));
    assert.ok(failing.bodies.length > 0, 'the first target was asked');
    failing.bodies.forEach((body, index) => assert.ok(body.toString() === expected('upstream-1')[index], `body ${index} of the first target`));
    assert.equal(working.bodies.length, bodies.length);
    working.bodies.forEach((body, index) => assert.ok(body.toString() === expected('the-second-upstream')[index], `body ${index} of the second target`));
    // Each body once as it came in pieces, once whole; the last is given back when its connection has seen the end of the answer.
    const sent = bodies.reduce((sum, body) => sum + body.length, 0);
    for (let waited = 0; released < 1.9 * sent && waited < 5000; waited += 20) await sleep(20);
    assert.ok(released >= 1.9 * sent, `${released} of ${2 * sent} bytes`);
  } finally {
    await router.close();
    failing.server.close();
    working.server.close();
  }
});
