import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http, { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { BudgetSettings } from '../../../server/api/budgets/budgetSettings.ts';
import type { BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import { isObject, parseJson } from '../../../server/base/json.ts';
import { seededRandom } from '../../unit/support/seededRandom.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { killAll, spawnServer, until } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/** Every answer has as many tokens as its request may have at most, so that what is expected of it is exact. */
const answerTokens = 10;
const outputPerMTok = 100;
const answerMicroUsd = answerTokens * outputPerMTok;
const servers = 8;
const requests = 10_000;
const atOnceOfEach = 12;
const startAtMostMs = 90_000;

const { folder, remove } = temporaryFolder();
const children: ChildProcess[] = [];
const providers: Server[] = [];
after(async () => {
  await killAll(children);
  for (const provider of providers) {
    provider.closeAllConnections();
    provider.close();
  }
  remove();
});

/** Answers, refuses, breaks off or never ends, by chance. */
async function provider(random: () => number): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const chance = random();
      if (chance < 0.04) response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"broken"}}');
      else if (chance < 0.06) response.destroy();
      else if (chance < 0.08) response.writeHead(200, { 'content-type': 'application/json', 'content-length': '400' }).write('{"id":', () => response.destroy());
      else if (chance < 0.1) setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(answer), 300);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
  });
  providers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`;
}

const answer = JSON.stringify({
  id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: answerTokens, total_tokens: 5 + answerTokens },
});

class Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
  readonly agent = new http.Agent({ keepAlive: true, maxSockets: atOnceOfEach });

  constructor(child: ChildProcess, url: string, token: string) {
    this.child = child;
    this.url = url;
    this.token = token;
  }

  static async start(configFile: string, dataDir: string): Promise<Running> {
    const { child, written } = spawnServer(['serve', '--config', configFile, '--port', '0', '--data', dataDir, '--json']);
    children.push(child);
    await until('the server announces itself', () => written.stdout.includes('\n') || child.exitCode !== null, startAtMostMs);
    const { url, tokenFile } = JSON.parse(written.stdout.split('\n')[0] ?? '') as { url: string; tokenFile: string };
    return new Running(child, url, readFileSync(tokenFile, 'utf8').trim());
  }

  ask(tool: string, signal?: AbortSignal): Promise<RawAnswer> {
    return rawRequest({
      url: `${this.url}/v1/chat/completions`, agent: this.agent, signal, headers: { 'authorization': `Bearer ${this.token}`, 'x-waybill-tool': tool },
      body: JSON.stringify({ model: 'all', max_tokens: answerTokens, messages: [{ role: 'user', content: 'go' }] }),
    });
  }

  async budget(name: string): Promise<BudgetStatus> {
    const { text } = await rawRequest({ url: `${this.url}/waybill/budgets`, headers: { authorization: `Bearer ${this.token}` } });
    const { budgets } = JSON.parse(text) as { budgets: BudgetStatus[] };
    return budgets.find(one => one.name === name) ?? assert.fail(text);
  }

  async allow(budget: string, usd: number): Promise<void> {
    const { status, text } = await rawRequest({ url: `${this.url}/waybill/budgets`, headers: { authorization: `Bearer ${this.token}` }, body: JSON.stringify({ action: 'allow', budget, usd }) });
    assert.equal(status, 200, text);
  }
}

async function scene(name: string, count: number, budgets: Record<string, BudgetSettings>): Promise<{ running: Running[]; dataDir: string }> {
  const random = seededRandom(20_261_127);
  const endpoint = async (): Promise<object> => ({
    provider: 'openai-compatible', baseUrl: await provider(random), probe: { enabled: false }, breaker: { failures: 1000, failureRate: 1, minimumAttempts: 10_000 }, models: { m: { prices: { inputPerMTok: 0, outputPerMTok } } },
  });
  const configFile = path.join(folder, `${name}.yaml`);
  const dataDir = path.join(folder, name);
  writeFileSync(configFile, JSON.stringify({ endpoints: { a: await endpoint(), b: await endpoint() }, routes: { all: { targets: ['a/m', 'b/m'] } }, budgets }));
  const running: Running[] = [await Running.start(configFile, dataDir)];
  running.push(...await Promise.all(Array.from({ length: count - 1 }, () => Running.start(configFile, dataDir))));
  return { running, dataDir };
}

/** What the ledger has, in millionths of a US dollar. */
function ledgerSum(dataDir: string): number {
  const ledger = new DatabaseSync(path.join(dataDir, 'ledger.db'), { readOnly: true });
  const row = ledger.prepare('SELECT sum(coalesce(cost_micro_usd, 0)) AS sum FROM attempts WHERE final = 1').get();
  ledger.close();
  return Number(row?.['sum']);
}

describe('budgets of eight servers, with faults, cancelled requests and servers that are killed', () => {
  const limitUsd = 2.5;
  let running: Running[];
  let dataDir: string;
  let whole = 0;
  const refusals: RawAnswer[] = [];

  before(async () => { ({ running, dataDir } = await scene('many', servers, { daily: { limitUsd, period: 'day' } })); });

  it('are passed by no more than what runs costs above what was expected, which is nothing here', async () => {
    const random = seededRandom(7);
    let left = requests;
    let asked = 0;
    await Promise.all(running.flatMap((server, index) => Array.from({ length: atOnceOfEach }, async () => {
      while (left > 0) {
        left -= 1;
        asked += 1;
        if (index < 2 && asked > 900 * (index + 1) && server.child.exitCode === null && server.child.signalCode === null) server.child.kill('SIGKILL');
        if (server.child.killed) return;
        const going = new AbortController();
        const cancelled = random() < 0.03;
        if (cancelled) setTimeout(() => { going.abort(); }, random() * 20);
        // A server that was killed answers nobody.
        const got = await server.ask('test', going.signal).catch(() => undefined);
        if (got?.status === 200 && got.endedCleanly) whole += 1;
        if (got?.status === 400 && refusals.length < 3) refusals.push(got);
      }
    })));
    assert.ok(left <= 0, 'the servers that live took what was left');
    assert.ok(whole * answerMicroUsd <= limitUsd * 1e6, `${String(whole)} whole answers cost more than ${String(limitUsd)}`);
    assert.ok(whole * answerMicroUsd > limitUsd * 0.8e6, `the budget was used: ${String(whole)}`);
    assert.equal(running.filter(({ child }) => child.signalCode === 'SIGKILL').length, 2);
  });

  it('end with the error that no client tries again', () => {
    const [refusal] = refusals;
    assert.equal(refusal?.headers['x-should-retry'], 'false');
    const body = parseJson(refusal.text);
    assert.ok(isObject(body) && isObject(body['error']));
    assert.match(String(body['error']['message']), /^The budget "daily" \(\$2\.50 a day\) is reached: [ab]\/m is expected to cost \$0\.0010, and .* left until \d{4}-\d\d-\d\d 00:00\. /);
    assert.equal(body['error']['code'], 'insufficient_quota');
  });

  it('leave no reservation behind, and count what the ledger has', async () => {
    const survivor = running.at(-1) ?? assert.fail();
    await until('nothing is reserved', async () => (await survivor.budget('daily')).reservedMicroUsd === 0, 30_000);
    const { spentMicroUsd } = await survivor.budget('daily');
    assert.ok(spentMicroUsd <= limitUsd * 1e6, `${String(spentMicroUsd)} is spent`);
    await until('the ledger has everything', () => ledgerSum(dataDir) >= whole * answerMicroUsd);
    assert.ok(ledgerSum(dataDir) <= spentMicroUsd, 'what killed servers had sent counts until the ledger is compared');
  });
});

it('a budget that is reached in one server is seen in another within a second, and so is what is allowed there', async () => {
  const { running: [one, other] } = await scene('two', 2, { daily: { limitUsd: 0.002, period: 'day' } });
  assert.ok(one !== undefined && other !== undefined);
  const answered = async (server: Running): Promise<number> => {
    // The provider fails by chance.
    for (let tries = 0; tries < 50; tries += 1) {
      const { status } = await server.ask('test');
      if (status === 200 || status === 400) return status;
    }
    return assert.fail('no answer');
  };
  for (let count = 0; count < 2; count += 1) assert.equal(await answered(one), 200);
  assert.equal(await answered(one), 400);
  assert.equal(await answered(other), 400, 'the next request of a peer is refused at once');
  await until('the other server shows it', async () => (await other.budget('daily')).leftMicroUsd === 0, 2_000);
  await other.allow('daily', 0.001);
  assert.equal(await answered(one), 200);
});
