import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer, createServer as createHttp2Server } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { WaybillError } from '../../../../server/base/failure.ts';
import type { NetworkSettings } from '../../../../server/api/settings.ts';
import { networkOf, type NetworkConfig } from '../../../../server/config/network.ts';
import { selfSignedCertificate } from '../../../../server/sandbox/selfSignedCertificate.ts';
import type { CallPlace } from '../../../../server/upstream/call.ts';
import { networkFailure, type CallStage } from '../../../../server/upstream/failures/networkFailure.ts';
import { ownLimit } from '../../../../server/upstream/failures/ownLimit.ts';
import { Transport } from '../../../../server/upstream/transport.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const body = Buffer.from('{}');

/** The failure of a POST to a server; undefined when it succeeds. */
async function failureOf(server: Server, scheme = 'http'): Promise<WaybillError | undefined> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const transport = new Transport();
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
  try {
    return await new Promise(resolve => {
      transport.dispatch({ name: 'a', timeouts: { connectMs: 5000 } } as CallPlace, { method: 'POST', url, headers: { 'content-length': '2' }, body: [body] }, {
        onHeaders: () => undefined, onData: () => undefined, onEnd: () => resolve(undefined), onError: resolve,
      });
    });
  } finally {
    await transport.shutdown();
    server.close();
  }
}

/** A server that writes these bytes once something was asked, and closes. */
function writing(bytes: string | Buffer, thenMs = 20): Server {
  return createServer(socket => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(bytes);
      setTimeout(() => socket.destroy(), thenMs);
    });
  });
}

describe('a connection that fails is reported with its cause', () => {
  const malformed: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['two lengths', `${ok}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, /not valid HTTP \(its headers contradict each other on its length\)/],
    ['a length that is none', `${ok}content-length: two\r\n\r\n{}`, /not valid HTTP/],
    ['length and chunks', `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, /not valid HTTP/],
    ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n', /not valid HTTP/],
    ['HTTP/0.9', '<html>hello</html>', /not valid HTTP/],
    ['a version that is none', 'HTTP/9.9 200 OK\r\n\r\n', /not valid HTTP/],
    ['a header without a name', `${ok}: x\r\n\r\n`, /not valid HTTP/],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', /changed to another protocol/],
    ['a chunk without a size', `${ok}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`, /not valid HTTP/],
    ['an alert of TLS', Buffer.from('15030300020228', 'hex'), /write https:\/\/ in its base URL/],
  ];
  for (const [name, bytes, sentence] of malformed) it(`${name}: no HTTP`, async () => {
    const failure = await failureOf(writing(bytes));
    assert.deepEqual([failure?.code, failure?.failureClass], ['not-http', 'server']);
    assert.match(failure?.message ?? '', sentence);
    assert.doesNotMatch(failure?.message ?? '', /closed the connection/);
  });

  const others: readonly (readonly [string, string, string])[] = [
    ['headers beyond the bound', `${ok}x: ${'y'.repeat(70 * 1024)}\r\n\r\n`, 'headers-too-large'],
    ['nothing', '', 'connection-reset'],
    ['half a header', `${ok}content-le`, 'connection-reset'],
    ['half a body', `${ok}content-length: 20\r\n\r\n{`, 'stream-cut'],
    ['half a chunked body', `${ok}transfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\n{`, 'stream-cut'],
  ];
  for (const [name, bytes, code] of others) it(`${name}: ${code}`, async () => {
    assert.equal((await failureOf(writing(bytes)))?.code, code);
  });

  it('a server that speaks HTTP/2 only, without TLS', async () => {
    const server = createHttp2Server();
    server.on('sessionError', () => undefined);
    const failure = await failureOf(server);
    assert.equal(failure?.code, 'http2-only');
    assert.match(failure.message, /HTTP\/2 only; set the base URL/);
  });

  it('a server that speaks HTTP/2 only and has no certificate that is trusted', async () => {
    const failure = await failureOf(createSecureServer({ ...selfSignedCertificate(), allowHTTP1: false }), 'https');
    assert.equal(failure?.code, 'certificate');
  });

  for (const [name, server] of [['a web server', createHttpServer((_request, response) => response.end('hello'))], ['something that greets', createServer(socket => socket.on('error', () => undefined).write('220 mail.example ESMTP\r\n'))]] as const) {
    it(`${name} behind https:// is not reported as a certificate problem`, async () => {
      const failure = await failureOf(server, 'https');
      assert.equal(failure?.code, 'not-tls', failure?.detail);
      assert.match(failure.message, /write http:\/\//);
    });
  }

  it('a self-signed certificate, with its own sentence', async () => {
    const selfSigned = await failureOf(createTlsServer(selfSignedCertificate()), 'https');
    assert.deepEqual([selfSigned?.code, selfSigned?.message.includes('self-signed')], ['certificate', true]);
  });

  it('a server whose TLS is too old, and one that closes during the handshake', async () => {
    const old = await failureOf(createTlsServer({ ...selfSignedCertificate(), maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }), 'https');
    assert.equal(old?.code, 'tls-failed', old?.detail);
    const closing = await failureOf(createServer(socket => socket.on('error', () => undefined).resetAndDestroy()), 'https');
    assert.deepEqual([closing?.code, closing?.failureClass], ['connection-failed', 'network']);
  });
});

describe('a host on the internet that this machine has no way to', () => {
  /** The message of a GET to the URL with this network. */
  async function messageOf(url: string, network: NetworkConfig, place: Partial<CallPlace> = {}): Promise<string> {
    const transport = new Transport();
    transport.configure(new Map(), network);
    try {
      return await new Promise(resolve => {
        transport.dispatch({ name: 'a', timeouts: { connectMs: 5000 }, ...place } as CallPlace, { method: 'GET', url, headers: {} }, { onHeaders: () => undefined, onData: () => undefined, onEnd: () => resolve(''), onError: ({ message }) => resolve(message) });
      });
    } finally {
      await transport.shutdown();
    }
  }
  const network = (environment: Record<string, string>, settings?: NetworkSettings): NetworkConfig => networkOf(settings, environment, message => { assert.fail(message); });
  const far = 'https://no-such-host.invalid/v1';

  it('says where to name a proxy, as long as none is known', async () => {
    assert.match(await messageOf(far, network({})), /^a has no address.*; if this machine reaches the internet through a proxy, name it in `http\.proxy` of VS Code or in HTTPS_PROXY\.$/);
  });

  it('says nothing of proxies where one is known, where they are turned off, and for hosts that are near', async () => {
    const said = [
      await messageOf(far, network({ HTTPS_PROXY: 'http://proxy:1', NO_PROXY: '.invalid' })), await messageOf(far, network({}, { proxySupport: 'off' })), await messageOf(far, network({}), { proxy: 'none' }),
      await messageOf('http://no-such-host.internal/v1', network({})), await messageOf('http://127.0.0.1:1/v1', network({})),
    ];
    for (const message of said) assert.ok(message.startsWith('a ') && !/proxy/.test(message), message);
  });
});

describe('every code has its sentence', () => {
  const coded = (code: string, more: object = {}): Error => Object.assign(new Error(`failed with ${code}`), { code }, more);
  const codeOf = (code: string, stage: CallStage = 'connecting', more: object = {}): string => networkFailure(coded(code, more), 'a', stage).code;

  it('of connections that were not made', () => {
    const cases: Record<string, string> = {
      ECONNREFUSED: 'connection-refused', ENOTFOUND: 'no-address', EAI_AGAIN: 'no-address', EAI_FAIL: 'no-address', ENETUNREACH: 'unreachable', EHOSTUNREACH: 'unreachable',
      ETIMEDOUT: 'connect-timeout', UND_ERR_CONNECT_TIMEOUT: 'connect-timeout', ECONNRESET: 'connection-failed', UND_ERR_SOCKET: 'connection-failed',
      UND_ERR_INVALID_ARG: 'unsendable', UND_ERR_DESTROYED: 'shutting-down', UND_ERR_CLOSED: 'shutting-down',
    };
    for (const [code, expected] of Object.entries(cases)) assert.equal(codeOf(code), expected, code);
    assert.notEqual(networkFailure(coded('EAI_AGAIN'), 'a', 'connecting').message, networkFailure(coded('ENOTFOUND'), 'a', 'connecting').message);
  });

  it('of certificates and handshakes', () => {
    for (const code of ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'INVALID_CA', 'PATH_LENGTH_EXCEEDED', 'CRL_HAS_EXPIRED']) {
      assert.equal(codeOf(code), 'certificate', code);
    }
    const sentences = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_UNTRUSTED']
      .map(code => networkFailure(coded(code), 'a', 'connecting').message);
    assert.equal(new Set(sentences).size, sentences.length);
    const handshakes: Record<string, string> = {
      ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls', ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls', ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'tls-failed',
      ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls-failed', ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls-failed', ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'tls-failed',
      ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'tls-failed', ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'tls-failed', ERR_SSL_A_REASON_OF_TOMORROW: 'tls-failed', EPROTO: 'tls-failed',
    };
    for (const [code, expected] of Object.entries(handshakes)) assert.equal(codeOf(code), expected, code);
    const eproto = Object.assign(new Error('write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../s3_record.c:354:\n'), { code: 'EPROTO' });
    assert.equal(networkFailure(eproto, 'a', 'connecting').code, 'not-tls');
  });

  it('of connections in use', () => {
    for (const code of ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']) assert.equal(codeOf(code, 'waiting'), 'connection-reset', code);
    for (const code of ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN']) assert.equal(codeOf(code, 'waiting'), 'connection-lost', code);
    for (const code of ['ECONNRESET', 'ETIMEDOUT', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']) assert.equal(codeOf(code, 'answering'), 'stream-cut', code);
  });

  it('of several addresses reports the most informative failure', () => {
    const all = (...codes: string[]): string => networkFailure(new AggregateError(codes.map(code => coded(code))), 'a', 'connecting').code;
    assert.equal(all('ENETUNREACH', 'ECONNREFUSED'), 'connection-refused');
    assert.equal(all('ECONNREFUSED', 'EMFILE'), 'own-limit');
    assert.equal(all('EHOSTUNREACH', 'ENETUNREACH'), 'unreachable');
  });

  it('of limits of this machine, at every stage', () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ENOSPC', 'ERR_OUT_OF_MEMORY', 'ERR_MEMORY_ALLOCATION_FAILED']) {
      for (const stage of ['connecting', 'waiting', 'answering'] as const) {
        const failure = networkFailure(coded(code), 'a', stage);
        assert.deepEqual([failure.code, failure.failureClass, failure.retryAfterMs], ['own-limit', 'local', 1000], code);
      }
    }
    assert.equal(networkFailure(new RangeError('Array buffer allocation failed'), 'a', 'connecting').failureClass, 'local');
    assert.equal(codeOf('EADDRNOTAVAIL', 'connecting', { address: '203.0.113.7' }), 'own-limit', 'no port is free');
    assert.equal(codeOf('EADDRNOTAVAIL', 'connecting', { address: '2001:db8::7' }), 'unreachable', 'this machine speaks no IPv6');
  });

  it('a name that could not be looked up for want of files is not reported as a wrong name', () => {
    assert.equal(ownLimit('ENOTFOUND', undefined, () => false)?.lacks, ownLimit('EMFILE', undefined)?.lacks);
    assert.equal(ownLimit('ENOTFOUND', undefined, () => true), undefined);
    assert.equal(ownLimit('ECONNREFUSED', undefined, () => false), undefined);
  });
});
