import assert from 'node:assert/strict';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { describe, it } from 'node:test';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';

function statusOf(url: string, ca?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, servername: 'localhost', ...(ca === undefined ? {} : { ca }) }, (response) => {
      response.resume();
      response.once('end', () => { resolve(response.statusCode); });
    });
    call.once('error', reject);
    call.end();
  });
}

describe('a sandbox provider over TLS', () => {
  it('is refused by those who verify certificates and answers those who trust it', async () => {
    const tls = selfSignedCertificate();
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'tls', tls });
    try {
      assert.match(provider.url, /^https:/);
      await assert.rejects(statusOf(`${provider.url}/models`), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      assert.equal(await statusOf(`${provider.url}/models`, tls.cert), 200);
      assert.equal(provider.requests.length, 1);
    } finally {
      await provider.close();
    }
  });

  it('can present an expired certificate', async () => {
    const tls = selfSignedCertificate('localhost', Date.UTC(2020, 0, 1), Date.UTC(2021, 0, 1));
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'tls', tls });
    try {
      await assert.rejects(statusOf(`${provider.url}/models`, tls.cert), { code: 'CERT_HAS_EXPIRED' });
    } finally {
      await provider.close();
    }
  });

  it('never finishes the handshake when it is a black hole', async () => {
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'tls', tls: selfSignedCertificate() });
    provider.script({ type: 'black-hole' });
    const socket = connect({ port: Number(new URL(provider.url).port), host: '127.0.0.1', rejectUnauthorized: false });
    let secured = false;
    socket.once('secureConnect', () => { secured = true; });
    socket.on('error', () => socket.destroy());
    while (provider.connectionCount === 0) await new Promise((resolve) => { setImmediate(resolve); });
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    assert.equal(secured, false);
    await provider.close();
  });
});
