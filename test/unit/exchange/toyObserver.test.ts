import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { createRouter } from '../../../server/app/createRouter.ts';
import { systemClock } from '../../../server/base/clock.ts';
import { silentLog } from '../../../server/base/log.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type {
  AttemptAnswering, AttemptCommitted, AttemptEnded, AttemptStarted, ExchangeEnded, ExchangeObserver, ExchangePlanned, ExchangePriced, ExchangeStarted,
} from '../../../server/exchange/events.ts';
import { conversationBody, type ExchangeFailure } from '../../../server/exchange/request.ts';
import type { Pricer } from '../../../server/pricing/pricing.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
import { exact } from '../ledger/receipts.ts';

/** Counts answered requests by model. A new feature of this kind needs no more than this class. */
class RequestsByModel implements ExchangeObserver {
  readonly name = 'The count of requests by model';
  readonly counts = new Map<string, number>();

  onAttemptEnded({ attempt, verdict }: AttemptEnded): void {
    if (verdict === 'ok') this.counts.set(attempt.target.model, (this.counts.get(attempt.target.model) ?? 0) + 1);
  }
}

/** Records every event, in order. */
class Diary implements ExchangeObserver {
  readonly name = 'The diary';
  readonly lines: string[] = [];
  readonly values: unknown[] = [];

  onStarted(event: ExchangeStarted): void { this.#write('started', event); }
  onPlanned(event: ExchangePlanned): void { this.#write(`planned for ${String(event.route)}: ${event.plan.targets.map(({ target }) => target).join(', ')}`, event); }
  onAttemptStarted(event: AttemptStarted): void { this.#write(`${event.number} sent to ${event.target.target}${event.role === undefined ? '' : ` as ${event.role}`}`, event); }
  onAnswering(event: AttemptAnswering): void { this.#write(`${event.attempt.number} answers ${String(event.status)}`, event); }
  onCommitted(event: AttemptCommitted): void { this.#write(`${event.attempt.number} committed`, event); }
  onAttemptEnded(event: AttemptEnded): void { this.#write(`${event.attempt.number} ended: ${event.verdict}${event.error === undefined ? '' : ` (${event.error.failureClass})`}`, event); }
  onEnded(event: ExchangeEnded): void { this.#write(`ended: ${event.receipt.outcome}, route ${String(event.route)}, ${event.attempts.map(({ record }) => record.number).join(' ')}`, event); }
  onPriced(event: ExchangePriced): void { this.#write(`priced: ${String(event.receipt.cost.microUsd)}, route ${String(event.route)}`, event); }

  #write(line: string, value: unknown): void {
    this.lines.push(line);
    this.values.push(value);
  }
}

/** Throws in each of its methods. */
class Broken implements ExchangeObserver {
  readonly name = 'The broken observer';
  onStarted(): void { throw new Error('injected'); }
  onPlanned(): void { throw new Error('injected'); }
  onAttemptStarted(): void { throw new Error('injected'); }
  onAnswering(): void { throw new Error('injected'); }
  onCommitted(): void { throw new Error('injected'); }
  onAttemptEnded(): void { throw new Error('injected'); }
  onEnded(): void { throw new Error('injected'); }
  onPriced(): void { throw new Error('injected'); }
}

const secret = 'the-secret-of-this-test';
const pricer: Pricer = { isReady: true, ready: () => Promise.resolve(), contextWindow: () => undefined, priceAttempt: () => exact(5) };

describe('a toy observer', () => {
  let sandboxes: SandboxProvider[];
  before(async () => {
    sandboxes = await Promise.all(['a', 'b', 'c'].map(name => startSandboxProvider({ protocol: 'openai-chat', name })));
  });
  after(async () => {
    await Promise.all(sandboxes.map(sandbox => sandbox.close()));
  });

  /** One streamed exchange of the editor over three targets: the first fails, the second is slow, and the third is asked beside it. */
  async function exchange(observers: readonly ExchangeObserver[]): Promise<{ text: string; failure: ExchangeFailure | undefined; said: string[]; ledger: InMemoryLedger }> {
    const [a, b, c] = sandboxes;
    a?.script({ type: 'error', error: 'server' });
    b?.script({ type: 'no-answer' });
    c?.script({ type: 'answer' });
    const said: string[] = [];
    const ledger = new InMemoryLedger();
    const { router, events } = createRouter({
      ledger, pricer, register: new SecretRegister(), clock: systemClock, random: () => 0.5, log: { ...silentLog, error: (message) => { said.push(message); } },
    });
    for (const observer of observers) events.subscribe(observer);
    const endpoints = Object.fromEntries(sandboxes.map((sandbox, index): [string, EndpointSettings] => ['abc'.charAt(index), {
      provider: 'sandbox', protocol: 'openai-chat', baseUrl: sandbox.url, probe: { enabled: false }, models: { m: {} },
    }]));
    const { config, problems } = resolveConfig({ endpoints, routes: { auto: { targets: ['a/m', 'b/m', 'c/m'], hedge: { enabled: true, afterMs: 500 } } } }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
    assert.deepEqual(problems, []);
    router.configure(config, new Map(['a', 'b', 'c'].map(name => [name, [{ id: `key-${name}`, label: 'main', secret }]])), []);
    let text = '';
    const failure = await new Promise<ExchangeFailure | undefined>((resolve) => {
      router.create({
        id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel: 'waybill/auto', stream: true, caller: { tool: 'test' }, patienceMs: 5_000,
        requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
        body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] }),
      }, {
        kind: 'reader', restart() {}, ask: () => Promise.resolve(false), fail: resolve, end() { resolve(undefined); },
        events(received) {
          for (const event of received) if (event.type === 'text') text += event.text;
          return true;
        },
      }).start();
    });
    await router.shutdown();
    return { text, failure, said, ledger };
  }

  it('is one class and one subscription', async () => {
    const counter = new RequestsByModel();
    await exchange([counter]);
    assert.deepEqual([...counter.counts], [['m', 1]]);
  });

  it('sees every event of an exchange with a failover and a hedge, in order', async () => {
    const diary = new Diary();
    const { failure, text } = await exchange([diary]);
    assert.equal(failure, undefined);
    assert.notEqual(text, '');
    assert.deepEqual(diary.lines, [
      'started',
      'planned for auto: a/m, b/m, c/m',
      '1 sent to a/m',
      '1 answers 500',
      '1 ended: failed (server)',
      '2 sent to b/m',
      '3 sent to c/m as hedge',
      '3 answers 200',
      '2 ended: beaten',
      '3 committed',
      '3 ended: ok',
      'ended: ok, route auto, 1 2 3',
      'priced: 15, route auto',
    ]);
  });

  it('is shown no secret', async () => {
    const diary = new Diary();
    await exchange([diary]);
    const seen = JSON.stringify(diary.values, (field, value: unknown) => (field === 'exchange' ? undefined : value));
    assert.ok(seen.includes('key-c'), 'keys are named by their ids');
    assert.ok(!seen.includes(secret));
  });

  it('does no harm when it throws in each of its methods', async () => {
    const [one, other] = [new Diary(), new Diary()];
    const { failure, text, said, ledger } = await exchange([one, new Broken(), other]);
    assert.equal(failure, undefined);
    assert.notEqual(text, '');
    assert.deepEqual(other.lines, one.lines);
    assert.equal(one.lines.length, 13);
    const [receipt] = ledger.receipts.values();
    assert.deepEqual([receipt?.outcome, receipt?.cost.microUsd, receipt?.attempts.length], ['ok', 15, 3]);
    assert.equal(said[0], 'The broken observer failed; the rest goes on.');
    assert.equal(said.length, 4, 'thirteen errors are four lines');
  });
});
