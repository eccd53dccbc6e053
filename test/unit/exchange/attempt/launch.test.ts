import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ConversationRequest } from '../../../../server/api/conversation.ts';
import type { Receipt } from '../../../../server/api/receipt.ts';
import type { BuiltRouter } from '../../../../server/app/createRouter.ts';
import { silentLog, type Log } from '../../../../server/base/log.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { Permit } from '../../../../server/exchange/admission.ts';
import type { AttemptOwner } from '../../../../server/exchange/attempt/attempt.ts';
import { acquirePermit, launchAttempt, type LaunchOrder } from '../../../../server/exchange/attempt/launch.ts';
import { conversationBody, encodedConversation, type ByteSink, type ExchangeFailure, type ExchangeInput } from '../../../../server/exchange/request.ts';
import type { LimitStore } from '../../../../server/ledger/limitStore.ts';
import { createLimitStore } from '../../../../server/ledger/sqlite/limitsDatabase.ts';
import { createRateLimiter } from '../../../../server/limits/rateLimiter.ts';
import { SharedLimits } from '../../../../server/limits/sharedLimits.ts';
import type { ModelDirectory } from '../../../../server/models/modelDirectory.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { RequestFormatError } from '../../../../server/protocols/codec.ts';
import { supportedProtocols } from '../../../../server/protocols/registry.ts';
import { RouteTable } from '../../../../server/routing/routeTable.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { rateRequest } from '../../limits/rateRequest.ts';
import { createTestRouter } from '../../router/createTestRouter.ts';

const start = Date.UTC(2026, 0, 1);
const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], tools: [] };
const limits = { requestsPerMinute: 1, tokensPerMinute: 1000, concurrency: 1 };

/** A caller without patience: it waits for no target. */
class CallerFake implements ByteSink {
  readonly kind = 'bytes';
  readonly failures: ExchangeFailure[] = [];
  begin(): void { assert.fail('nothing was sent, so nothing can begin'); }
  bytes(): boolean { return true; }
  events(): boolean { return true; }
  buffered(): void { assert.fail('nothing was sent, so nothing can be answered'); }
  end(): void { assert.fail('nothing was sent, so nothing can end well'); }
  fail(failure: ExchangeFailure): void { this.failures.push(failure); }
  keepAlive(): void { /* without patience there is no wait */ }
}

function input(changes: Partial<ExchangeInput> = {}): ExchangeInput {
  return {
    id: 'x-1', inbound: 'http', protocol: 'openai-chat', requestedModel: 'a/m', stream: true, caller: { tool: 'test' },
    requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 100, maxOutputTokens: 900 },
    body: conversationBody(conversation), patienceMs: 0, ...changes,
  };
}

/** The route table of a configuration without endpoints. */
function nothingConfigured(directory: ModelDirectory): RouteTable {
  return new RouteTable({ config: emptyConfig, directory, facts: () => ({}) });
}

interface Refused { failure: ExchangeFailure; receipt: Receipt; parts: BuiltRouter; errors: string[] }

/**
 * A router with `a/m`, an endpoint that speaks Anthropic's protocol and takes one request a minute.
 * @param store where the limits of several servers are counted
 */
function routerWithLimits(t: TestContext, store?: LimitStore, log: Log = silentLog): BuiltRouter {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const pricer = createPricer({ log, load: () => Promise.reject(new Error('there is no price table')) });
  const parts = createTestRouter({ pricer, clock: { now: () => start }, log, ledger: new InMemoryLedger(store) });
  t.after(() => parts.router.shutdown());
  const { config, problems } = resolveConfig({
    endpoints: { a: { provider: 'anthropic-compatible', baseUrl: 'http://127.0.0.1:1', limits, probe: { enabled: false }, models: { m: {} } } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
  assert.deepEqual(problems, []);
  parts.router.configure(config, new Map(), problems);
  return parts;
}

/** Sends a request of 100 tokens to `a/m`. */
function send(t: TestContext, changes: Partial<ExchangeInput>, store?: LimitStore, prepare?: (parts: BuiltRouter) => void): Refused {
  const errors: string[] = [];
  const parts = routerWithLimits(t, store, { ...silentLog, error: (message: string) => { errors.push(message); } });
  prepare?.(parts);
  const caller = new CallerFake();
  const exchange = parts.router.create(input(changes), caller);
  exchange.start();
  const [failure] = caller.failures;
  assert.ok(failure !== undefined && caller.failures.length === 1, 'the caller is answered once');
  return { failure, receipt: exchange.receipt, parts, errors };
}

function thrown(error: unknown): Pick<ExchangeInput, 'body'> {
  return { body: encodedConversation(undefined, false, () => { throw error; }) };
}

const bytes = Buffer.from('{"model":"a/m","input":"Hi"}');
const cases: { what: string; input: Partial<ExchangeInput>; code: string; logged?: true; prepare?: (parts: BuiltRouter) => void; attempts?: number }[] = [
  { what: 'an operation that the target does not offer', input: { body: { kind: 'embedding', raw: { bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false } } }, code: 'no-target' },
  {
    what: 'a conversation that only another provider can go on with', code: 'no-target',
    input: { body: conversationBody({ ...conversation, providerState: { reason: 'it has no stored responses' } }) },
  },
  { what: 'a request that cannot be understood', input: thrown(new RequestFormatError('messages', 'is not a list')), code: 'bad-request' },
  { what: 'a request that is nested too deep', input: thrown(new RangeError('Maximum call stack size exceeded')), code: 'bad-request', logged: true },
  { what: 'a fault of our own while the request is built', input: thrown(new TypeError('of our own')), code: 'internal', logged: true },
  {
    what: 'a fault of our own while the attempt is started', input: {}, code: 'internal', logged: true, attempts: 1,
    prepare: ({ transport }) => { Object.defineProperty(transport, 'dispatch', { value: () => { throw new TypeError('of our own'); } }); },
  },
];

describe('a request that is never sent counts against no limit', () => {
  for (const { what, input, code, logged, prepare, attempts = 0 } of cases) {
    it(`of one server: ${what}`, t => {
      const { failure, receipt, parts, errors } = send(t, input, undefined, prepare);
      assert.deepEqual([failure.error.code, receipt.attempts.length, errors.length > 0], [code, attempts, logged === true]);
      assert.ok(parts.limiter.enter(rateRequest({ promptTokens: 1000, now: start })).admitted);
      assert.ok(parts.healthRegistry.admission('a', 'm', start).admitted);
    });

    it(`that several servers share: ${what}`, t => {
      const dataDir = mkdtempSync(join(tmpdir(), 'waybill-limits-'));
      t.after(() => rmSync(dataDir, { recursive: true, force: true }));
      const storeOf = (instanceId: string): LimitStore => createLimitStore({ dataDir, instanceId, clock: { now: () => start }, log: silentLog });
      const { failure } = send(t, input, storeOf('own'), prepare);
      assert.equal(failure.error.code, code);
      const peer = createRateLimiter({ shared: new SharedLimits(storeOf('peer')) });
      peer.configure(new Map([['a', { limits }]]));
      t.after(() => peer.close());
      assert.ok(peer.enter(rateRequest({ promptTokens: 1000, now: start })).admitted);
      assert.ok(!peer.enter(rateRequest({ now: start })).admitted, 'the shared count holds');
    });
  }
});

describe('an attempt', () => {
  const order: LaunchOrder = {
    input: input(), target: { target: 'a/m', endpoint: 'a', model: 'm', upstreamModel: 'm' }, number: 1, role: undefined, kind: 'fast', route: undefined,
    triedKeys: new Set(), strip: false, replaceable: false, held: () => false, rewrite: false,
  };
  const owner: AttemptOwner = {
    onAnswering() {}, onArrive() {}, onCommit() {}, onBegin() {}, onBytes: () => true, onEvents: () => true, onBuffered() {}, onDone() {},
  };

  function permitFor({ services }: BuiltRouter): Permit {
    const permit = acquirePermit(services, order);
    assert.ok(!(permit instanceof Promise) && permit.admitted, 'admission in this process answers at once');
    return permit;
  }

  it('holds its permit until it ends', t => {
    const parts = routerWithLimits(t);
    const permit = permitFor(parts);
    const launch = launchAttempt(parts.services, owner, order, permit);
    assert.ok(launch.kind === 'launched' && launch.attempt.origin.permit === permit);
    assert.deepEqual(acquirePermit(parts.services, order), { admitted: false, reason: 'its own limit of 1 requests a minute is used up for another 61 s' });
    permit.refund();
    assert.ok(parts.limiter.enter(rateRequest({ promptTokens: 1000, now: start })).admitted);
  });

  it('gets no permit for an endpoint that is not configured', t => {
    const { services, directory } = routerWithLimits(t);
    assert.deepEqual(acquirePermit({ ...services, routeTable: () => nothingConfigured(directory) }, order), { admitted: false, reason: 'the endpoint was removed meanwhile' });
  });

  it('gives its permit back when its endpoint was removed after the permit was taken', t => {
    const parts = routerWithLimits(t);
    const launch = launchAttempt({ ...parts.services, routeTable: () => nothingConfigured(parts.directory) }, owner, order, permitFor(parts));
    assert.deepEqual(launch, { kind: 'excluded', reason: 'the endpoint was removed meanwhile' });
    assert.ok(parts.limiter.enter(rateRequest({ promptTokens: 1000, now: start })).admitted);
  });

  it('can wait for its permit', async t => {
    const { services } = routerWithLimits(t);
    const answer = acquirePermit({ routeTable: services.routeTable, spending: services.spending, admission: { acquire: () => Promise.resolve({ admitted: false, reason: 'no budget is left' }), hasUsableKey: () => true } }, order);
    assert.ok(answer instanceof Promise);
    assert.deepEqual(await answer, { admitted: false, reason: 'no budget is left' });
  });
});
