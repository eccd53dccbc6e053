import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { NoticeParams } from '../../../server/api/messages.ts';
import type { Attempt } from '../../../server/api/receipt.ts';
import { WaybillError } from '../../../server/base/failure.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { AttemptEnded } from '../../../server/exchange/events.ts';
import type { Outcome } from '../../../server/health/healthReader.ts';
import { noon, anAttempt } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';
import { rateRequest } from '../limits/rateRequest.ts';

type End = Partial<Omit<AttemptEnded, 'attempt' | 'record'>> & { record?: Partial<Attempt> };

/** A router with endpoint `north`, a record of what its parts receive about ended attempts, and a function that ends one. */
function observed(t: TestContext, keyIds: readonly string[]) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const built = createTestRouter();
  t.after(() => built.router.shutdown());
  const { config } = resolveConfig({ endpoints: { north: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: {} } } }, routes: {} },
    { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  built.router.configure(config, new Map([['north', keyIds.map(id => ({ id, label: `key ${id}`, secret: `secret-of-key-${id}` }))]]), []);
  const endpoint = config.endpoints.get('north');
  assert.ok(endpoint !== undefined);
  const order: string[] = [];
  const outcomes: Outcome[] = [];
  const notices: NoticeParams[] = [];
  const { observe } = built.timers;
  t.mock.method(built.timers, 'observe', (attempt: Parameters<typeof observe>[0]) => { order.push('timeouts'); observe.call(built.timers, attempt); });
  const report = built.keys.report.bind(built.keys);
  t.mock.method(built.keys, 'report', (...args: Parameters<typeof report>) => { order.push('keys'); report(...args); });
  const { record: recordOutcome } = built.healthRegistry;
  t.mock.method(built.healthRegistry, 'record', (outcome: Outcome) => { order.push('health'); outcomes.push(outcome); recordOutcome(outcome); });
  built.router.onNotice((notice) => { order.push('notice'); notices.push(notice); });
  const end = ({ record, ...rest }: End): void => {
    built.events.attemptEnded.emit({
      attempt: { exchangeId: 'x-1', target: { target: 'north/m', endpoint: 'north', model: 'm', upstreamModel: 'm' }, endpoint, keyId: keyIds[0], number: 1, role: undefined, stream: true, trial: false, startedAt: noon },
      record: anAttempt({ endpoint: 'north', model: 'm', ...record }), verdict: 'ok', error: undefined, status: 200, timedOut: undefined, tokensPerSecond: undefined, at: noon, ...rest,
    });
  };
  return { ...built, order, outcomes, notices, end };
}

const rejected = (): Pick<End, 'verdict' | 'error' | 'status' | 'record'> => ({
  verdict: 'failed', error: new WaybillError('provider-auth', 'auth', 'The provider rejected the key.', { helpUrl: 'https://example.com/keys' }), status: 401,
  record: { outcome: 'failed', failureClass: 'auth', status: 401, connectMs: 20 },
});

describe('the observers of ended attempts', () => {
  it('run in a fixed order: timeouts, keys, health, and then the notice to the user', (t) => {
    const { order, notices, end } = observed(t, ['1', '2']);
    end(rejected());
    assert.deepEqual(order, ['timeouts', 'keys', 'health', 'notice']);
    assert.deepEqual(notices, [{ kind: 'key-rejected', endpoint: 'north', message: 'The provider rejected the key.', helpUrl: 'https://example.com/keys' }]);
  });

  for (const [keyIds, keyScoped] of [[['1', '2'], true], [['1'], false]] as const) {
    it(`count a rejected key against ${keyScoped ? 'that key alone while another can be used' : 'the endpoint when it was the last usable one: keys are reported before health asks for another'}`, (t) => {
      const { outcomes, end } = observed(t, keyIds);
      end(rejected());
      assert.equal(outcomes[0]?.keyScoped, keyScoped);
    });
  }

  for (const verdict of ['abandoned', 'beaten'] as const) {
    it(`count an attempt that was ${verdict} against neither the key nor the provider`, (t) => {
      const { order, end } = observed(t, ['1']);
      end({ verdict, record: { outcome: 'cancelled', firstTokenMs: undefined } });
      assert.deepEqual(order, verdict === 'beaten' ? ['timeouts'] : []);
    });
  }

  it('raise no notice for an injected fault, and record it as a drill', (t) => {
    const { order, notices, outcomes, end } = observed(t, ['1']);
    end({ ...rejected(), record: { outcome: 'failed', failureClass: 'auth', drill: true } });
    assert.deepEqual(order, ['keys', 'health']);
    assert.deepEqual(notices, []);
    assert.equal(outcomes[0]?.drill, true);
  });

  it('read limits and accounts from the headers of an answer', (t) => {
    const { events, limiter, end, keys } = observed(t, ['1']);
    end({});
    const attempt = { exchangeId: 'x-1', target: { target: 'north/m', endpoint: 'north', model: 'm', upstreamModel: 'm' }, endpoint: {} as never, keyId: '1', number: 1, role: undefined, stream: true, trial: false, startedAt: noon };
    const seen: string[] = [];
    t.mock.method(keys, 'observe', (endpoint: string, keyId: string) => { seen.push(`${endpoint} ${keyId}`); });
    events.answering.emit({ attempt, status: 200, headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '30s' }, at: noon });
    assert.equal(limiter.keyAdmission(rateRequest({ endpoint: 'north', keyId: '1', promptTokens: 1, now: noon })).admitted, false);
    assert.deepEqual(seen, ['north 1']);
  });
});
