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

/** What reads the ledger has read it. */
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

interface Window extends BuiltRouter { ledger: Ledger; close(): Promise<void> }

/** Windows on one data folder, whose seconds pass when they are told to. */
class Windows {
  now = start;
  readonly #t: TestContext;
  readonly #folder = mkdtempSync(join(tmpdir(), 'waybill-windows-'));
  readonly #open = new Set<Window>();
  #opened = 0;

  constructor(t: TestContext) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.after(async () => {
      for (const window of [...this.#open]) await window.close();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async open(keys: readonly KeyMaterial[] = [first, second], limits: Record<string, unknown> = {}): Promise<Window> {
    const clock = { now: () => this.now };
    const ledger = openLedger({ dataDir: this.#folder, clock, log: silentLog, instanceId: `i-${this.#opened += 1}` });
    const built = createTestRouter({ ledger, clock, keyFingerprint: keyFingerprints(this.#folder) });
    const { router } = built;
    const { config, problems } = resolveConfig({
      endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, limits, models: { m: {} } } },
      routes: {},
    }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    router.configure(config, new Map([['relay', keys]]), problems);
    const window: Window = { ...built, ledger, close: async () => {
      this.#open.delete(window);
      await router.shutdown();
    } };
    this.#open.add(window);
    await turn();
    return window;
  }

  /** A second passes, in which everybody reads what the others wrote. */
  async second(): Promise<void> {
    for (const { ledger } of this.#open) ledger.flush();
    this.now += 1000;
    this.#t.mock.timers.tick(1000);
    await turn();
  }

  /** Everything that was ever written into the folder. */
  written(): string {
    return readdirSync(this.#folder).map(file => readFileSync(join(this.#folder, file), 'latin1')).join('\n');
  }
}

const plan = ({ services }: Window): ReturnType<MakePlan> => services.makePlan({ requestedModel: 'relay/m', requirements, caller: { tool: 'http' }, kind: 'normal' }, services.view(requirements.estimatedInputTokens));
const picked = ({ keys, services }: Window): string | undefined => keys.pick('relay', new Set(), services.clock.now(), undefined, 'm')?.id;

test('a key one window found dead is tried by no other, nor after a restart, until its secret changes', async (t) => {
  const windows = new Windows(t);
  const one = await windows.open();
  const other = await windows.open();
  one.keys.report('relay', 'k1', 'auth', windows.now, undefined, { model: 'm' });
  assert.equal(picked(other), 'k1');
  await windows.second();
  assert.equal(picked(other), 'k2');
  await one.close();
  await other.close();
  windows.now += 3 * 86_400_000;
  const later = await windows.open();
  assert.equal(picked(later), 'k2');
  assert.equal(later.keys.status('relay', windows.now)[0]?.state, 'rejected');
  const renewed = await windows.open([{ ...first, secret: 'the-first-secret-cccc' }, second]);
  assert.equal(picked(renewed), 'k1');
  assert.ok(!windows.written().includes('secret-aaaa'), 'no secret is in the data folder');
});

test('a key that is shown to work in one window is used again in all of them', async (t) => {
  const windows = new Windows(t);
  const one = await windows.open();
  const other = await windows.open();
  one.keys.report('relay', 'k1', 'auth', windows.now);
  await windows.second();
  other.keys.revive('relay', 'k1', 'test', windows.now);
  await windows.second();
  assert.equal(picked(one), 'k1');
});

test('a cooling key rests in all windows, to the end that the provider named', async (t) => {
  const windows = new Windows(t);
  const one = await windows.open();
  const other = await windows.open();
  one.keys.report('relay', 'k1', 'rate-limit', windows.now, 20_000, { model: 'm' });
  one.keys.report('relay', 'k2', 'quota', windows.now);
  await windows.second();
  const { coolingDown: resting } = plan(other);
  assert.equal(resting[0]?.retryAt, start + 20_000);
  await other.close();
  const restarted = await windows.open();
  assert.equal(plan(restarted).plan.excluded[0]?.reason, 'every key is rate-limited, out of money or rejected');
  windows.now = start + 20_000;
  assert.equal(picked(restarted), 'k1');
});

test('what a provider told one window is left keeps the others back, and the plan says so', async (t) => {
  const windows = new Windows(t);
  const one = await windows.open([first]);
  const other = await windows.open([first]);
  one.limiter.observed('relay', 'k1', 'm', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '30s' }, windows.now, 200);
  assert.deepEqual(plan(one).plan.excluded, [{ target: 'relay/m', reason: 'the provider has no requests left for it for another 30 s' }]);
  await windows.second();
  assert.equal(plan(other).coolingDown[0]?.retryAt, start + 30_000);
  assert.deepEqual(other.keys.status('relay', windows.now).map(key => key.state), ['unused']);
  const [key] = other.router.status({ state: 'off' }).endpoints[0]?.keys ?? [];
  assert.deepEqual([key?.state, key?.until, key?.reason], ['cooling', start + 30_000, 'm: the provider has no requests left for it']);
  await one.close();
  assert.equal(plan(await windows.open([first])).plan.targets.length, 0, 'a restart makes no difference');
  windows.now = start + 30_000;
  assert.equal(plan(other).plan.targets.length, 1);
});

test('requests and tokens of finished exchanges count in all windows and after a restart, each once', async (t) => {
  const windows = new Windows(t);
  const limits = { requestsPerMinute: 3, perKey: { tokensPerMinute: 1000 } };
  const one = await windows.open([first, second], limits);
  const other = await windows.open([first, second], limits);
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', keyId: 'k1', startedAt: start, usage: tokens(700, 200) });
  one.ledger.close(aReceipt('x-1', { attempts: [attempt] }));
  await windows.second();
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 101, now: windows.now })).admitted, false);
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 100, now: windows.now })).admitted, true);
  assert.equal(other.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k2', promptTokens: 900, now: windows.now })).admitted, true);
  const late = await windows.open([first, second], limits);
  await windows.second();
  assert.equal(late.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 101, now: windows.now })).admitted, false);
  assert.equal(late.limiter.keyAdmission(rateRequest({ endpoint: 'relay', keyId: 'k1', promptTokens: 100, now: windows.now })).admitted, true, 'not counted twice');
  for (let index = 2; index <= 3; index += 1) one.ledger.close(aReceipt(`x-${index}`, { attempts: [{ ...attempt, startedAt: windows.now, usage: {} }] }));
  await windows.second();
  assert.equal(other.limiter.admission('relay', 0, windows.now).admitted, false);
});

test('a plan leaves out a target whose limit has no room for the longest answer that a request allows', async (t) => {
  const { limiter, services } = await new Windows(t).open([first], { tokensPerMinute: 1000 });
  assert.ok(limiter.enter(rateRequest({ endpoint: 'relay', keyId: first.id, promptTokens: 100, writableTokens: 500, now: start })).admitted);
  assert.equal(services.view(100, 301).admission('relay', 'm').admitted, false);
  assert.equal(services.view(100, 300).admission('relay', 'm').admitted, true);
});

for (const [failureClass, status] of [['server', 503], ['rate-limit', 429], ['overloaded', 529]] as const) {
  test(`a wait the provider named with ${status} is kept by all windows, and by one that starts in the middle of it`, async (t) => {
    const windows = new Windows(t);
    const [here, there] = [await windows.open([]), await windows.open([])];
    const waitMs = 30 * 60_000;
    const failed = anAttempt({
      endpoint: 'relay', model: 'm', target: 'relay/m', startedAt: start, totalMs: 500, status, outcome: 'failed', failureClass, message: 'Come back later.', retryAfterMs: waitMs, usage: {},
      cost: { microUsd: 0, certainty: 'exact' },
    });
    here.ledger.close(aReceipt('waits', { startedAt: start, outcome: 'failed', attempts: [failed] }));
    await windows.second();
    const admission = there.healthRegistry.admission('relay', 'm', windows.now);
    assert.equal(admission.admitted, false);
    assert.equal(admission.admitted ? 0 : admission.retryAt, start + 500 + waitMs);
    windows.now += 20 * 60_000;
    const later = await windows.open([]);
    assert.equal(later.healthRegistry.admission('relay', 'm', windows.now).admitted, false, 'a server that starts later asks at once');
    windows.now = start + 500 + waitMs + 1;
    assert.equal((await windows.open([])).healthRegistry.admission('relay', 'm', windows.now).admitted, true);
  });
}
