import assert from 'node:assert/strict';
import type { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { NoticeParams } from '../../../server/api/messages.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { conversationBody, type ExchangeFailure } from '../../../server/exchange/request.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { noon } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

const address = (text: string, internal: boolean) => [{ address: text, netmask: '', mac: '', cidr: null, internal, family: 'IPv4' as const }];

test('a machine without a network interface is offline: the status says so, the user is notified once, and an interface ends it', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = noon;
  let interfaces: ReturnType<typeof networkInterfaces> = { lo: address('127.0.0.1', true), eth0: address('192.168.1.4', false) };
  const { router, services } = createTestRouter({ clock: { now: () => now }, interfaces: () => interfaces });
  t.after(() => router.shutdown());
  const notices: NoticeParams[] = [];
  router.onNotice((notice) => { notices.push(notice); });
  const common = { provider: 'openai-compatible', probe: { enabled: false }, models: { m: {} } };
  const { config } = resolveConfig({
    endpoints: { far: { ...common, baseUrl: 'https://far.example.com/v1' }, near: { ...common, baseUrl: 'http://127.0.0.1:1/v1' } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  router.configure(config, new Map(), []);
  const seconds = (count: number): void => {
    for (let index = 0; index < count; index += 1) { now += 1000; t.mock.timers.tick(1000); }
  };
  const seen = () => {
    const { link, endpoints } = router.status({ state: 'off' });
    return [link?.kind, ...endpoints.map(({ name, state, offline, breaker }) => [name, state, offline, breaker].join(' '))];
  };
  seconds(2);
  assert.deepEqual(seen(), [undefined, 'far unknown  closed', 'near unknown  closed']);
  interfaces = { lo: address('127.0.0.1', true) };
  seconds(30);
  assert.deepEqual(seen(), ['offline', 'far down offline closed', 'near unknown  closed']);
  assert.equal(services.networkTrouble() !== undefined, true);
  assert.deepEqual(notices.map(({ kind, endpoint }) => [kind, endpoint]), [['offline', '']]);
  interfaces = { wlan0: address('10.0.0.7', false) };
  seconds(1);
  assert.deepEqual(seen(), [undefined, 'far unknown  closed', 'near unknown  closed']);
});

test('the failure of a local model is reported as its own while the machine is offline', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = noon;
  let interfaces: ReturnType<typeof networkInterfaces> = { eth0: address('192.168.1.4', false) };
  const { router, services } = createTestRouter({
    pricer: createPricer({ log: silentLog, load: () => Promise.reject(new Error('none')) }), clock: { now: () => now }, interfaces: () => interfaces,
  });
  t.after(() => router.shutdown());
  const common = { provider: 'openai-compatible', probe: { enabled: false }, models: { m: {} } };
  const { config } = resolveConfig({
    endpoints: { far: { ...common, baseUrl: 'https://far.example.com/v1' }, near: { ...common, baseUrl: 'http://127.0.0.1:1/v1' } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  router.configure(config, new Map(), []);
  for (const present of [true, false]) {
    if (!present) interfaces = {};
    now += 1000;
    t.mock.timers.tick(1000);
  }
  assert.equal(services.networkTrouble(), 'offline');
  const failure = await new Promise<ExchangeFailure>((resolve) => {
    router.create({
      id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel: 'near/m', stream: true, caller: { tool: 'test' }, patienceMs: 0,
      requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
      body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] }),
    }, { kind: 'reader', events: () => true, end() {}, restart() {}, ask: () => Promise.resolve(false), fail: resolve }).start();
  });
  assert.equal(failure.error.code, 'connection-refused', failure.error.message);
});
