import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { Receipt, RequestSummary, SpendReport } from '../../../server/api/receipt.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { isObject } from '../../../server/base/json.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, readAnswer, requestBody } from '../support/callerProtocols.ts';
import { rawRequest, type RawAnswer, type RawRequest } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, isAlive, killAll, serverEntry, spawnServer, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

let provider: SandboxProvider;
const { folder, remove } = temporaryFolder();
const started: ServerProcess[] = [];
let serial = 0;

/** The configuration file and data folder of one server. */
function places(): { configFile: string; dataDir: string } {
  serial += 1;
  return { configFile: path.join(folder, `waybill-${serial}.yaml`), dataDir: path.join(folder, `data-${serial}`) };
}

async function serve(options: Partial<Parameters<typeof startServer>[0]> = {}): Promise<ServerProcess & { configFile: string; dataDir: string }> {
  const own = { ...places(), ...options };
  if (options.configFile === undefined) writeConfig(own.configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
  const server = await startServer(own);
  started.push(server);
  return { ...server, ...own };
}

function ask(server: ServerProcess, request: Partial<RawRequest> & { prompt?: string; stream?: boolean } = {}): Promise<RawAnswer> {
  const { prompt, stream, ...rest } = request;
  return rawRequest({
    url: server.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', server.token),
    body: JSON.stringify(requestBody('openai-chat', { model: 'auto', prompt: prompt ?? 'hello', stream: stream ?? false })), ...rest,
  });
}

function errorOf(answer: RawAnswer): string {
  return readAnswer('openai-chat', answer.text, false).error?.message ?? '';
}

before(async () => {
  provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
});
after(async () => {
  await killAll(started.map(({ child }) => child));
  await provider.close();
  remove();
});

describe('the headless server', () => {
  it('announces itself on the first line of stdout and writes nothing else there; SIGTERM ends it cleanly', async () => {
    const server = await serve();
    const answer = await ask(server);
    assert.equal(answer.status, 200);
    assert.match(readAnswer('openai-chat', answer.text, false).text, /sandbox a answers/);
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    if (process.platform !== 'win32') assert.equal(statSync(server.tokenFile).mode & 0o777, 0o600);
    assert.equal(await server.stop(), 0);
    assert.deepEqual(server.written.stdout.split('\n').slice(1), ['']);
    assert.ok(!server.written.stderr.includes('error:'), server.written.stderr);
  });

  it('refuses foreign hosts, foreign origins and wrong tokens, and says what was wrong', async () => {
    const server = await serve();
    const port = new URL(server.url).port;
    const headers = callerHeaders('openai-chat', server.token);
    const stranger = await ask(server, { headers: { ...headers, host: 'evil.example' } });
    assert.equal(stranger.status, 403);
    assert.match(errorOf(stranger), /Host/);
    assert.equal((await ask(server, { headers: { ...headers, host: `localhost:${port}` } })).status, 200);
    assert.equal((await ask(server, { headers: { ...headers, origin: 'https://evil.example' } })).status, 403);
    assert.equal((await ask(server, { headers: { ...headers, 'sec-fetch-site': 'cross-site' } })).status, 403);
    assert.equal((await ask(server, { headers: {} })).status, 401);
    assert.equal((await ask(server, { headers: { authorization: 'Bearer nonsense' } })).status, 401);
    for (const good of [{ 'x-api-key': server.token }, { 'x-goog-api-key': server.token }, { authorization: `bearer ${server.token}` }]) {
      assert.equal((await ask(server, { headers: good })).status, 200);
    }
    for (const route of ['/v1/models', '/waybill/status', '/waybill/spend', '/waybill/exchanges']) {
      assert.equal((await rawRequest({ url: server.url + route })).status, 401, route);
    }
    const preflight = await rawRequest({ url: server.url + callerPath['openai-chat'], method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
  });

  it('shows its health without a token, and without names or money', async () => {
    const server = await serve();
    const health = await rawRequest({ url: `${server.url}/health` });
    assert.equal(health.status, 200);
    assert.deepEqual(JSON.parse(health.text), { status: 'ok' });
  });

  it('refuses what it cannot understand, in the shape of the caller\'s protocol', async () => {
    const server = await serve();
    const broken = await ask(server, { body: '{"model": "auto", "messages": [' });
    assert.equal(broken.status, 400);
    assert.match(errorOf(broken), /not a JSON object/);
    assert.equal((await ask(server, { body: '{"messages":[]}' })).status, 400);
    const unknown = await ask(server, { body: JSON.stringify({ model: 'autoo', messages: [{ role: 'user', content: 'x' }] }) });
    assert.equal(unknown.status, 404);
    assert.match(errorOf(unknown), /did you mean "auto"/);
    const messages = await rawRequest({ url: server.url + callerPath['anthropic-messages'], headers: callerHeaders('anthropic-messages', server.token), body: '[]' });
    assert.equal(messages.status, 400);
    assert.equal((JSON.parse(messages.text) as { type: string }).type, 'error');
    assert.equal((await rawRequest({ url: `${server.url}/v1/nothing`, headers: callerHeaders('openai-chat', server.token) })).status, 404);
    assert.equal((await rawRequest({ url: `${server.url}/v1/models/%E0%A4%A`, headers: callerHeaders('openai-chat', server.token) })).status, 404);
    const got = await rawRequest({ url: server.url + callerPath['openai-chat'], method: 'GET', headers: callerHeaders('openai-chat', server.token) });
    assert.equal(got.status, 405);
    assert.match(errorOf(got), /^Use POST for \/v1\/chat\/completions\.$/);
    const nothing = await rawRequest({ url: `${server.url}/v1/nothing?x=1`, method: 'GET', headers: callerHeaders('openai-chat', server.token) });
    assert.match(errorOf(nothing), /^There is no \/v1\/nothing here\.$/);
    for (const [before, status] of [['abc', 400], ['', 400], ['Infinity', 400], ['1700000000000', 200]] as const) {
      const page = await rawRequest({ url: `${server.url}/waybill/exchanges?before=${before}`, method: 'GET', headers: callerHeaders('openai-chat', server.token) });
      assert.equal(page.status, status, before);
      if (status === 400) assert.match(page.text, /Give before in milliseconds/);
    }
    assert.equal((await ask(server)).status, 200, 'it no longer answers');
  });

  it('bounds bodies and headers', async () => {
    const server = await serve();
    const tooLong = await ask(server, { headers: { ...callerHeaders('openai-chat', server.token), 'content-length': String(65 * 1024 * 1024) }, body: '{' }).catch((error: unknown) => error);
    assert.ok(!(tooLong instanceof Error) && (tooLong as RawAnswer).status === 413, String(tooLong));
    const headers = await ask(server, { headers: { ...callerHeaders('openai-chat', server.token), 'x-long': 'x'.repeat(80_000) } }).catch(() => undefined);
    assert.ok(headers === undefined || headers.status === 431);
    assert.equal((await ask(server)).status, 200, 'it no longer answers');
  });

  it('reports problems of the configuration with file and line, and serves what is valid', async () => {
    const own = places();
    writeFileSync(own.configFile, [
      'endpoints:',
      `  a: { provider: sandbox, baseUrl: "${provider.url}", models: { m: {} }, probe: { enabled: false } }`,
      '  claude: { provider: anthropic, keys: ["${WAYBILL_TEST_MISSING_KEY}"] }',
      '  wrong: { provider: sandbox, baseUrl: "http://127.0.0.1:1/v1", colour: blue }',
      'routes:',
      '  auto: { targets: [a/m, nowhere/m] }',
    ].join('\n'));
    const server = await serve(own);
    for (const pattern of [/waybill-\d+\.yaml:3: .*WAYBILL_TEST_MISSING_KEY/, /waybill-\d+\.yaml:4: .*colour/, /waybill-\d+\.yaml:6: .*nowhere/]) assert.match(server.written.stderr, pattern);
    assert.equal((await ask(server)).status, 200);
    const { problems } = await server.get('/waybill/status') as StatusSnapshot;
    assert.ok(problems.length >= 3 && problems.every(problem => problem.file !== undefined && problem.line !== undefined));
  });

  it('ends with a message when there is no configuration or its port is taken', async () => {
    const own = places();
    const missing = spawnServer(['serve', '--config', own.configFile, '--data', own.dataDir, '--port', '0']);
    assert.equal(await exitOf(missing.child), 1);
    assert.match(missing.written.stderr, /waybill-\d+\.yaml.*no such file/);

    const holder = createServer();
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    writeConfig(own.configFile, { a: sandboxEndpoint(provider) });
    const taken = spawnServer(['serve', '--config', own.configFile, '--data', own.dataDir, '--port', String(port), '--json']);
    assert.equal(await exitOf(taken.child), 1);
    assert.match(taken.written.stderr, new RegExp(`Port ${port} is taken`));
    assert.equal(taken.written.stdout, '');
    holder.close();

    const wrong = spawnServer(['serve', '--konfig', 'x']);
    assert.equal(await exitOf(wrong.child), 2);
    assert.match(wrong.written.stderr, /--konfig.*not known/);
  });

  it('ends with one sentence when its data folder cannot be used', async () => {
    const own = places();
    writeConfig(own.configFile, { a: sandboxEndpoint(provider) });
    for (const [dataDir, why] of [[own.configFile, 'it is a file'], [path.join(own.configFile, 'data'), 'a part of its path is a file']] as const) {
      const server = spawnServer(['serve', '--config', own.configFile, '--data', dataDir, '--port', '0', '--json']);
      assert.equal(await exitOf(server.child), 1);
      if (process.platform !== 'win32') assert.equal(server.written.stderr, `waybill: The data folder ${dataDir} cannot be used: ${why}.\n`);
    }
  });

  it('keeps its configuration when the file is found half written, and starts with an empty one', async () => {
    const server = await serve();
    for (const [text, said] of [['', 'is empty'], ['# to come\n', 'is empty'], ['endpoints', 'must be a mapping']] as const) {
      const before = server.written.stderr.length;
      writeFileSync(server.configFile, text);
      await until('the problem is logged', () => server.written.stderr.slice(before).includes(said));
      assert.match(server.written.stderr.slice(before), /^error: [^\n]*The configuration from before stays\.$/m);
      assert.equal((await ask(server)).status, 200, JSON.stringify(text));
    }
    const own = places();
    writeFileSync(own.configFile, '# to come\n');
    const fresh = await serve(own);
    assert.notEqual((await ask(fresh)).status, 200);
    writeConfig(own.configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
    await until('the configuration is adopted', async () => (await ask(fresh)).status === 200);
  });

  it('adopts a changed configuration without dropping a running stream', async () => {
    const slow = await startSandboxProvider({ protocol: 'openai-chat', name: 'slow', latency: { betweenWordsMs: 15 } });
    try {
      const own = places();
      writeConfig(own.configFile, { slow: sandboxEndpoint(slow) }, { auto: { targets: ['slow/m'] } });
      const server = await serve(own);
      let begun: (() => void) | undefined;
      const begins = new Promise<void>(resolve => (begun = resolve));
      const running = ask(server, { stream: true, prompt: 'say 60 words', onChunk: () => begun?.() });
      await Promise.race([begins, running]);
      writeConfig(own.configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
      await until('the new endpoint answers', async () => (await ask(server)).headers['x-waybill-target'] === 'a/m');
      const answer = await running;
      const seen = readAnswer('openai-chat', answer.text, true);
      assert.ok(answer.endedCleanly && seen.finished);
      assert.equal(seen.text.trim().split(' ').length, 60);
      // A file that cannot be used leaves the old configuration in place.
      writeFileSync(own.configFile, 'endpoints: [');
      await until('the problem is logged', () => server.written.stderr.includes(path.basename(own.configFile)));
      await server.stop();
    } finally {
      await slow.close();
    }
  });

  it('ends when its parent dies', async () => {
    const own = places();
    writeConfig(own.configFile, { a: sandboxEndpoint(provider) });
    const script = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ${JSON.stringify([serverEntry, 'serve', '--config', own.configFile, '--data', own.dataDir, '--port', '0', '--json'])}, { stdio: ['ignore', 'pipe', 'ignore'] });
      child.stdout.once('data', line => console.log(JSON.stringify({ pid: child.pid, ...JSON.parse(String(line).split('\\n')[0]) })));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let line = '';
    parent.stdout.setEncoding('utf8').on('data', (text: string) => (line += text));
    await until('the grandchild announces itself', () => line.includes('\n'));
    const { pid, url } = JSON.parse(line) as { pid: number; url: string };
    assert.equal((await rawRequest({ url: `${url}/health` })).status, 200);
    parent.kill('SIGKILL');
    await exitOf(parent);
    await until('the server has ended', () => !isAlive(pid));
  });

  it('loses nothing it acknowledged when it is killed: finished exchanges stay, the running one is interrupted', async () => {
    const server = await serve();
    const finished = await Promise.all(Array.from({ length: 5 }, () => ask(server, { prompt: 'say 9 words' })));
    provider.script({ type: 'stall', after: 5 });
    let begun: (() => void) | undefined;
    const begins = new Promise<void>(resolve => (begun = resolve));
    const running = ask(server, { stream: true, prompt: 'say 30 words', onChunk: () => begun?.() });
    await Promise.race([begins, running]);
    // The promise: what was acknowledged more than 50 ms ago is on disk.
    await sleep(60);
    server.child.kill('SIGKILL');
    const cut = await running;
    provider.script({ type: 'answer' });
    assert.equal(cut.endedCleanly, false, 'a killed server ended its answer cleanly');

    const heir = await serve({ configFile: server.configFile, dataDir: server.dataDir });
    for (const answer of finished) {
      const receipt = await heir.receipt(String(answer.headers['x-waybill-exchange']));
      assert.equal(receipt.outcome, 'ok');
      assert.equal(receipt.usage.outputTokens, 9);
    }
    const cutId = String(cut.headers['x-waybill-exchange']);
    // A server counts as dead once its last heartbeat is old.
    await until('the cut exchange is known as interrupted', async () => (await heir.receipt(cutId)).outcome === 'interrupted', 30_000);
    const exchanges = await heir.get('/waybill/exchanges') as RequestSummary[];
    assert.equal(exchanges.length, 6);
    await heir.stop();
  });

  it('shares spend and health with another server on the same data', async () => {
    const own = places();
    writeConfig(own.configFile, { a: sandboxEndpoint(provider), dead: { ...sandboxEndpoint(provider), baseUrl: 'http://127.0.0.1:9/v1' } }, { auto: { targets: ['a/m'] }, gone: { targets: ['dead/m'] } });
    const [one, other] = await Promise.all([serve(own), serve(own)]);
    assert.equal(one.token, other.token);
    for (const server of [one, other]) await server.get('/waybill/status');
    const answer = await ask(one, { prompt: 'say 11 words' });
    assert.equal(answer.status, 200, answer.text);
    await ask(one, { body: JSON.stringify(requestBody('openai-chat', { model: 'gone', prompt: 'x', stream: false })) });
    const exchangeId = String(answer.headers['x-waybill-exchange']);
    await until('the other server has the receipt', async () => {
      const found = await rawRequest({ url: `${other.url}/waybill/exchanges/${exchangeId}`, method: 'GET', headers: callerHeaders('openai-chat', other.token) });
      assert.ok(found.status === 200 || found.status === 404, found.text);
      return found.status === 200 && (JSON.parse(found.text) as Receipt).usage.outputTokens === 11;
    });
    const spend = await other.get('/waybill/spend') as SpendReport;
    assert.equal(spend.totals.usage.outputTokens, 11);
    await until('the other server knows the health of both endpoints', async () => {
      const { endpoints } = await other.get('/waybill/status') as StatusSnapshot;
      const state = (name: string): string | undefined => endpoints.find(endpoint => endpoint.name === name)?.state;
      return state('a') === 'healthy' && state('dead') === 'down';
    });
    const status = await other.get('/waybill/status');
    assert.ok(isObject(status) && !JSON.stringify(status).includes(one.token));
    await Promise.all([one.stop(), other.stop()]);
  });
});
