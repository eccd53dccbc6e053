import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { text as readText } from 'node:stream/consumers';
import type { EndpointSettings, RouteSettings } from '../../../server/api/settings.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { Random } from '../../../server/base/clock.ts';
import { isObject, parseJson } from '../../../server/base/json.ts';
import { seededRandom } from '../../unit/support/seededRandom.ts';
import { rawRequest } from '../support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Every answer has as many tokens as a request may ask for, so that what is expected of it is exact. */
const answerTokens = 20;
const promptTokens = 40;
const outputPerMTok = 500;
const answerMicroUsd = answerTokens * outputPerMTok;
const capUsd = 0.06;
const atOnce = 6;
const tenants = ['north', 'south'] as const;
/** So many that a canary with half of them has some and leaves some, however they are drawn. */
const conversations = Array.from({ length: 16 }, (_, index) => `c${String(index + 1)}`);

/** A provider of chat completions that fails by chance, numbers its answers and counts what a bill of it would have. */
class Provider {
  readonly name: string;
  readonly random: Random;
  requests = 0;
  /** Requests that were answered to the end, with usage. */
  answered = 0;
  failing = true;
  readonly server: Server = createServer((request, response) => void this.answer(request, response));

  constructor(name: string, random: Random) {
    this.name = name;
    this.random = random;
  }

  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}/v1`;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = parseJson(await readText(request));
    assert.ok(isObject(body));
    this.requests += 1;
    const chance = this.failing ? this.random() : 1;
    const words = [`<${this.name}`, ` ${this.requests}>`];
    if (chance < 0.08) response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: 'broken', type: 'server_error' } }));
    else if (chance < 0.13) response.destroy();
    else if (body.stream === true) await this.stream(response, words, chance < 0.2);
    else if (chance < 0.2) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '400' }).write('{"id":');
      await sleep(5);
      response.destroy();
    } else {
      this.answered += 1;
      const message = { role: 'assistant', content: words.join('') };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }));
    }
  }

  async stream(response: ServerResponse, words: readonly string[], breaksOff: boolean): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (more: object): void => void response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`);
    const [first = '', ...rest] = words;
    send({ choices: [{ index: 0, delta: { role: 'assistant', content: first } }] });
    await sleep(3);
    if (breaksOff) {
      response.destroy();
      return;
    }
    this.answered += 1;
    for (const word of rest) send({ choices: [{ index: 0, delta: { content: word } }] });
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    send({ choices: [], usage });
    response.end('data: [DONE]\n\n');
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const usage = { prompt_tokens: promptTokens, completion_tokens: answerTokens, total_tokens: promptTokens + answerTokens };

interface Seen { tenant: string; conversation: string; text: string; status: number; serial: string | undefined; exchange: string; fromCache: boolean; before: ReadonlySet<string> }

describe('caps, response cache, canary and shadow together, with faults', () => {
  const random = seededRandom(20_261_127);
  const providers = Object.fromEntries(['first', 'second', 'canary', 'shadow'].map(name => [name, new Provider(name, random)])) as Record<'first' | 'second' | 'canary' | 'shadow', Provider>;
  let endpoints: Record<string, EndpointSettings>;
  let server: TestRouter;
  const seen: Seen[] = [];

  const route = (maxAgeMs: number): RouteSettings => ({
    targets: ['first/m', 'second/m'], caps: { conversationUsd: capUsd, whenReached: 'degrade' }, responseCache: { enabled: true, maxAgeMs },
    canary: { targets: ['canary/m'], stages: [50, 100], advance: 'manual', failuresInARow: 100, gates: { errorRate: 0.99, successRate: 0.001, p99Ratio: 1000 } },
    shadow: { target: 'shadow/m', share: 100, sameTargetShare: 30, draw: 'request', budgetUsd: 1000, atOnce: 20 },
  });

  before(async () => {
    endpoints = Object.fromEntries(await Promise.all(Object.entries(providers).map(async ([name, provider]) => [name, {
      provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, breaker: { failures: 1000, failureRate: 1, minimumAttempts: 10_000 },
      models: { m: { prices: { inputPerMTok: 0, outputPerMTok } } },
    } satisfies EndpointSettings])));
    server = await startTestRouter({ endpoints, routes: { all: route(60_000) } });
    for (const policy of ['canary', 'shadow']) {
      const response = await fetch(`${server.url}/waybill/${policy}`, { method: 'POST', headers: { authorization: `Bearer ${server.token}` }, body: JSON.stringify({ action: 'start', route: 'all' }) });
      assert.equal(response.status, 200, await response.text());
    }
  });
  after(async () => {
    await server.close();
    for (const provider of Object.values(providers)) provider.close();
  });

  /** @param before the answers that were made under other rules */
  async function ask(before: ReadonlySet<string>): Promise<void> {
    const pick = <Item>(list: readonly Item[]): Item => list[Math.floor(random() * list.length)] as Item;
    const [tenant, conversation, stream, question] = [pick(tenants), pick(conversations), random() < 0.5, Math.floor(random() * 12)];
    const answer = await rawRequest({
      url: `${server.url}/v1/chat/completions`,
      headers: { 'authorization': `Bearer ${server.token}`, 'x-waybill-workspace': tenant, 'x-waybill-conversation': conversation },
      body: JSON.stringify({ model: 'all', stream, temperature: 0, max_tokens: answerTokens, messages: [{ role: 'user', content: `${conversation}: question ${question}, which has some words more than it needs` }] }),
    });
    const text = stream ? [...answer.text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join('') : answer.text;
    seen.push({
      tenant, conversation, text, status: answer.status, serial: /<\w+ \d+>/.exec(text)?.[0], exchange: String(answer.headers['x-waybill-exchange']),
      fromCache: Number(answer.headers['x-waybill-attempts']) === 0, before,
    });
  }

  async function askMany(count: number, before: ReadonlySet<string>): Promise<void> {
    let left = count;
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1;
        await ask(before);
      }
    }));
  }

  const serials = (): Set<string> => new Set(seen.flatMap(({ serial }) => serial ?? []));

  it('serve hundreds of requests under two sets of rules', async () => {
    await askMany(300, new Set());
    const before = serials();
    await server.configure({ endpoints, routes: { all: route(30_000) } });
    await askMany(300, before);
    assert.ok(seen.filter(({ serial }) => serial !== undefined).length > 60, 'requests were answered until the caps were reached');
    assert.ok(seen.some(({ fromCache }) => fromCache), 'some answers came from memory');
    assert.ok(Object.values(providers).every(({ answered }) => answered > 0), 'every target took part');
    assert.ok(seen.some(({ status }) => status === 400), 'a cap was reached');
  });

  it('show no caller a byte of the shadow', () => {
    for (const { text } of seen) assert.doesNotMatch(text, /shadow/);
  });

  it('give no answer of one workspace to another, nor one that other rules made', () => {
    const owners = new Map<string, string>();
    for (const { serial, tenant, before } of seen) {
      if (serial === undefined) continue;
      assert.equal(owners.get(serial) ?? tenant, tenant, serial);
      owners.set(serial, tenant);
      assert.ok(!before.has(serial), `${serial} was made under other rules`);
    }
  });

  it('keep each conversation within its cap, by what the ledger counts', async () => {
    const spent = new Map<string, number>();
    for (const { exchange, conversation, tenant } of seen) {
      if (exchange === 'undefined') continue;
      const receipt: Receipt = await server.receipt(exchange);
      const cost = receipt.attempts.reduce((sum, { cost: { microUsd } }) => sum + (microUsd ?? 0), 0);
      const key = `${tenant} ${conversation}`;
      spent.set(key, (spent.get(key) ?? 0) + cost);
    }
    // Answers are as long as is expected of them, so requests at once add nothing.
    for (const [key, microUsd] of spent) assert.ok(microUsd <= capUsd * 1e6, `${key} spent ${microUsd} of ${capUsd * 1e6}`);
  });

  it('leave a ledger that equals what the providers counted', async () => {
    const ledger = new DatabaseSync(path.join(server.dataDir, 'ledger.db'), { readOnly: true });
    interface Counts { requests: number; answered: number; tokens: number; microUsd: number; abandoned: number }
    const rows = (): Map<string, Counts> => new Map(ledger.prepare(
      `SELECT endpoint, count(*) AS requests, sum(outcome = 'ok') AS answered, sum(CASE WHEN outcome = 'ok' THEN output_tokens ELSE 0 END) AS tokens,
        sum(CASE WHEN outcome = 'ok' THEN cost_micro_usd ELSE 0 END) AS microUsd, sum(outcome = 'cancelled') AS abandoned FROM attempts WHERE final = 1 GROUP BY endpoint`,
    ).all().map(({ endpoint, requests, answered, tokens, microUsd, abandoned }) => [String(endpoint), {
      requests: Number(requests), answered: Number(answered), tokens: Number(tokens), microUsd: Number(microUsd), abandoned: Number(abandoned),
    }]));
    // Copies to the shadow may still run.
    for (let waited = 0; waited < 10_000 && Object.values(providers).some(({ name, requests }) => rows().get(name)?.requests !== requests); waited += 50) await sleep(50);
    for (const { name, requests, answered } of Object.values(providers)) {
      const counts = rows().get(name);
      assert.ok(counts !== undefined, name);
      assert.equal(counts.requests, requests, name);
      // A copy for the shadow or a repetition is given up once its caller is answered from memory. The provider may have sent all of it by then.
      const givenUp = answered - counts.answered;
      assert.ok(givenUp >= 0 && givenUp <= counts.abandoned, `${name} answered ${String(answered)}: ${JSON.stringify(counts)}`);
      assert.deepEqual([counts.tokens, counts.microUsd], [counts.answered * answerTokens, counts.answered * answerMicroUsd], name);
    }
    ledger.close();
  });
});
