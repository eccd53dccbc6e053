import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Attempt, Receipt } from '../../../../server/api/receipt.ts';
import type { ShadowReport } from '../../../../server/api/shadow.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { emptyConfig, type Config, type RouteConfig, type ShadowConfig } from '../../../../server/config/config.ts';
import { conversationBody, type ByteSink, type ExchangeInput, type ResponseSink } from '../../../../server/exchange/request.ts';
import type { AttemptStarted } from '../../../../server/exchange/events.ts';
import { createShadowStore } from '../../../../server/ledger/sqlite/onDemand/routeStates.ts';
import type { RouteStateStore } from '../../../../server/ledger/routeStateStore.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { Shadows } from '../../../../server/router/shadow/shadows.ts';
import type { RouteTable } from '../../../../server/routing/routeTable.ts';
import { noon } from '../../ledger/receipts.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-shadow-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

const defaults: ShadowConfig = {
  target: { endpoint: 'new', model: 'm' }, share: 100, sameTargetShare: 0, draw: 'request', budgetMicroUsd: 1_000_000, atOnce: 2, timeoutMs: 60_000, maxBodyBytes: 10_000,
  exceptWorkspaces: new Set(), minRequests: 40, agreement: 0.8, latencyRatio: 2, costRatio: undefined,
};

/** A server whose copies are answered by the test. */
class Server {
  readonly shadows: Shadows;
  readonly sent: { input: ExchangeInput; sink: ByteSink; cancelled: boolean }[] = [];
  at = noon;
  cost: number | undefined = 1000;
  #count = 0;

  constructor(given: Partial<ShadowConfig> = {}, store?: RouteStateStore, seed = 1) {
    const route: RouteConfig = { name: 'coding', strategy: 'priority', targets: [{ endpoint: 'old', model: 'm' }], timeouts: {}, afterCommit: 'error', hedge: { when: 'never', dailyCapMicroUsd: 0 }, onRefusal: 'tell', shadow: { ...defaults, ...given } };
    const config: Config = { ...emptyConfig, routes: new Map([['coding', route]]) };
    const table = {
      config, targetsOfRoute: () => [], groupOfRoute: () => undefined, standInsOfRoute: () => [],
      namedTarget: (endpoint: string, model: string) => ({ name: `${endpoint}/${model}`, endpoint: {}, planned: { target: `${endpoint}/${model}`, endpoint, model, upstreamModel: model } }),
    } as unknown as RouteTable;
    this.shadows = new Shadows({
      store, config: () => config, routeTable: () => table, codecFor, newId: () => `copy-${String(this.#count++)}`, pricesReady: () => Promise.resolve(), cost: () => this.cost,
      send: (input, sink) => {
        const one = { input, sink, cancelled: false };
        this.sent.push(one);
        return { cancel: () => { one.cancelled = true; } };
      },
      redactor: { redact: text => text }, clock: { now: () => this.at }, random: seededRandom(seed), log: silentLog, changed: () => undefined,
    });
  }

  /** A request of a caller, up to its first attempt. @returns its id and the sink that its exchange got */
  ask(conversation?: string, model = 'coding'): { id: string; sink: ResponseSink; begin(): void } {
    const id = `wb_${String(this.#count++)}`;
    const input = {
      id, inbound: 'lsp', protocol: 'editor', requestedModel: model, stream: true, caller: { tool: 'vscode-chat', conversation }, patienceMs: 1000,
      requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
      body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: id }] }], tools: [] }),
    } as ExchangeInput;
    const sink = this.shadows.drawn(input, { kind: 'reader', events: () => true, end: () => undefined, fail: () => undefined, restart: () => undefined, ask: () => Promise.resolve(false) });
    return { id, sink, begin: () => { this.shadows.attemptStarted({ exchangeId: id, target: { target: 'old/m', endpoint: 'old', model: 'm', upstreamModel: 'm' } } as AttemptStarted); } };
  }

  /** A whole request whose copies are answered with a text each. */
  async whole(conversation?: string, text = 'yes', outcome: Receipt['outcome'] = 'ok', cost: { microUsd?: number } = { microUsd: 500 }): Promise<number> {
    const before = this.sent.length;
    const { id, sink, begin } = this.ask(conversation);
    begin();
    for (let turn = 0; turn < 4; turn++) await nextTurn();
    sink.events([{ type: 'text', text: 'yes' }, { type: 'finish', reason: 'end' }]);
    this.shadows.callerPriced(receipt(id, 'old/m', 'ok', 500));
    const copies = this.sent.slice(before);
    for (const { input, sink: copySink } of copies) {
      copySink.events([{ type: 'text', text: input.shadow?.arm === 'repeat' ? 'yes' : text }, { type: 'finish', reason: 'end' }]);
      this.shadows.copyPriced(receipt(input.id, input.requestedModel, outcome, cost.microUsd));
    }
    return copies.length;
  }

  start(): void {
    assert.ok('shadows' in this.shadows.act({ action: 'start' }));
  }

  get report(): ShadowReport {
    const result = this.shadows.act({ action: 'status' });
    assert.ok('shadows' in result);
    const [found] = result.shadows;
    assert.ok(found !== undefined);
    return found;
  }
}

function receipt(id: string, target: string, outcome: Receipt['outcome'], microUsd: number | undefined): Receipt {
  const endpoint = target.split('/')[0] ?? '';
  const attempt = { target, endpoint, outcome: outcome === 'ok' ? 'ok' : 'failed', failureClass: outcome === 'ok' ? undefined : 'server', totalMs: 10, firstTokenMs: 5, usage: { outputTokens: 3 }, cost: { microUsd, certainty: 'exact' } } as Attempt;
  return { id, protocol: 'editor', stream: true, outcome, target, attempts: [attempt], cost: { microUsd, certainty: 'exact' } } as Receipt;
}

function storeIn(name: string): RouteStateStore {
  return createShadowStore({ dataDir: path.join(folder, name), clock: { now: () => Date.now() }, log: silentLog });
}

describe('a copy for a shadow', () => {
  it('is sent after the caller\'s own request, in a later turn of the event loop, with nothing of who asks', async () => {
    const server = new Server();
    server.start();
    const { id, begin } = server.ask('secret conversation');
    await nextTurn();
    assert.equal(server.sent.length, 0, 'not before the first attempt');
    begin();
    assert.equal(server.sent.length, 0, 'not in its turn');
    for (let turn = 0; turn < 4; turn++) await nextTurn();
    const [copy] = server.sent;
    assert.deepEqual([copy?.input.requestedModel, copy?.input.caller, copy?.input.patienceMs, copy?.input.shadow], ['new/m', { tool: 'shadow' }, 0, { of: id, route: 'coding', arm: 'shadow' }]);
  });

  it('is not compared where the response cache answered the caller, and is given up where it still runs', async () => {
    const server = new Server();
    server.start();
    const kept = (id: string): Receipt => ({ ...receipt(id, 'other/m', 'ok', 0), cache: { state: 'hit' } });
    // A target failed, and then the route had an answer of the next one.
    const first = server.ask();
    first.begin();
    for (let turn = 0; turn < 4; turn++) await nextTurn();
    first.sink.events([{ type: 'text', text: 'yes' }, { type: 'finish', reason: 'end' }]);
    server.shadows.callerPriced(kept(first.id));
    const [copy] = server.sent;
    assert.equal(copy?.cancelled, true);
    server.shadows.copyPriced(receipt(copy.input.id, copy.input.requestedModel, 'ok', 700));
    // The copy of the second one is not sent yet, and the third asked nobody at all.
    const second = server.ask();
    second.begin();
    server.shadows.callerPriced(kept(second.id));
    for (let turn = 0; turn < 4; turn++) await nextTurn();
    const third = server.ask();
    server.shadows.callerPriced({ ...kept(third.id), cache: { state: 'shared' } });
    assert.deepEqual([server.sent.length, server.shadows.isWatching], [1, false]);
    const { counts, spentMicroUsd, skipped } = server.report;
    assert.deepEqual([counts.shadow.compared, counts.shadow.answered, spentMicroUsd, skipped], [0, 0, 700, [{ reason: 'kept-answer', count: 3 }]]);
    assert.equal(await server.whole(), 1, 'no place is lost');
    assert.equal(await server.whole(), 1);
    assert.equal(await server.whole(), 1);
    assert.equal(server.report.counts.shadow.compared, 3);
  });

  it('is not made before the shadow was started, after it was stopped, and of other names than its route', async () => {
    const server = new Server();
    assert.equal(await server.whole(), 0);
    server.start();
    assert.equal(await server.whole(), 1);
    const plain: ResponseSink = { kind: 'reader', events: () => true, end: () => undefined, fail: () => undefined, restart: () => undefined, ask: () => Promise.resolve(false) };
    assert.equal(server.shadows.drawn({ ...server.sent[0]?.input, requestedModel: 'old/m' } as ExchangeInput, plain), plain, 'the sink stays as it is');
    assert.ok('shadows' in server.shadows.act({ action: 'stop' }));
    assert.equal(await server.whole(), 0);
    assert.deepEqual(server.shadows.act({ action: 'stop' }), { refused: 'No shadow runs on this route; start it first.' });
  });

  it('is drawn for its share of the conversations, each with all its requests or none, or of single requests', async () => {
    const server = new Server({ share: 20, draw: 'conversation' });
    server.start();
    let drawn = 0;
    for (let index = 0; index < 500; index++) {
      const first = await server.whole(`c${String(index)}`);
      assert.equal(await server.whole(`c${String(index)}`), first);
      drawn += first;
    }
    assert.ok(drawn > 70 && drawn < 130, String(drawn));
    const single = new Server({ share: 20, draw: 'request' });
    single.start();
    let requests = 0;
    for (let index = 0; index < 500; index++) requests += await single.whole('one conversation');
    assert.ok(requests > 70 && requests < 130, String(requests));
  });

  it('also goes to the route\'s own target for a share, whose noise the report has', async () => {
    const server = new Server({ sameTargetShare: 50 });
    server.start();
    for (let index = 0; index < 100; index++) await server.whole(undefined, 'quite another answer');
    const { counts, rows } = server.report;
    assert.equal(counts.shadow.compared, 100);
    assert.ok(counts.repeat.compared > 35 && counts.repeat.compared < 65);
    const agreement = rows.find(({ name }) => name === 'agreement');
    assert.deepEqual([agreement?.shadow?.value, agreement?.repeat?.value], [0, 1]);
  });

  it('is left out while as many run as may', () => {
    const server = new Server();
    server.start();
    const asked = [server.ask(), server.ask(), server.ask()];
    assert.deepEqual(server.report.skipped, [{ reason: 'busy', count: 1 }]);
    for (const { id } of asked) server.shadows.callerPriced({ ...receipt(id, 'old/m', 'failed', 0), attempts: [] });
    assert.equal(server.shadows.isWatching, false, 'what was never sent is forgotten');
  });

  it('keeps to its budget: with what is set aside, with unknown costs, and until midnight', async () => {
    const server = new Server({ budgetMicroUsd: 3000 });
    server.start();
    assert.equal(await server.whole(undefined, 'yes', 'ok', { microUsd: 1500 }), 1);
    assert.equal(await server.whole(undefined, 'yes', 'ok', { microUsd: 900 }), 1);
    assert.equal(await server.whole(), 0, '1,000 more are expected, and 600 are left');
    assert.deepEqual([server.report.spentMicroUsd, server.report.skipped], [2400, [{ reason: 'budget', count: 1 }]]);
    server.at += 24 * 3_600_000;
    assert.equal(await server.whole(undefined, 'yes', 'ok', {}), 1);
    assert.equal(server.report.spentMicroUsd, 1000, 'an unknown cost counts as what was set aside');
    server.cost = undefined;
    assert.equal(await server.whole(), 0);
    assert.ok(server.report.skipped.some(({ reason }) => reason === 'no-price'));
  });

  it('that fails where the caller was answered counts as a failure, and one that this server ended does not', async () => {
    const server = new Server();
    server.start();
    await server.whole(undefined, '', 'failed');
    await server.whole(undefined, '', 'interrupted');
    assert.deepEqual(server.report.counts.shadow, { sent: 1, answered: 0, compared: 0 });
  });
});

describe('the state of a shadow', () => {
  it('is one for all servers, and goes on after a restart', async () => {
    const [a, b] = [new Server({}, storeIn('shared')), new Server({}, storeIn('shared'))];
    a.start();
    b.shadows.tick();
    for (let index = 0; index < 3; index++) await a.whole();
    for (let index = 0; index < 4; index++) await b.whole();
    for (const one of [a, b, a, b]) one.shadows.tick();
    for (const one of [a, b]) assert.deepEqual([one.report.counts.shadow.compared, one.report.spentMicroUsd], [7, 3500]);
    for (const one of [a, b]) one.shadows.shutdown();
    const next = new Server({}, storeIn('shared'));
    assert.deepEqual([next.report.phase, next.report.counts.shadow.compared], ['running', 7]);
    assert.equal(await next.whole(), 1);
    next.shadows.shutdown();
  });

  it('of another target counts as not started, and says so', async () => {
    const before = new Server({}, storeIn('target'));
    before.start();
    await before.whole();
    before.shadows.shutdown();
    const server = new Server({ target: { endpoint: 'third', model: 'm' } }, storeIn('target'));
    assert.deepEqual([server.report.phase, server.report.message], ['none', 'The target of the shadow has changed since it was started; start it again.']);
    assert.equal(await server.whole(), 0);
    server.start();
    assert.equal(server.report.spentMicroUsd, 500, 'the money of the day stays spent');
    server.shadows.shutdown();
  });

  it('says which routes have a shadow where none or another could be meant', () => {
    assert.deepEqual(new Server().shadows.act({ action: 'start', route: 'other' }), { refused: 'No route named "other" has a shadow; those that have one: "coding".' });
  });
});
