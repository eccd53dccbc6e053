import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { BudgetSettings } from '../../../../server/api/budgets/budgetSettings.ts';
import type { BudgetStatus } from '../../../../server/api/budgets/budgetStatus.ts';
import type { CapSettings, HedgeSettings } from '../../../../server/api/settings.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { AdmissionControl, Permit } from '../../../../server/exchange/admission.ts';
import { Exchange } from '../../../../server/exchange/exchange.ts';
import { conversationBody, type ExchangeInput, type ReaderAnswer } from '../../../../server/exchange/request.ts';
import type { ExchangeServices } from '../../../../server/exchange/services.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import { supportedProtocols } from '../../../../server/protocols/registry.ts';
import type { Dispatcher, ResponseListener, UpstreamCall } from '../../../../server/upstream/call.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { createTestRouter } from '../../router/createTestRouter.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { RecordingSink, turn } from '../exchangeFakes.ts';

interface Call { readonly endpoint: string; readonly listener: ResponseListener; over: boolean }

/** A router whose providers the test answers: dear ($0.60 for a thousand tokens), cheap ($0.006), plan (covered), and one without a price. */
function router(t: TestContext, caps: CapSettings, targets: string[], hedge?: HedgeSettings, budgets?: Record<string, BudgetSettings>, ledger = new InMemoryLedger()) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const pricer = createPricer({ log: silentLog, load: () => Promise.reject(new Error('there is no price table')) });
  const parts = createTestRouter({ pricer, ledger });
  t.after(async () => {
    t.mock.timers.reset();
    await parts.router.shutdown();
  });
  const endpoint = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, breaker: { failures: 1000, failureRate: 1 } };
  const priced = (perMTok: number): object => ({ ...endpoint, models: { m: { prices: { inputPerMTok: 0, outputPerMTok: perMTok } } } });
  const { config, problems } = resolveConfig({
    endpoints: { dear: priced(600), other: priced(600), cheap: priced(6), plan: { ...endpoint, billing: 'subscription' }, unpriced: endpoint },
    routes: { auto: { targets, ...(Object.keys(caps).length === 0 ? {} : { caps }), ...(hedge === undefined ? {} : { hedge }) } }, budgets,
  }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
  assert.deepEqual(problems, []);
  parts.router.configure(config, new Map(), problems);
  const calls: Call[] = [];
  const transport: Dispatcher = {
    dispatch: ({ name }, _request, listener) => {
      const call: Call = { endpoint: name, listener, over: false };
      calls.push(call);
      const upstream: UpstreamCall = { source: 'provider', abort: () => { call.over = true; }, pause: () => undefined, resume: () => undefined };
      return upstream;
    },
  };
  /** What admitted attempts reserved, and what they cost. */
  const spent: { reserved: number; cost: number | undefined; over: boolean }[] = [];
  const { admission } = parts.services;
  const watched: AdmissionControl = {
    hasUsableKey: request => admission.hasUsableKey(request),
    acquire: request => {
      const permit = admission.acquire(request);
      if (permit instanceof Promise || !permit.admitted || request.spend === undefined) return permit;
      const one = { reserved: request.spend.microUsd, cost: undefined as number | undefined, over: false };
      spent.push(one);
      const ended = (used: Parameters<Permit['settle']>[0], cost: Parameters<Permit['settle']>[1]): void => {
        one.over = true;
        one.cost = used === 'unsent' ? 0 : cost?.microUsd;
      };
      return {
        admitted: true, key: permit.key, trial: permit.trial, reserves: permit.reserves,
        refund: () => { ended('unsent', undefined); permit.refund(); },
        settle: (used, cost) => { ended(used, cost); permit.settle(used, cost); },
        release: (used, cost) => { ended(used, cost); permit.release(used, cost); },
      };
    },
  };
  const services: ExchangeServices = { ...parts.services, transport, admission: watched, hedgeSpentToday: () => 0 };
  let exchanges = 0;
  const start = (given: Partial<ExchangeInput> = {}, prepare?: (sink: RecordingSink) => void): { exchange: Exchange; sink: RecordingSink } => {
    const sink = new RecordingSink();
    prepare?.(sink);
    exchanges += 1;
    const exchange = new Exchange(services, {
      id: `x-${String(exchanges)}`, inbound: 'http', protocol: 'openai-chat', requestedModel: 'auto', stream: true, caller: { tool: 'test', conversation: 'c' }, patienceMs: 0,
      requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 100 },
      body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], tools: [] }), ...given,
    }, sink);
    exchange.start();
    return { exchange, sink };
  };
  const left = (exchange: Exchange): number | undefined => exchange.receipt.plan.caps?.[0]?.leftMicroUsd;
  const budget = (): BudgetStatus => parts.router.budgets.statuses()?.[0] ?? assert.fail();
  return { calls, spent, start, left, budget };
}

function answer(call: Call, outputTokens: number): void {
  call.over = true;
  call.listener.onHeaders(200, { 'content-type': 'text/event-stream' });
  call.listener.onData(Buffer.from(`data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'yes' } }] })}\n\n`));
  call.listener.onData(Buffer.from(`data: ${JSON.stringify({ id: '1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 100, completion_tokens: outputTokens, total_tokens: 100 + outputTokens } })}\n\ndata: [DONE]\n\n`));
  call.listener.onEnd();
}

function refuse(call: Call, status: number): void {
  call.over = true;
  call.listener.onHeaders(status, { 'content-type': 'application/json' });
  call.listener.onData(Buffer.from(JSON.stringify({ error: { message: 'no' } })));
  call.listener.onEnd();
}

describe('an exchange under a cap', () => {
  it('counts what it cost in the place of what was expected, and a failed attempt for nothing', async t => {
    // A thousand tokens of answer cost $0.60; an answer is expected to have 100.
    const { calls, start, left } = router(t, { conversationUsd: 1 }, ['dear/m', 'other/m']);
    const first = start();
    assert.equal(left(first.exchange), 1_000_000);
    refuse(calls[0] ?? assert.fail(), 500);
    await turn();
    answer(calls[1] ?? assert.fail(), 1000);
    await turn();
    assert.deepEqual(first.exchange.receipt.attempts.map(({ outcome }) => outcome), ['failed', 'ok']);
    assert.equal(left(start().exchange), 400_000);
  });

  it('ends with the one error that no client tries again', async t => {
    const { calls, start } = router(t, { turnUsd: 0.5 }, ['dear/m', 'cheap/m']);
    start();
    await turn();
    answer(calls[0] ?? assert.fail(), 1000);
    const { sink, exchange } = start();
    await turn();
    const [failure] = sink.failures;
    assert.deepEqual([failure?.error.code, failure?.error.failureClass, failure?.status, failure?.error.providerCode], ['cap-reached', 'quota', 400, 'spend_cap_reached']);
    assert.match(failure?.error.message ?? '', /^The cap of this turn on route "auto" \(\$0\.50\) is reached: dear\/m is expected to cost \$\d\.\d+, and nothing is left\. /);
    assert.equal(exchange.receipt.attempts.length, 0);
    assert.equal(calls.length, 1, 'nothing cheaper serves, because the cap stops');
  });

  it('goes to a cheaper target where the cap degrades', async t => {
    const { calls, start } = router(t, { turnUsd: 0.5, whenReached: 'degrade' }, ['dear/m', 'unpriced/m', 'cheap/m', 'plan/m']);
    start();
    await turn();
    answer(calls[0] ?? assert.fail(), 500);
    start();
    await turn();
    assert.deepEqual(calls.map(({ endpoint }) => endpoint), ['dear', 'cheap']);
    answer(calls[1] ?? assert.fail(), 100_000);
    start();
    await turn();
    assert.deepEqual(calls.map(({ endpoint }) => endpoint), ['dear', 'cheap', 'plan'], 'what a plan covers always fits');
  });

  /** Lets virtual time pass, in which an exchange may look again. */
  const pass = async (t: TestContext, ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      t.mock.timers.tick(100);
      await turn();
    }
  };

  it('waits for requests that run where only what they have reserved is missing', async t => {
    const { calls, start } = router(t, { conversationUsd: 0.6 }, ['dear/m']);
    // $0.36 is expected of each.
    start();
    const second = start({ patienceMs: 20_000 });
    await pass(t, 500);
    assert.deepEqual([calls.length, second.sink.failures.length, second.exchange.receipt.outcome], [1, 0, 'open']);
    answer(calls[0] ?? assert.fail(), 10);
    await pass(t, 500);
    assert.equal(calls.length, 2, 'the first one cost $0.006');
    answer(calls[1] ?? assert.fail(), 10);
    assert.equal(second.exchange.receipt.outcome, 'ok');
  });

  it('waits for ten seconds at most, and not where what was used is missing', async t => {
    const { calls, start } = router(t, { conversationUsd: 0.6 }, ['dear/m']);
    let at = performance.now();
    t.mock.method(performance, 'now', () => at += 1);
    start();
    const late = start({ patienceMs: 60_000 });
    await pass(t, 5_000);
    assert.equal(late.sink.failures.length, 0);
    at += 10_000;
    await pass(t, 500);
    assert.match(late.sink.failures[0]?.error.message ?? '', /is reached: dear\/m is expected to cost \$0\.36, and \$0\.24 is left beside \$0\.36 that running requests have reserved\./);
    answer(calls[0] ?? assert.fail(), 1000);
    const next = start({ patienceMs: 60_000 });
    await turn();
    assert.equal(next.sink.failures[0]?.error.code, 'cap-reached', 'at once');
    assert.equal(calls.length, 1);
  });

  it('asks the reader, and the turn goes on after a yes', async t => {
    const { calls, start } = router(t, { turnUsd: 0.5, whenReached: 'ask' }, ['dear/m']);
    start();
    await turn();
    answer(calls[0] ?? assert.fail(), 1000);
    const questions: string[] = [];
    const asks = (says: boolean) => (sink: RecordingSink): void => {
      sink.kind = 'reader';
      sink.ask = (message, accept, decline) => {
        questions.push(`${message} [${accept}] [${decline}]`);
        return Promise.resolve(says);
      };
    };
    const stopped = start({ protocol: 'editor', inbound: 'lsp' }, asks(false));
    await turn();
    assert.equal(stopped.sink.failures[0]?.error.code, 'cap-reached');
    const allowed = start({ protocol: 'editor', inbound: 'lsp' }, asks(true));
    await turn();
    assert.equal(calls.length, 2);
    answer(calls[1] ?? assert.fail(), 100);
    assert.equal(allowed.exchange.receipt.outcome, 'ok');
    assert.match(questions[1] ?? '', /^dear\/m is expected to cost .*The turn waits for your answer\. \[Allow \$1 More\] \[Stop\]$/);
    // An errand of the editor is no turn that somebody reads: it gets the error, too.
    const errand = start({ protocol: 'editor', inbound: 'lsp', caller: { tool: 'vscode-chat', purpose: 'utility', conversation: 'title' } }, asks(true));
    await turn();
    assert.deepEqual([questions.length, errand.sink.failures.length], [2, 0], 'it fits its own turn');
    const dear = start({ protocol: 'editor', inbound: 'lsp', caller: { tool: 'vscode-chat', purpose: 'utility', conversation: 'title' }, requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 100, answers: 9 } }, asks(true));
    await turn();
    assert.deepEqual([questions.length, dear.sink.failures[0]?.error.code], [2, 'cap-reached']);
    // Other callers get the error.
    const tool = start({ id: 'tool' });
    await turn();
    assert.equal(tool.sink.failures.length, 0, 'what was allowed is allowed for all requests of the turn');
  });

  it('is never admitted beyond what is left, with many at once, hedges, failures, cancelled answers and unknown prices', async t => {
    for (let seed = 1; seed <= 25; seed++) {
      await t.test(`run ${String(seed)}`, async inner => {
        const random = seededRandom(seed);
        const limit = 200_000 + Math.floor(random() * 2_000_000);
        const { calls, spent, start, left } = router(inner, { conversationUsd: limit / 1e6, whenReached: 'degrade' }, ['dear/m', 'unpriced/m', 'other/m', 'cheap/m'], { enabled: true, afterMs: 10, dailyCapUsd: 100_000 });
        const exchanges: Exchange[] = [];
        let known = 0;
        let bound = 0;
        const used = (): number => spent.reduce((sum, { reserved, cost, over }) => sum + (over ? cost ?? reserved : reserved), 0);
        const excess = (): number => spent.reduce((sum, { reserved, cost, over }) => sum + (over && cost !== undefined ? Math.max(0, cost - reserved) : 0), 0);
        let excessBefore = 0;
        const check = (): void => {
          if (spent.length > known) {
            known = spent.length;
            excessBefore = excess();
            assert.ok(used() <= limit || spent.at(-1)?.reserved === 0, `${String(used())} of ${String(limit)} reserved and spent`);
          }
          bound = excess() - excessBefore;
          assert.ok(used() <= limit + bound, 'only what ran can cost more');
        };
        for (let step = 0; step < 150; step++) {
          const open = calls.filter(({ over }) => !over);
          const call = open[Math.floor(random() * open.length)];
          const what = random();
          if (what < 0.4 || call === undefined) exchanges.push(start({ stream: true }).exchange);
          else if (what < 0.6) answer(call, Math.floor(random() * 900));
          else if (what < 0.7) refuse(call, [429, 500, 503][Math.floor(random() * 3)] ?? 500);
          else if (what < 0.8) exchanges[Math.floor(random() * exchanges.length)]?.cancel();
          else inner.mock.timers.tick(15);
          await turn();
          check();
        }
        for (const exchange of exchanges) exchange.cancel();
        await turn();
        check();
        assert.ok(calls.every(({ endpoint }) => endpoint !== 'unpriced'));
        assert.ok(spent.every(({ over }) => over), 'every reservation is settled');
        const [first] = exchanges;
        const terms = first?.receipt.plan.caps?.[0];
        assert.equal(terms?.limitMicroUsd, limit);
        const total = used();
        assert.equal(left(start().exchange), limit - total, 'what is counted is what was spent');
      });
    }
  });
});

describe('an exchange under a budget', () => {
  const daily = (more: Partial<BudgetSettings> = {}): Record<string, BudgetSettings> => ({ daily: { limitUsd: 0.5, period: 'day', ...more } });

  it('ends with the one error that no client tries again, and what costs less serves before that', async t => {
    const { calls, start, budget } = router(t, {}, ['dear/m', 'cheap/m'], undefined, daily());
    start();
    await turn();
    answer(calls[0] ?? assert.fail(), 700);
    assert.deepEqual([budget().spentMicroUsd, budget().reservedMicroUsd], [420_000, 0]);
    const second = start();
    await turn();
    assert.equal(calls[1]?.endpoint, 'cheap');
    assert.equal(second.exchange.receipt.plan.budgets?.[0]?.did, 'passed-over');
    answer(calls[1], 20_000);
    const { sink, exchange } = start();
    await turn();
    const [failure] = sink.failures;
    assert.deepEqual([failure?.error.code, failure?.error.failureClass, failure?.status, failure?.error.providerCode], ['budget-reached', 'quota', 400, 'spend_cap_reached']);
    assert.match(failure?.error.message ?? '', /^The budget "daily" \(\$0\.50 a day\) is reached: .* until \d{4}-\d\d-\d\d 00:00\. /);
    assert.equal(exchange.receipt.plan.budgets?.[0]?.did, 'stopped');
    assert.equal(calls.length, 2, 'nothing was sent');
  });

  it('reserves before an attempt is sent, and settles when it fails over, is cancelled, or is refused', async t => {
    const { calls, start, budget } = router(t, {}, ['dear/m', 'cheap/m'], undefined, daily({ limitUsd: 100 }));
    const first = start();
    await turn();
    const { reservedMicroUsd, spentMicroUsd } = budget();
    assert.ok(reservedMicroUsd > 0 && spentMicroUsd === 0);
    refuse(calls[0] ?? assert.fail(), 500);
    await turn();
    assert.ok(budget().reservedMicroUsd > 0 && budget().reservedMicroUsd < reservedMicroUsd, 'the next target is expected to cost less');
    first.exchange.cancel();
    await turn();
    assert.equal(budget().reservedMicroUsd, 0);
  });

  it('asks the reader, who allows a dollar, or lifts it until it begins anew', async t => {
    const { calls, start, budget } = router(t, {}, ['dear/m'], undefined, daily());
    start();
    await turn();
    answer(calls[0] ?? assert.fail(), 1000);
    const questions: string[] = [];
    const asks = (says: ReaderAnswer) => (sink: RecordingSink): void => {
      sink.kind = 'reader';
      sink.ask = (message, accept, decline, instead) => {
        questions.push(`${message} [${accept}] [${String(instead)}] [${decline}]`);
        return Promise.resolve(says);
      };
    };
    const stopped = start({ protocol: 'editor', inbound: 'lsp' }, asks(false));
    await turn();
    assert.equal(stopped.sink.failures[0]?.error.code, 'budget-reached');
    const allowed = start({ protocol: 'editor', inbound: 'lsp' }, asks(true));
    await turn();
    answer(calls[1] ?? assert.fail(), 1600);
    await turn();
    assert.deepEqual([allowed.exchange.receipt.outcome, allowed.exchange.receipt.plan.budgets?.[0]?.allowedMicroUsd], ['ok', 1_000_000]);
    const lifted = start({ protocol: 'editor', inbound: 'lsp' }, asks('instead'));
    await turn();
    answer(calls[2] ?? assert.fail(), 100_000);
    await turn();
    assert.deepEqual([lifted.exchange.receipt.outcome, lifted.exchange.receipt.plan.budgets?.[0]?.lifted, budget().lifted], ['ok', true, true]);
    assert.match(questions[0] ?? '', /nothing is left of the budget "daily" \(\$0\.50 a day\)\. The turn waits for your answer\. \[Allow \$1 More\] \[Until Tomorrow\] \[Stop\]$/);
  });

  it('is not sent while nobody knows what is used of the budget', async t => {
    const ledger = new InMemoryLedger();
    ledger.spend = () => Promise.reject(new LedgerUnavailableError('locked'));
    const { calls, start } = router(t, {}, ['dear/m'], undefined, daily(), ledger);
    const { exchange, sink } = start();
    await turn();
    await turn();
    assert.deepEqual([calls.length, exchange.receipt.outcome], [0, 'failed']);
    assert.match(sink.failures[0]?.error.message ?? '', /what is used of the budget "daily" cannot be read from the ledger now/);
  });

  it('is not sent without a known price, unless the budget only warns', async t => {
    const hard = router(t, {}, ['unpriced/m'], undefined, daily());
    const { sink } = hard.start();
    await turn();
    assert.match(sink.failures[0]?.error.message ?? '', /^Nothing was sent: the price of unpriced\/m is not known, and a budget holds\./);
    assert.equal(hard.calls.length, 0);
  });

  it('is sent all the same where the budget only warns', async t => {
    const soft = router(t, {}, ['unpriced/m', 'dear/m'], undefined, daily({ whenReached: 'warn' }));
    const { exchange } = soft.start();
    await turn();
    assert.equal(soft.calls[0]?.endpoint, 'unpriced');
    assert.equal(exchange.receipt.plan.budgets?.[0]?.unpriced, true);
  });
});
