import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { startSandboxProvider, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, callerProtocols, readAnswer, requestBody, type CallerProtocol } from './support/callerProtocols.ts';
import type { FaultResult } from './support/faultCell.ts';
import { allCells, faultTable, playAllFaults } from './support/faultTable.ts';
import { rawRequest, type RawAnswer } from './support/rawClient.ts';
import { sandboxEndpoint } from './support/sandboxPair.ts';
import { startTestHouse, type TestHouse } from './support/testHouse.ts';

describe('the fault wall', () => {
  let results: FaultResult[] = [];
  before(async () => {
    results = await playAllFaults();
  });

  for (const { row, cell } of allCells()) {
    it(`${row.number}. a provider that ${row.fault}: ${cell.caller} asks ${cell.target}, ${cell.mode}`, () => {
      const result = results.find(one => one.row === row && one.cell.caller === cell.caller && one.cell.target === cell.target && one.cell.mode === cell.mode);
      assert.ok(result !== undefined);
      const { outcome, attempts, violations } = result;
      assert.deepEqual({ outcome, attempts, violations }, { ...row.expect(cell), violations: [] });
    });
  }

  it('is published in docs/faults.md as it was played; `node test/integration/writeFaultTable.ts` writes it', () => {
    assert.equal(readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8'), faultTable(results));
  });
});

describe('faults that take more than one request', () => {
  let a: SandboxProvider;
  let b: SandboxProvider;
  let house: TestHouse;
  before(async () => {
    a = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
    b = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b' });
    house = await startTestHouse({ endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) } });
  });
  after(async () => {
    await house.close();
    await Promise.all([a.close(), b.close()]);
  });

  /** Forgets what is known of the endpoints, then adopts these settings. */
  async function configure(settings: Parameters<typeof sandboxEndpoint>[1] = {}, targets = ['a/m', 'b/m']): Promise<void> {
    a.script({ type: 'answer' });
    b.script({ type: 'answer' });
    await Promise.all([a.revive(), b.revive()]);
    await house.configure({ endpoints: {} });
    await house.configure({ endpoints: { a: sandboxEndpoint(a, settings), b: sandboxEndpoint(b, settings) }, routes: { auto: { targets } } });
  }

  function ask(protocol: CallerProtocol = 'openai-chat', options: { stream?: boolean; signal?: AbortSignal; onChunk?: (chunk: Buffer) => void; prompt?: string } = {}): Promise<RawAnswer> {
    const body = requestBody(protocol, { model: 'auto', prompt: options.prompt ?? 'hello', stream: options.stream ?? false });
    return rawRequest({
      url: house.url + callerPath[protocol], headers: callerHeaders(protocol, house.token), body: JSON.stringify(body), signal: options.signal, onChunk: options.onChunk,
    });
  }

  async function breakerOf(name: string): Promise<string | undefined> {
    return (await house.status()).endpoints.find(endpoint => endpoint.name === name)?.breaker;
  }

  for (const protocol of callerProtocols) {
    it(`28. a caller (${protocol}) that goes away stops the provider's work, and what was said is paid for`, async () => {
      await configure();
      a.script({ type: 'stall', after: 5 });
      const already = a.requests.length;
      const going = new AbortController();
      const gone = ask(protocol, { stream: true, signal: going.signal, onChunk: () => going.abort() }).catch(() => undefined);
      const request = await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
      await gone;
      assert.equal(request.finishedAt, undefined);
      const [latest] = await house.house.yard.recent(1);
      const receipt = await house.receipt(latest?.id ?? '');
      assert.equal(receipt.outcome, 'cancelled');
      assert.deepEqual(receipt.attempts.map(attempt => [attempt.endpoint, attempt.outcome]), [['a', 'cancelled']]);
      assert.ok((receipt.attempts[0]?.usage.outputTokens ?? 0) > 0);
      assert.equal(receipt.cost.certainty, 'estimated');
      assert.ok((receipt.cost.microUsd ?? 0) > 0);
      assert.equal(await breakerOf('a'), 'closed');
    });
  }

  it('28. a caller that goes away before any answer leaves no request running', async () => {
    await configure();
    a.script({ type: 'no-answer' });
    const already = a.requests.length;
    const going = new AbortController();
    const gone = ask('openai-chat', { signal: going.signal }).catch(() => undefined);
    await a.waitForRequest(one => one.number > already);
    going.abort();
    await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
    await gone;
    assert.equal((await house.house.yard.recent(1))[0]?.outcome, 'cancelled');
  });

  it('24. reasoning that another provider signed is taken out when the target refuses it, and the turn is answered', async () => {
    await configure({}, ['b/m']);
    b.script({ type: 'reject-foreign-thinking' });
    const messages = [
      { role: 'user', content: 'what is the weather' },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'I look it up.', signature: 'bm90LWZyb20taGVyZQ==' }, { type: 'text', text: 'Sunny.' }] },
      { role: 'user', content: 'and tomorrow' },
    ];
    const answer = await rawRequest({
      url: house.url + callerPath['anthropic-messages'], headers: callerHeaders('anthropic-messages', house.token),
      body: JSON.stringify(requestBody('anthropic-messages', { model: 'auto', prompt: '', stream: true, messages })),
    });
    const seen = readAnswer('anthropic-messages', answer.text, true);
    assert.ok(seen.finished && seen.error === undefined, answer.text);
    assert.match(seen.text, /and tomorrow/);
    const receipt = await house.receipt(String(answer.headers['x-switchyard-exchange']));
    assert.deepEqual(receipt.attempts.map(attempt => attempt.failureClass ?? 'ok'), ['bad-request', 'ok']);
    assert.equal(await breakerOf('b'), 'closed');
    const sent = b.requests.at(-1)?.bodyText ?? '';
    assert.ok(!sent.includes('bm90LWZyb20taGVyZQ') && sent.includes('Sunny.'), sent);
  });

  it('30. when every target is down, one error lists each attempt and says when to come back', async () => {
    await configure({ breaker: { failures: 1, openForMs: 60_000 } });
    a.script({ type: 'error', error: 'overloaded', retryAfter: { form: 'seconds', ms: 90_000 } });
    b.script({ type: 'refuse' });
    for (const protocol of callerProtocols) {
      // The first one tries both; the second finds both resting and is told so.
      const answer = await ask(protocol);
      const seen = readAnswer(protocol, answer.text, false);
      assert.equal(answer.status, 503);
      assert.match(seen.error?.message ?? '', /a\/m: .+\n.*b\/m: .+/);
      assert.ok(Number(answer.headers['retry-after']) > 20, `retry-after: ${String(answer.headers['retry-after'])}`);
      assert.equal(answer.headers['x-should-retry'], undefined);
    }
  });

  it('30. when every target rests for less than the caller\'s patience, the answer comes late and not never', async () => {
    await configure({ breaker: { failures: 1, openForMs: 300 } }, ['a/m']);
    a.script([{ type: 'error', error: 'server' }, { type: 'error', error: 'server' }]);
    const answer = await ask();
    assert.equal(answer.status, 200);
    const receipt = await house.receipt(String(answer.headers['x-switchyard-exchange']));
    assert.deepEqual(receipt.attempts.map(attempt => attempt.failureClass ?? 'ok'), ['server', 'server', 'ok']);
  });

  it('31. an open breaker keeps requests away; when its time is up one request tries, and a second failure opens it for longer', async () => {
    await configure({ breaker: { failures: 2, openForMs: 400 } });
    a.script({ type: 'error', error: 'server' });
    await ask();
    await ask();
    assert.equal(await breakerOf('a'), 'open');
    const seenOpen = a.requests.length;
    const kept = await ask();
    assert.match(String(kept.headers['x-switchyard-target']), /^b\//);
    assert.equal(a.requests.length, seenOpen, 'an open breaker let a request through');
    const receipt = await house.receipt(String(kept.headers['x-switchyard-exchange']));
    assert.match(receipt.plan.excluded.find(one => one.target === 'a/m')?.reason ?? '', /breaker open/);

    await sleep(450);
    a.script({ type: 'no-answer' });
    const trial = new AbortController();
    const trying = ask('openai-chat', { signal: trial.signal }).catch(() => undefined);
    await a.waitForRequest(one => one.number > seenOpen);
    assert.equal(await breakerOf('a'), 'half-open');
    const others = await Promise.all([ask(), ask(), ask()]);
    assert.ok(others.every(other => String(other.headers['x-switchyard-target']).startsWith('b/')));
    assert.equal(a.requests.length, seenOpen + 1, 'more than one request tried a half-open endpoint');
    trial.abort();
    await trying;
    await a.waitForRequest(one => one.number > seenOpen && one.closedEarlyAt !== undefined);

    a.script({ type: 'error', error: 'server' });
    await ask();
    assert.equal(await breakerOf('a'), 'open');
    const { endpoints, at } = await house.status();
    assert.ok((endpoints.find(endpoint => endpoint.name === 'a')?.retryAt ?? 0) - at > 400, 'the second opening is no longer than the first');
  });

  it('31. an endpoint that is well again closes its breaker', async () => {
    await configure({ breaker: { failures: 1, openForMs: 200 } });
    a.script([{ type: 'error', error: 'server' }]);
    await ask();
    assert.equal(await breakerOf('a'), 'open');
    await sleep(250);
    assert.match(String((await ask()).headers['x-switchyard-target']), /^a\//);
    assert.equal(await breakerOf('a'), 'closed');
  });

  it('29. a machine without a network tells so in one sentence, opens no breaker and still serves local models', async () => {
    await configure();
    const hosted = { provider: 'sandbox', probe: { enabled: false }, breaker: { failures: 1 }, models: { m: {} } };
    await house.configure({
      endpoints: { one: { ...hosted, baseUrl: 'https://one.no-such-host.invalid/v1' }, two: { ...hosted, baseUrl: 'https://two.no-such-host.invalid/v1' }, a: sandboxEndpoint(a) },
      routes: { auto: { targets: ['one/m', 'two/m'] }, home: { targets: ['a/m'] } },
    });
    const answer = await ask();
    assert.equal(answer.status, 503);
    assert.match(readAnswer('openai-chat', answer.text, false).error?.message ?? '', /^You are offline/);
    assert.deepEqual((await house.status()).endpoints.map(endpoint => endpoint.breaker), ['closed', 'closed', 'closed']);
    const local = await rawRequest({
      url: house.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', house.token),
      body: JSON.stringify(requestBody('openai-chat', { model: 'home', prompt: 'hello', stream: false })),
    });
    assert.equal(local.status, 200);
  });
});
