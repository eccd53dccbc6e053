import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { fullAccess, type AccessSettings, type TokenAccess } from '../../../server/api/access/tokenAccess.ts';
import { identityPath } from '../../../server/inbound/http/auth/identity.ts';
import { httpRoutes } from '../../../server/inbound/http/routes/table.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, killAll, spawnServer, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

let provider: SandboxProvider;
let testRouter: TestRouter;
before(async () => {
  provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
  testRouter = await startTestRouter({ endpoints: { a: sandboxEndpoint(provider) }, routes: { best: { targets: ['a/m'] }, other: { targets: ['a/m'] } } });
});
after(async () => {
  await testRouter.close();
  await provider.close();
});

let made = 0;
/** A token of a person, with what it may do. */
function tokenWith(access: Partial<AccessSettings>, whom: { user?: string; team?: string } = {}): { token: string; access: TokenAccess } {
  const result = testRouter.testRouter.router.tokens.book.create({ name: `token ${String(made += 1)}`, ...whom, access: { ...fullAccess, ...access } });
  assert.ok('token' in result, 'refused' in result ? result.refused : '');
  return result;
}

function ask(url: string, token: string, model = 'best', words = 'say 3 words', more: object = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ model, messages: [{ role: 'user', content: words }], max_tokens: 20, ...more }),
  });
}

async function messageOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { message: string } }).error.message;
}

describe('a token that was made', () => {
  it('names its user and team in the receipt, the ledger and the sums of spend, and is in none of them itself', async () => {
    const { token, access } = tokenWith({}, { user: 'mai', team: 'shop' });
    const response = await ask(testRouter.url, token);
    assert.equal(response.status, 200, await response.clone().text());
    const receipt = await testRouter.receipt(response.headers.get('x-waybill-exchange') ?? '');
    assert.deepEqual([receipt.caller.token, receipt.caller.user, receipt.caller.team], [access.id, 'mai', 'shop']);
    const now = Date.now();
    await until('the ledger has the request', async () => (
      (await testRouter.testRouter.router.reports.spend.dashboard({ range: { from: now - 60_000, to: now + 60_000 }, filter: { token: access.id }, rows: 'user' })).groups.rows[0]?.name === 'mai'));
    for (const file of readdirSync(testRouter.dataDir, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) assert.ok(!readFileSync(path.join(file.parentPath, file.name)).includes(token), file.name);
    }
  });

  it('is refused at names that it may not ask for, by every protocol, in a way that no client tries again', async () => {
    const { token } = tokenWith({ routes: ['best'], models: [] });
    const openAi = new OpenAI({ baseURL: `${testRouter.url}/v1`, apiKey: token });
    const anthropic = new Anthropic({ baseURL: testRouter.url, apiKey: token });
    const google = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: testRouter.url } });
    const before = provider.requests.length;
    for (const model of ['other', 'a/m', 'm', 'best2', 'other:low-cost']) {
      const sentence = /may not use .* It may use the route best: ask for one of these/;
      await assert.rejects(openAi.chat.completions.create({ model, messages: [{ role: 'user', content: 'hi' }] }), (error: unknown) => error instanceof OpenAI.PermissionDeniedError && sentence.test(error.message));
      await assert.rejects(openAi.responses.create({ model, input: 'hi' }), (error: unknown) => error instanceof OpenAI.PermissionDeniedError && sentence.test(error.message));
      await assert.rejects(anthropic.messages.create({ model, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }), (error: unknown) => error instanceof Anthropic.PermissionDeniedError && sentence.test(error.message));
      await assert.rejects(anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: 'hi' }] }), Anthropic.PermissionDeniedError);
      await assert.rejects(google.models.generateContent({ model, contents: 'hi' }), (error: unknown) => error instanceof ApiError && error.status === 403 && /It may use the route best/.test(error.message));
      await assert.rejects(openAi.embeddings.create({ model, input: 'hi' }), OpenAI.PermissionDeniedError);
    }
    assert.equal(provider.requests.length, before, 'no provider was asked');
    assert.match((await openAi.chat.completions.create({ model: 'best:low-cost', messages: [{ role: 'user', content: 'hello' }] })).choices[0]?.message.content ?? '', /hello/);
    assert.match((await anthropic.messages.create({ model: 'waybill/best', max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] })).usage.output_tokens.toString(), /\d/);
  });

  it('sees in lists of models what it may ask for, and nothing else', async () => {
    const { token } = tokenWith({ routes: ['best'], models: ['m'] });
    const listed = async (at: string, headers: Record<string, string>): Promise<string[]> => {
      const body = await (await fetch(testRouter.url + at, { headers })).json() as { data?: { id: string }[]; models?: { name: string }[] };
      return (body.data?.map(({ id }) => id) ?? body.models?.map(({ name }) => name.replace('models/', '')) ?? []).sort();
    };
    const lists: [string, Record<string, string>][] = [
      ['/v1/models', { authorization: `Bearer ${token}` }], ['/v1/models', { 'x-api-key': token, 'anthropic-version': '2023-06-01' }], ['/v1beta/models', { 'x-goog-api-key': token }], ['/api/tags', { authorization: `Bearer ${token}` }],
    ];
    for (const [at, headers] of lists) assert.deepEqual(await listed(at, headers), ['best', 'm'], at);
    assert.ok((await listed('/v1/models', { authorization: `Bearer ${testRouter.token}` })).includes('other'));
    assert.equal((await fetch(`${testRouter.url}/v1/models/other`, { headers: { authorization: `Bearer ${token}` } })).status, 404);
  });

  const withoutToken = [identityPath, '/waybill/ready', '/waybill/live'];
  it('may use no path of the administration, nor the tools for agents', async () => {
    const { token } = tokenWith({});
    for (const { methods, path: at } of httpRoutes) {
      const example = typeof at === 'string' ? at : at.source.replace(/^\^/, '').replaceAll('\\/', '/').replace(/\([^)]*\)/, 'x').replace(/\$$/, '');
      if ((!example.startsWith('/waybill/') || withoutToken.includes(example)) && example !== '/mcp') continue;
      for (const method of methods) {
        const response = await fetch(testRouter.url + example, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(method === 'POST' ? { body: '{}' } : {}) });
        assert.equal(response.status, 403, `${method} ${example}`);
        await response.body?.cancel();
      }
    }
  });

  it('is refused with its reason once it is revoked, has expired or was replaced for longer than the grace', async () => {
    const { book } = testRouter.testRouter.router.tokens;
    const revoked = tokenWith({});
    book.revoke(revoked.access.id);
    const expiring = tokenWith({ expiresAt: Date.now() + 300 });
    const rotated = tokenWith({});
    const next = book.rotate(rotated.access.id, 300);
    assert.ok('token' in next);
    assert.equal((await ask(testRouter.url, rotated.token)).status, 200);
    assert.equal((await ask(testRouter.url, next.token)).status, 200);
    const refusals: [string, RegExp][] = [[revoked.token, /was revoked: ask whoever gave it to you/], [expiring.token, /ended on 20\d\d-.* ask whoever gave you the token/], [rotated.token, /was replaced by another one/]];
    for (const [token, sentence] of refusals) {
      await until(`the refusal ${sentence.source}`, async () => (await ask(testRouter.url, token)).status === 401);
      assert.match(await messageOf(await ask(testRouter.url, token)), sentence);
      await assert.rejects(new Anthropic({ baseURL: testRouter.url, apiKey: token }).messages.create({ model: 'best', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }), Anthropic.AuthenticationError);
    }
    assert.equal((await ask(testRouter.url, next.token)).status, 200);
  });

  it('sends no more requests and tokens a minute, and at once, than it may', async () => {
    const requests = tokenWith({ requestsPerMinute: 2 });
    assert.deepEqual([(await ask(testRouter.url, requests.token)).status, (await ask(testRouter.url, requests.token)).status], [200, 200]);
    const third = await ask(testRouter.url, requests.token);
    assert.equal(third.status, 429);
    assert.ok(Number(third.headers.get('retry-after')) >= 1);
    assert.match(await messageOf(third), /the limit of the token of 2 requests a minute is used up/);
    const counts = tokenWith({ requestsPerMinute: 3, tokensPerMinute: 100_000, concurrency: 1 });
    const counting: [string, object][] = [
      ['/v1/messages/count_tokens', { model: 'best', messages: [{ role: 'user', content: 'hi' }] }], ['/v1/responses/input_tokens', { model: 'best', input: 'hi' }],
      ['/v1beta/models/best:countTokens', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
    ];
    const counted = async ([at, body]: [string, object]): Promise<number> => {
      const response = await fetch(testRouter.url + at, { method: 'POST', headers: { 'authorization': `Bearer ${counts.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
      await response.body?.cancel();
      return response.status;
    };
    for (const [index, status] of [200, 200, 200, 429, 429, 429].entries()) assert.equal(await counted(counting[index % 3] ?? assert.fail()), status, `count ${String(index)}`);
    const tokens = tokenWith({ tokensPerMinute: 1_000 });
    assert.equal((await ask(testRouter.url, tokens.token)).status, 200);
    assert.match(await messageOf(await ask(testRouter.url, tokens.token, 'best', 'word '.repeat(2_000))), /1,000 tokens a minute/);
    assert.equal((await ask(testRouter.url, tokens.token)).status, 200, 'what the first one took is less than what it might have taken');
    const single = tokenWith({ concurrency: 1 });
    provider.script([{ type: 'answer', headersMs: 3_000 }]);
    const slow = ask(testRouter.url, single.token);
    await until('the first one runs', async () => (await testRouter.testRouter.router.runningRequests()).some(({ caller }) => caller.token === single.access.id));
    const second = await ask(testRouter.url, single.token);
    assert.match(await messageOf(second), /1 request at once is reached/);
    assert.deepEqual([second.status, (await slow).status], [429, 200]);
    await until('a place is free again', async () => (await ask(testRouter.url, single.token)).status === 200);
  });

  it('stops at its budget, and at no other one', async () => {
    const { token, access } = tokenWith({ dayMicroUsd: 400 });
    const answers: number[] = [];
    while (answers.length < 40 && (answers.at(-1) ?? 200) === 200) answers.push((await ask(testRouter.url, token)).status);
    assert.equal(answers[0], 200);
    assert.notEqual(answers.at(-1), 200);
    const refused = await ask(testRouter.url, token);
    assert.match(await messageOf(refused), /budget/);
    const status = testRouter.testRouter.router.budgets.statuses()?.find(({ of }) => of === access.id);
    assert.ok((status?.spentMicroUsd ?? Infinity) <= 400, JSON.stringify(status));
    assert.ok((status?.spentMicroUsd ?? 0) > 0);
    assert.equal((await ask(testRouter.url, tokenWith({}).token)).status, 200);
  });
});

describe('tokens on the command line', () => {
  const { folder, remove } = temporaryFolder();
  const servers: ServerProcess[] = [];
  after(async () => {
    await killAll(servers.map(({ child }) => child));
    remove();
  });

  async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const { child, written } = spawnServer(['token', ...args, '--data', folder]);
    const ended = new Promise(resolve => child.once('close', resolve));
    const code = await exitOf(child);
    await ended;
    return { code, ...written };
  }

  async function start(): Promise<ServerProcess> {
    const configFile = path.join(folder, 'waybill.yaml');
    writeConfig(configFile, { a: sandboxEndpoint(provider) }, { best: { targets: ['a/m'] }, other: { targets: ['a/m'] } });
    const server = await startServer({ configFile, dataDir: folder });
    servers.push(server);
    return server;
  }

  it('hold at every server of the folder within a second, over its death, and are kept as digests', async () => {
    const [one, other] = [await start(), await start()];
    const created = await run('create', '--name', 'ci', '--routes', 'best', '--budget-day', '5', '--rpm', '100', '--expires', '7d', '--user', 'mai', '--team', 'shop', '--json');
    assert.equal(created.code, 0, created.stderr);
    const { token, id } = JSON.parse(created.stdout) as { token: string; id: string };
    assert.match(id, /^ci-[a-z0-9]{4}$/);
    const both = async (status: number, sent = token): Promise<void> => {
      for (const { url } of [one, other]) await until(`${url} answers with ${String(status)}`, async () => (await ask(url, sent)).status === status);
    };
    await both(200);
    assert.equal((await ask(one.url, token, 'other')).status, 403);
    const kept = readFileSync(path.join(folder, 'access', 'tokens.db')).toString('latin1') + readFileSync(path.join(folder, 'access', 'tokens.db-wal')).toString('latin1');
    assert.ok(!kept.includes(token.slice('waybill-'.length)));
    const listed = await run('list');
    assert.match(listed.stdout, new RegExp(`^${id}  ci \\(for mai, team shop\\): works until 20.*; may use the route best; \\$5\\.00 a day; 100 requests a minute\\n$`));
    assert.ok(!listed.stdout.includes(token));

    one.child.kill('SIGKILL');
    await exitOf(one.child);
    const again = await start();
    assert.equal((await ask(again.url, token)).status, 200);
    assert.equal((await ask(again.url, token, 'other')).status, 403);

    const rotated = await run('rotate', id, '--grace', '1h');
    const next = rotated.stdout.trim();
    assert.match(rotated.stderr, /the old one works until/);
    await until('the new token works', async () => (await ask(other.url, next)).status === 200);
    assert.equal((await ask(other.url, token)).status, 200);
    assert.equal((await run('revoke', id)).code, 0);
    for (const { url } of [other, again]) for (const sent of [token, next]) await until('the token is refused', async () => (await ask(url, sent)).status === 401);
    assert.deepEqual([(await run('revoke', 'nobody')).code, (await run('rotate', id)).code], [1, 1]);
  });

  it('keep a budget together, whatever server is asked, and also one that is killed', async () => {
    const [one, other] = [await start(), await start()];
    const { token, id } = JSON.parse((await run('create', '--name', 'spender', '--budget-day', '0.003', '--json')).stdout) as { token: string; id: string };
    for (const { url } of [one, other]) await until('the token works', async () => (await ask(url, token, 'best', 'hi', { max_tokens: 1 })).status === 200);
    await Promise.all(Array.from({ length: 60 }, (_, index) => ask(index % 2 === 0 ? one.url : other.url, token).then(response => response.arrayBuffer())));
    one.child.kill('SIGKILL');
    await exitOf(one.child);
    const again = await start();
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? again.url : other.url, token).then(response => response.arrayBuffer())));
    await other.stop();
    await again.stop();
    const ledger = new DatabaseSync(path.join(folder, 'ledger.db'), { readOnly: true });
    const { spent } = ledger.prepare('SELECT total(a.cost_micro_usd) AS spent FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq WHERE e.token = ?').get(id) as { spent: number };
    ledger.close();
    assert.ok(spent > 1_500 && spent <= 3_000, String(spent));
  });

  it('say what is wrong in one sentence', async () => {
    writeFileSync(path.join(folder, 'note'), '');
    const cases: [string[], RegExp][] = [
      [['create'], /token create needs --name/], [['create', '--name', 'x', '--rpm', 'many'], /--rpm wants a number/], [['create', '--name', 'x', '--expires', 'soon'], /Write when access ends as 12h, 7d/],
      [['create', '--name', 'x', '--routes', 'none', '--models', 'none'], /can do nothing/], [['create', '--name', '\u0007'], /begins with a letter or digit/], [['create', '--name', 'spender'], /There is a token named "spender" already/],
      [['forget'], /"forget" is not one of create, list, revoke, rotate/], [['revoke'], /needs the id/],
    ];
    for (const [args, sentence] of cases) {
      const { code, stderr } = await run(...args);
      assert.notEqual(code, 0);
      assert.match(stderr.split('\n')[0] ?? '', sentence);
    }
  });
});
