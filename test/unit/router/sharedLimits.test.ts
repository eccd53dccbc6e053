import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { KeyMaterial } from '../../../server/api/messages.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import type { MakePlan } from '../../../server/routing/plan.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Ledger } from '../../../server/ledger/ports.ts';
import { keyFingerprints } from '../../../server/keys/keyFingerprints.ts';
import { aReceipt, anAttempt, tokens } from '../ledger/receipts.ts';
import { rateRequest } from '../limits/rateRequest.ts';
import { createTestRouter } from './createTestRouter.ts';

const start = Date.UTC(2026, 10, 20, 12);
const first: KeyMaterial = { id: 'k1', label: 'first', secret: 'the-first-secret-aaaa' };
const second: KeyMaterial = { id: 'k2', label: 'second', secret: 'the-second-secret-bbbb' };
const requirements = { stream: true, tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 100 };

/** Lets pending reads of the ledger finish. */
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

interface Peer extends BuiltRouter { ledger: Ledger; close(): Promise<void> }

/** Peers on one data folder. The test advances their seconds. */
class Peers {
  now = start;
  readonly #t: TestContext;
  readonly #folder = mkdtempSync(join(tmpdir(), 'waybill-peers-'));
  readonly #open = new Set<Peer>();
  #opened = 0;

  constructor(t: TestContext) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.after(async () => {
      for (const peer of [...this.#open]) await peer.close();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async open(keys: readonly KeyMaterial[] = [first, second], limits: Record<string, unknown> = {}): Promise<Peer> {
    const clock = { now: () => this.now };
    const ledger = openLedger({ dataDir: this.#folder, clock, log: silentLog, instanceId: `i-${this.#opened += 1}` });
    const built = createTestRouter({ ledger, clock, keyFingerprint: keyFingerprints(this.#folder) });
    const { router } = built;
    const { config, problems } = resolveConfig({
      endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, limits, models: { m: {} } } },
      routes: {},
    }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    router.configure(config, new Map([['relay', keys]]), problems);
    const peer: Peer = { ...built, ledger, close: async () => {
      this.#open.delete(peer);
      await router.shutdown();
    } };
    this.#open.add(peer);
    await turn();
    return peer;
  }

  /** Advances by one second, in which every peer reads what the others wrote. */
  async second(): Promise<void> {
    for (const { ledger } of this.#open) ledger.flush();
    this.now += 1000;
    this.#t.mock.timers.tick(1000);
    await turn();
  }

  /** The contents of all files of the folder. */
  written(): string {
    return readdirSync(this.#folder).map(file => readFileSync(join(this.#folder, file), 'latin1')).join('\n');
  }
}

const plan = ({ services }: Peer): ReturnType<MakePlan> => services.makePlan({ requestedModel: 'relay/m', requirements, caller: { tool: 'http' }, kind: 'normal', stream: false, conversation: '' }, services.view(requirements.estimatedInputTokens));
const picked = ({ keys, services }: Peer): string | undefined => keys.pick('relay', new Set(), services.clock.now(), undefined, 'm')?.id;

test('a key that was rejected at one peer is used by no other, nor after a restart, until it is due to be tried again or its secret changes', async (t) => {
  const peers = new Peers(t);
  const one = await peers.open();
  const other = await peers.open();
  one.keys.report('relay', 'k1', 'auth', peers.now, undefined, { model: 'm' });
  assert.equal(picked(other), 'k1');
  await peers.second();
  assert.equal(picked(other), 'k2');
  await one.close();
  await other.close();
  const later = await peers.open();
  assert.equal(picked(later), 'k2');
  peers.now += 3 * 86_400_000;
  assert.equal(picked(later), 'k1', 'one request tries it');
  assert.equal(later.keys.status('relay', peers.now)[0]?.state, 'rejected');
  const renewed = await peers.open([{ ...first, secret: 'the-first-secret-cccc' }, second]);
  assert.equal(picked(renewed), 'k1');
  assert.ok(!peers.written().includes('secret-aaaa'), 'no secret is in the data folder');
});

test('a key that one peer proves to work is used again by all peers', async (t) => {
  const peers = new Peers(t);
  const one = await peers.open();
  const other = await peers.open();
  one.keys.report('relay', 'k1', 'auth', peers.now);
  await peers.second();
  other.keys.revive('relay', 'k1', 'test', peers.now);
  await peers.second();
  assert.equal(picked(one), 'k1');
});

test('a key cools down at all peers, until the time that the provider named', async (t) => {
  const peers = new Peers(t);
  const one = await peers.open();
  const other = await peers.open();
  one.keys.report('relay', 'k1', 'rate-limit', peers.now, 20_000, { model: 'm' });
  one.keys.report('relay', 'k2', 'quota', peers.now);
  await peers.second();
  const { coolingDown } = plan(other);
  assert.equal(coolingDown[0]?.retryAt, start + 20_000);
  await other.close();
  const restarted = await peers.open();
  assert.equal(plan(restarted).plan.excluded[0]?.reason, 'every key is rate-limited, out of money or rejected');
  peers.now = start + 20_000;
  assert.equal(picked(restarted), 'k1');
});

test('the remaining requests that a provider reports to one peer limit the others too, and the plan says so', async (t) => {
  const peers = new Peers(t);
  const one = await peers.open([first]);
  const other = await peers.open([first]);
  one.limiter.observed('relay', 'k1', 'm', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '30s' }, peers.now, 200);
  assert.deepEqual(plan(one).plan.excluded, [{ target: 'relay/m', reason: 'the provider has no requests left for it for another 30 s' }]);
  await peers.second();
  assert.equal(plan(other).coolingDown[0]?.retryAt, start + 30_000);
  assert.deepEqual(other.keys.status('relay', peers.now).map(key => key.state), ['unused']);
  const [key] = other.router.status({ state: 'off' }).endpoints[0]?.keys ?? [];
  assert.deepEqual([key?.state, key?.until, key?.reason], ['cooling', start + 30_000, 'm: the provider has no requests left for it']);
  await one.close();
  assert.equal(plan(await peers.open([first])).plan.targets.length, 0, 'a restart makes no difference');
  peers.now = start + 30_000;
  assert.equal(plan(other).plan.targets.length, 1);
});

test('requests and tokens of finished exchanges count at all peers and after a restart, each once', async (t) => {
  const peers = new Peers(t);
  const limits = { requestsPerMinute: 3, perKey: { tokensPerMinute: 1000 } };
  const one = await peers.open([first, second], limits);
  const other = await peers.open([first, second], limits);
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', keyId: 'k1', startedAt: start, usage: tokens(700, 200) });
  one.ledger.close(aReceipt('x-1', { attempts: [attempt] }));
  await peers.second();
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 101, now: peers.now })).admitted, false);
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 100, now: peers.now })).admitted, true);
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k2', promptTokens: 900, now: peers.now })).admitted, true);
  const late = await peers.open([first, second], limits);
  await peers.second();
  assert.equal(late.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 101, now: peers.now })).admitted, false);
  assert.equal(late.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 100, now: peers.now })).admitted, true, 'not counted twice');
  for (let index = 2; index <= 3; index += 1) one.ledger.close(aReceipt(`x-${index}`, { attempts: [{ ...attempt, startedAt: peers.now, usage: {} }] }));
  await peers.second();
  assert.equal(other.limiter.admission('relay', 0, peers.now).admitted, false);
});

test('a plan leaves out a target whose limit has no room for the longest answer that a request allows', async (t) => {
  const { limiter, services } = await new Peers(t).open([first], { tokensPerMinute: 1000 });
  assert.ok(limiter.enter(rateRequest({ endpoint: 'relay', keyId: first.id, promptTokens: 100, writableTokens: 500, now: start })).admitted);
  assert.equal(services.view(100, 301).admission('relay', 'm').admitted, false);
  assert.equal(services.view(100, 300).admission('relay', 'm').admitted, true);
});

for (const [failureClass, status] of [['server', 503], ['rate-limit', 429], ['overloaded', 529]] as const) {
  test(`a wait that the provider named with ${status} holds for all peers, and for one that starts in the middle of it`, async (t) => {
    const peers = new Peers(t);
    const [here, there] = [await peers.open([]), await peers.open([])];
    const waitMs = 30 * 60_000;
    const failed = anAttempt({
      endpoint: 'relay', model: 'm', target: 'relay/m', startedAt: start, totalMs: 500, status, outcome: 'failed', failureClass, message: 'Come back later.', retryAfterMs: waitMs, usage: {},
      cost: { microUsd: 0, certainty: 'exact' },
    });
    here.ledger.close(aReceipt('waits', { startedAt: start, outcome: 'failed', attempts: [failed] }));
    await peers.second();
    const admission = there.healthRegistry.admission('relay', 'm', peers.now);
    assert.equal(admission.admitted, false);
    assert.equal(admission.admitted ? 0 : admission.retryAt, start + 500 + waitMs);
    peers.now += 20 * 60_000;
    const later = await peers.open([]);
    assert.equal(later.healthRegistry.admission('relay', 'm', peers.now).admitted, false, 'a server that starts later keeps the wait');
    peers.now = start + 500 + waitMs + 1;
    assert.equal((await peers.open([])).healthRegistry.admission('relay', 'm', peers.now).admitted, true);
  });
}
