import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import { exitOf, spawnServer, until, writeConfig, type Written } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
after(remove);
const configFile = path.join(folder, 'waybill.yaml');
const dataDir = path.join(folder, 'data');
writeConfig(configFile, { a: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1', probe: { enabled: false } } }, { coding: { targets: ['a/m'] } });

interface Served { child: ChildProcess; written: Written; url: URL; localUrl: string | undefined; token: string }

function serve(...more: string[]): Promise<Served> {
  return serveWith(['serve', '--config', configFile, '--port', '0', '--data', dataDir, '--drain-delay', '0', '--json', ...more]);
}

async function serveWith(words: string[]): Promise<Served> {
  const { child, written } = spawnServer(words);
  await until('the server announces itself or ends', () => written.stdout.includes('\n') || child.exitCode !== null, 60_000);
  assert.equal(child.exitCode, null, written.stderr);
  const { url, localUrl, tokenFile } = JSON.parse(written.stdout.split('\n')[0] ?? '') as { url: string; localUrl?: string; tokenFile: string };
  return { child, written, url: new URL(url), localUrl, token: readFileSync(tokenFile, 'utf8').trim() };
}

async function ending(server: Served, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    server.child.kill('SIGTERM');
    await exitOf(server.child);
  }
}

/** @param at the address that is connected to @param from the address that is connected from; absent: the system's choice @returns the status, and the certificate that the server showed */
function ask(server: Served, at: string, target: string, headers: Record<string, string> = {}, from?: string): Promise<{ status: number; text: string; shown: string | undefined }> {
  const isSecure = server.url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const options = { host: at, port: server.url.port, path: target, headers, agent: false, rejectUnauthorized: false, ...(from === undefined ? {} : { localAddress: from }) };
    const asked = (isSecure ? secureRequest : plainRequest)(options, response => {
      const shown = isSecure ? (response.socket as TLSSocket).getPeerCertificate().fingerprint256 : undefined;
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece)).on('end', () => resolve({ status: response.statusCode ?? 0, text, shown })).on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

async function run(...words: string[]): Promise<{ code: number | null; text: string }> {
  const { child, written } = spawnServer(words);
  const code = await exitOf(child);
  return { code, text: written.stdout + written.stderr };
}

describe('serve at other addresses', () => {
  it('serves other loopback addresses, and commands still find it by its folder', async () => {
    for (const host of ['127.0.0.2', '::1']) {
      const server = await serve('--host', host);
      await ending(server, async () => {
        assert.equal((await ask(server, host, '/v1/models')).status, 401, host);
        assert.equal((await ask(server, host, '/v1/models', { authorization: `Bearer ${server.token}` })).status, 200, host);
        assert.notEqual((await ask(server, host, '/health')).status, 403, host);
        assert.equal((await run('shadow', 'status', '--data', dataDir)).code, 0);
        // Another program could hold the same port of 127.0.0.1, and pass the proof on.
        assert.equal((await ask(server, host, `/waybill/identity?nonce=${'0'.repeat(64)}`)).status, 404);
      });
    }
  });

  it('refuses names that were rebound, pages of others, and forged forwarding; believes a trusted proxy alone', async () => {
    const server = await serve('--host', '0.0.0.0', '--insecure-behind-proxy', '--host-name', 'waybill.example.com', '--trusted-proxy', '127.0.0.3');
    await ending(server, async () => {
      const models = async (headers: Record<string, string>, at = '127.0.0.2'): Promise<number> =>
        (await ask(server, at, '/v1/models', { authorization: `Bearer ${server.token}`, ...headers })).status;
      assert.equal(await models({ host: 'waybill.example.com' }), 200);
      assert.equal(await models({ host: 'Waybill.example.com:8443' }), 200);
      assert.equal(await models({ host: '192.0.2.7:7717' }), 200, 'an address cannot be rebound');
      assert.equal(await models({ host: 'rebound.example.net' }), 403);
      assert.equal(await models({ host: 'waybill.example.com@rebound.example.net' }), 403);
      assert.equal(await models({ host: 'rebound.example.net', 'x-forwarded-host': 'waybill.example.com' }), 403, 'no proxy that is trusted');
      assert.equal(await models({ host: 'waybill.example.com', origin: 'https://page.example.net' }), 403);
      assert.equal(await models({ host: 'waybill.example.com', origin: 'null' }), 403);
      assert.equal(await models({ host: 'waybill.example.com', origin: 'https://waybill.example.com' }), 200);
      const health = await ask(server, '127.0.0.2', '/health', { host: 'rebound.example.net' });
      assert.equal(health.status, 403);
      await ask(server, '127.0.0.2', '/v1/models', { host: 'waybill.example.com', 'x-forwarded-for': '198.51.100.9' });
      await until('the refusal is logged', () => server.written.stderr.includes('had no valid token'));
      assert.doesNotMatch(server.written.stderr, /198\.51\.100\.9/);
    });
  });

  it('wants the token for metrics at an address that others reach', async () => {
    const measured = path.join(folder, 'measured.yaml');
    writeFileSync(measured, `${readFileSync(configFile, 'utf8').trimEnd().slice(0, -1)}, "monitoring": { "metrics": {} } }`);
    const server = await serve('--config', measured, '--host', '127.0.0.2');
    await ending(server, async () => {
      assert.equal((await ask(server, '127.0.0.2', '/metrics')).status, 401);
      assert.equal((await ask(server, '127.0.0.2', '/metrics', { authorization: `Bearer ${server.token}` })).status, 200);
    });
  });

  it('lets readers of metrics that are named in without a token, by the address of the caller that nobody can forge', async () => {
    const file = path.join(folder, 'readers.yaml');
    const written = `${readFileSync(configFile, 'utf8').trimEnd().slice(0, -1)}, "monitoring": { "metrics": { "readers": ["127.0.0.2", "198.51.100.0/24", "2001:db8:5::/48", "::1", "127.0.0.3"] } } }`;
    writeFileSync(file, written);
    const server = await serve('--config', file, '--host', '::', '--insecure-behind-proxy', '--trusted-proxy', '127.0.0.3');
    await ending(server, async () => {
      const metrics = async (from: string, headers: Record<string, string> = {}, target = '/metrics'): Promise<number> => (await ask(server, '127.0.0.1', target, headers, from)).status;
      assert.equal(await metrics('127.0.0.2'), 200, 'IPv4 at a socket for both');
      assert.equal((await ask(server, '::1', '/metrics')).status, 200, 'IPv6');
      assert.equal(await metrics('127.0.0.4'), 401);
      assert.equal(await metrics('127.0.0.2', {}, '/v1/models'), 401, 'metrics alone');
      assert.equal(await metrics('127.0.0.2', { origin: 'https://page.example.net' }), 403, 'a page in a browser of that machine');
      assert.equal(await metrics('127.0.0.2', { host: 'rebound.example.net' }), 403);
      assert.equal(await metrics('127.0.0.4', { 'x-forwarded-for': '198.51.100.7' }), 401, 'forged by one who is no proxy');
      assert.equal(await metrics('127.0.0.2', { 'x-forwarded-for': '203.0.113.7' }), 401, 'a reader that passes on what others ask');
      assert.equal(await metrics('127.0.0.3', { 'x-forwarded-for': '198.51.100.7' }), 200, 'through a trusted proxy');
      assert.equal(await metrics('127.0.0.3', { 'x-forwarded-for': '2001:db8:5::7' }), 200);
      assert.equal(await metrics('127.0.0.3', { 'x-forwarded-for': '::ffff:198.51.100.7' }), 200);
      assert.equal(await metrics('127.0.0.3', { 'x-forwarded-for': '203.0.113.7' }), 401, 'the address of the proxy does not count, though it is named');
      assert.equal(await metrics('127.0.0.3', { 'x-forwarded-for': '198.51.100.7, 203.0.113.7' }), 401, 'forged before the proxy');
      assert.equal(await metrics('127.0.0.3'), 401, 'the proxy says nothing of whom it serves');
      assert.equal(await metrics('127.0.0.4', { authorization: `Bearer ${server.token}` }), 200);
      writeFileSync(file, written.replace('"127.0.0.2", ', ''));
      await until('a new configuration holds', async () => await metrics('127.0.0.2') === 401, 60_000);
    });
  });

  it('shows a new certificate when a link leads to it, and keeps the old one while the new pair is broken', async () => {
    const put = (name: string): string => {
      const { cert, key } = selfSignedCertificate(name);
      writeFileSync(path.join(folder, `${name}.cert`), cert);
      writeFileSync(path.join(folder, `${name}.key`), key);
      return cert;
    };
    const link = (target: string, name: string): void => {
      rmSync(path.join(folder, 'next'), { force: true });
      symlinkSync(path.join(folder, target), path.join(folder, 'next'));
      renameSync(path.join(folder, 'next'), path.join(folder, name));
    };
    put('first');
    put('second');
    link('first.cert', 'cert.pem');
    link('first.key', 'key.pem');
    const server = await serve('--host', '0.0.0.0', '--tls-cert', path.join(folder, 'cert.pem'), '--tls-key', path.join(folder, 'key.pem'));
    await ending(server, async () => {
      assert.equal(server.url.protocol, 'https:');
      const before = await ask(server, '127.0.0.1', '/v1/models', { authorization: `Bearer ${server.token}` });
      assert.equal(before.status, 200);
      link('second.cert', 'cert.pem');
      await until('the broken pair is logged', () => /The certificate from before stays in use\./.test(server.written.stderr), 60_000);
      assert.equal((await ask(server, '127.0.0.1', '/health')).shown, before.shown);
      link('second.key', 'key.pem');
      await until('the new certificate is shown', async () => (await ask(server, '127.0.0.1', '/health')).shown !== before.shown, 60_000);
    });
  });

  it('listens where the configuration says, gives way to the command line, and says when a change has to wait', async () => {
    const file = path.join(folder, 'listening.yaml');
    const write = (listen: object): void => { writeFileSync(file, `${readFileSync(configFile, 'utf8').trimEnd().slice(0, -1)}, "listen": ${JSON.stringify(listen)} }`); };
    const start = (...more: string[]): Promise<Served> => serveWith(['serve', '--config', file, '--data', dataDir, '--drain-delay', '0', '--json', ...more]);
    write({ host: '127.0.0.2', port: 0, hostNames: ['waybill.example.com'] });
    const server = await start();
    await ending(server, async () => {
      assert.equal(server.url.hostname, 'waybill.example.com');
      assert.equal((await ask(server, '127.0.0.2', '/v1/models', { authorization: `Bearer ${server.token}`, host: 'waybill.example.com' })).status, 200);
      assert.equal((await ask(server, '127.0.0.2', '/v1/models', { authorization: `Bearer ${server.token}`, host: 'rebound.example.net' })).status, 403);
      write({ host: '127.0.0.3', port: 0 });
      await until('the change is told', () => /"listen" in .*listening\.yaml was changed: it holds from the next start of the server on\./.test(server.written.stderr), 60_000);
      assert.equal((await ask(server, '127.0.0.2', '/v1/models', { authorization: `Bearer ${server.token}` })).status, 200);
    });
    const elsewhere = await start('--host', '127.0.0.4');
    await ending(elsewhere, async () => {
      assert.equal(elsewhere.url.hostname, '127.0.0.4');
      assert.equal((await ask(elsewhere, '127.0.0.4', '/v1/models', { authorization: `Bearer ${elsewhere.token}` })).status, 200);
    });
    write({ host: '0.0.0.0', port: 0 });
    const refused = await run('serve', '--config', file, '--data', dataDir);
    assert.equal(refused.code, 1);
    assert.match(refused.text, /other machines could read tokens and prompts on their way to "host"/);
    assert.match(refused.text, /the server does not start before "listen" in .*listening\.yaml is right/);
    const checked = await run('check', file);
    assert.equal(checked.code, 1);
    assert.match(checked.text, /listening\.yaml:\d+:\d+: Where the server listens is not clear: other machines/);
  });

  it('refuses in one sentence what is not safe or cannot be used', async () => {
    const config = ['serve', '--config', configFile, '--data', dataDir, '--port', '0'];
    const bare = await run(...config, '--host', '0.0.0.0');
    assert.equal(bare.code, 2);
    assert.match(bare.text, /add --tls-cert FILE and --tls-key FILE, or --insecure-behind-proxy/);
    assert.match((await run(...config, '--host', 'localhost')).text, /--host wants an IP address/);
    assert.match((await run(...config, '--host', '0.0.0.0', '--tls-cert', 'x')).text, /Give --tls-cert and --tls-key together/);
    assert.match((await run(...config, '--trusted-proxy', '10.0.0.0/33')).text, /--trusted-proxy wants an IP address or a CIDR range/);
    const unreadable = await run(...config, '--host', '0.0.0.0', '--tls-cert', path.join(folder, 'absent.pem'), '--tls-key', path.join(folder, 'absent.key'));
    assert.equal(unreadable.code, 1);
    assert.match(unreadable.text, /The certificate .*absent\.pem cannot be read \(ENOENT\): check the path/);
    const elsewhere = await run(...config, '--host', '192.0.2.1', '--insecure-behind-proxy');
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.text, /192\.0\.2\.1 is no address of this machine/);
  });
});
