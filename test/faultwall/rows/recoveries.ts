import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { SandboxRequest } from '../../../server/sandbox/requestJournal.ts';
import { sandboxEndpoint } from '../../integration/support/sandboxPair.ts';
import { attemptWords, receiptViolations, stateViolations } from '../judgeRecord.ts';
import { noSuchHost } from '../prompts.ts';
import { always, errorEvent, callerError, type Played, type WallRow } from '../wallRow.ts';
import type { Stage } from '../stage.ts';
import { both, streamed } from './silences.ts';

const generous = { timeouts: { headersMs: 20_000, firstTokenMs: 20_000, idleMs: 20_000 } };

/** The caller goes away at this moment; the row measures how long the provider goes on working. */
async function goneAway(stage: Stage, when: 'at the first word' | 'before any answer'): Promise<Played> {
  const going = new AbortController();
  let leftAt = 0;
  const leave = (): void => {
    leftAt = Date.now();
    going.abort();
  };
  const asked = stage.ask({ signal: going.signal, ...(when === 'at the first word' ? { onFirst: leave } : {}) });
  const request = await stage.a.waitForRequest(() => true, 10_000);
  if (when === 'before any answer') leave();
  const ended = await stage.a.waitForRequest((one: SandboxRequest) => one.number === request.number && one.closedEarlyAt !== undefined, 10_000);
  await asked;
  const elapsedMs = Math.max(0, (ended.closedEarlyAt ?? Number.NaN) - leftAt);
  const violations = elapsedMs < 1000 ? [] : [`the provider went on for ${elapsedMs} ms`];
  const receipt = await lastReceipt(stage);
  violations.push(...receiptViolations(stage.row, receipt), ...await stateViolations(stage));
  if (receipt.outcome !== 'cancelled') violations.push(`the exchange is ${receipt.outcome}`);
  const { usage, cost } = receipt;
  if (when === 'at the first word' && ((usage.outputTokens ?? 0) === 0 || cost.certainty !== 'estimated' || (cost.microUsd ?? 0) === 0)) {
    violations.push(`what was said costs ${cost.microUsd ?? 'nothing known'} (${cost.certainty}) for ${usage.outputTokens ?? 'no known number of'} tokens`);
  }
  return { outcome: 'upstream aborted', attempts: attemptWords(receipt), elapsedMs, violations };
}

/** The caller goes away while its request waits for a limit to end: nothing is sent any more. */
async function goneWhileWaiting(stage: Stage): Promise<Played> {
  const going = new AbortController();
  const asked = stage.ask({ signal: going.signal });
  await stage.a.waitForRequest(request => request.finishedAt !== undefined, 10_000);
  await sleep(100);
  going.abort();
  await asked;
  await sleep(900);
  const violations = stage.a.requests.length === 1 ? [] : [`the provider was asked ${stage.a.requests.length} times`];
  const receipt = await lastReceipt(stage);
  if (receipt.outcome !== 'cancelled') violations.push(`the exchange is ${receipt.outcome}`);
  return { outcome: 'nothing more is sent', attempts: attemptWords(receipt), elapsedMs: 0, violations };
}

async function lastReceipt(stage: Stage): Promise<Receipt> {
  const [latest] = await stage.testRouter.testRouter.router.recent(1);
  return stage.testRouter.receipt(latest?.id ?? '');
}

/** Two providers that cannot be reached from here at all, and one on this machine. */
async function offline(stage: Stage): Promise<Played> {
  const hosted = { ...sandboxEndpoint(stage.b), breaker: { failures: 1 } };
  await stage.testRouter.configure({
    endpoints: { one: { ...hosted, baseUrl: `https://one.${noSuchHost}/v1` }, two: { ...hosted, baseUrl: `https://two.${noSuchHost}/v1` }, a: sandboxEndpoint(stage.a) },
    routes: { auto: { targets: ['one/m', 'two/m'] }, home: { targets: ['a/m'] } },
  });
  const turn = await stage.ask();
  const violations = [...turn.violations, ...receiptViolations(stage.row, await stage.receipt(turn))];
  if (!(turn.error ?? '').startsWith('You are offline')) violations.push(`the error says: ${turn.error ?? 'nothing'}`);
  const breakers = (await stage.testRouter.status()).endpoints.map(endpoint => endpoint.breaker);
  if (breakers.some(breaker => breaker !== 'closed')) violations.push(`the breakers are: ${breakers.join(', ')}`);
  const local = await stage.ask({ model: 'home' });
  violations.push(...local.violations);
  if (local.outcome !== 'a answers') violations.push(`the local model: ${local.outcome}`);
  return { outcome: turn.outcome, attempts: attemptWords(await stage.receipt(turn)), elapsedMs: turn.elapsedMs, violations };
}

/** Every target fails in its own way: one error with a line for each, and when to come back. */
async function allDown(stage: Stage): Promise<Played> {
  stage.b.script({ type: 'refuse' });
  const turn = await stage.ask();
  const played = await stage.judge(turn);
  if (!/a\/m: .+\n.*b\/m: .+/.test(turn.error ?? '')) played.violations.push(`not a line for each target: ${turn.error ?? ''}`);
  if (turn.status !== undefined && (turn.retryAfterSeconds ?? 0) <= 20) played.violations.push(`retry-after: ${turn.retryAfterSeconds ?? 'missing'}`);
  if (!/Try again in/.test(turn.error ?? '')) played.violations.push(`no time at which to come back: ${turn.error ?? ''}`);
  return played;
}

/** It fails, which opens its breaker for longer than any caller waits: the next request tries it all the same, as there is nothing better. */
async function bestUnavailable(stage: Stage): Promise<Played> {
  const first = await stage.ask();
  const second = await stage.judge(await stage.ask());
  if (!first.outcome.startsWith('error')) second.violations.push(`the first request: ${first.outcome}`);
  return { ...second, violations: [...first.violations, ...second.violations] };
}

/** Opens the breaker, waits its time, and watches one request try while others keep away. */
async function halfOpen(stage: Stage): Promise<Played> {
  const { a } = stage;
  const violations: string[] = [];
  const demand = (holds: boolean, otherwise: string): void => {
    if (!holds) violations.push(otherwise);
  };
  await stage.ask();
  await stage.ask();
  demand((await stage.stateOfA()).breaker === 'open', 'the breaker did not open');
  const seenOpen = a.requests.length;
  const kept = await stage.ask();
  demand(kept.outcome === 'b answers' && a.requests.length === seenOpen, 'an open breaker let a request through');
  const excluded = (await stage.receipt(kept)).plan.excluded.find(one => one.target === 'a/m')?.reason ?? '';
  demand(/breaker open|, next try in/.test(excluded), `the plan gives as reason: ${excluded}`);

  await sleep(650);
  a.script({ type: 'no-answer' });
  const trial = new AbortController();
  const trying = stage.ask({ signal: trial.signal });
  await a.waitForRequest(request => request.number > seenOpen, 10_000);
  demand((await stage.stateOfA()).breaker === 'half-open', 'the breaker is not half-open');
  const others = await Promise.all([stage.ask(), stage.ask(), stage.ask()]);
  demand(others.every(other => other.outcome === 'b answers') && a.requests.length === seenOpen + 1, 'more than one request tried a half-open endpoint');
  trial.abort();
  await trying;
  await a.waitForRequest(request => request.number > seenOpen && request.closedEarlyAt !== undefined, 10_000);

  a.script({ type: 'error', error: 'server' });
  const last = await stage.ask();
  const { breaker, retryAt } = await stage.stateOfA();
  demand(breaker === 'open', `the breaker is ${breaker} after a failed trial`);
  demand((retryAt ?? 0) - Date.now() > 600, 'the second opening is no longer than the first');
  violations.push(...last.violations);
  return { outcome: last.outcome, attempts: attemptWords(await stage.receipt(last)), elapsedMs: last.elapsedMs, violations };
}

/** One failure opens the breaker; when its time is up the provider is well again. */
async function recovers(stage: Stage): Promise<Played> {
  const opened = await stage.ask();
  const violations = [...opened.violations];
  if ((await stage.stateOfA()).breaker !== 'open') violations.push('the breaker did not open');
  await sleep(250);
  const played = await stage.judge(await stage.ask());
  return { ...played, violations: [...violations, ...played.violations] };
}

/** Right after a recovery many requests come at once: a few go there, the others elsewhere. */
async function ramp(stage: Stage): Promise<Played> {
  const played = await recovers(stage);
  stage.a.script({ type: 'answer', firstTokenMs: 400 });
  const before = stage.a.requests.length;
  const flood = await Promise.all(Array.from({ length: 8 }, () => stage.ask()));
  const arrived = stage.a.requests.length - before;
  played.violations.push(...flood.flatMap(turn => turn.violations));
  if (arrived === 0 || arrived > 4) played.violations.push(`${arrived} of 8 requests at once went to what just recovered`);
  return played;
}

/** Callers that go, machines without a network, everything down, and recovery: rows 28 to 31. */
export const recoveries: readonly WallRow[] = [
  {
    number: 28, fault: 'is fine, but the caller goes away in mid-stream', modes: streamed, behaviour: always({ type: 'stall', after: 5 }), settings: () => generous,
    expect: always({ outcome: 'upstream aborted', attempts: 'a cancelled' }), play: stage => goneAway(stage, 'at the first word'), peer: true,
  },
  {
    number: 28, fault: 'is fine, but the caller goes away before any answer', modes: both, behaviour: always({ type: 'no-answer' }), settings: () => generous,
    expect: always({ outcome: 'upstream aborted', attempts: 'a cancelled' }), play: stage => goneAway(stage, 'before any answer'), peer: true,
  },
  {
    number: 28, fault: 'limits the rate, and the caller goes away while its request waits', modes: both, alone: true, keys: 1,
    behaviour: always({ type: 'error', error: 'rate-limit', retryAfter: { form: 'milliseconds', ms: 600 } }),
    expect: always({ outcome: 'nothing more is sent', attempts: 'a rate-limit' }), play: goneWhileWaiting,
  },
  {
    number: 29, fault: 'is fine, but the machine has no network', modes: both, behaviour: always({ type: 'answer' }),
    expect: callerError('one network, two network', 'error 503', 'error network'), play: offline,
  },
  { number: 30, fault: 'is down, and so is every other', modes: both, refuses: true, alone: true, behaviour: always({ type: 'refuse' }), expect: callerError('a network', 'error 503', 'error network'), peer: true },
  {
    number: 30, fault: 'is overloaded, and every other is down', modes: both, refuses: true, behaviour: always({ type: 'error', error: 'overloaded', retryAfter: { form: 'seconds', ms: 90_000 } }),
    expect: callerError('a overloaded, b network', 'error 503', 'error overloaded'), play: allDown,
  },
  {
    number: 30, fault: 'is in a cooldown shorter than the caller waits, and so is every other', modes: both, alone: true, settings: () => ({ breaker: { failures: 1, openForMs: 300 } }),
    behaviour: always([{ type: 'error', error: 'server' }, { type: 'error', error: 'server' }]), expect: always({ outcome: 'a answers', attempts: 'a server, a server, a ok' }),
  },
  {
    number: 30, fault: 'is in a cooldown longer than the caller waits, and is the only target', modes: both, alone: true, settings: () => ({ breaker: { failures: 1, openForMs: 60_000 } }),
    behaviour: always([{ type: 'error', error: 'server' }]), expect: always({ outcome: 'a answers', attempts: 'a ok (last-resort)' }), play: bestUnavailable,
  },
  {
    number: 30, fault: 'is silent for so long that keep-alives began the answer, and is the only target', modes: streamed, alone: true, behaviour: always({ type: 'silence' }),
    expect: always({ outcome: errorEvent, attempts: 'a timeout' }), includes: ({ caller }) => caller !== 'editor', keepAliveMs: 300, settings: () => ({ timeouts: { firstTokenMs: 2_500 } }),
  },
  {
    number: 31, fault: 'fails again when its breaker lets one request try', modes: both, behaviour: always({ type: 'error', error: 'server' }), settings: () => ({ breaker: { failures: 2, openForMs: 600 }, ...generous }),
    expect: always({ outcome: 'b answers', attempts: 'a server, b ok' }), play: halfOpen,
  },
  {
    number: 31, fault: 'is well again when its breaker lets one request try', modes: both, behaviour: always([{ type: 'error', error: 'server' }]), settings: () => ({ breaker: { failures: 1, openForMs: 200 } }),
    expect: always({ outcome: 'a answers', attempts: 'a ok' }), play: recovers,
  },
  {
    number: 31, fault: 'is well again, and many requests come at once', modes: both, behaviour: always([{ type: 'error', error: 'server' }]), settings: () => ({ breaker: { failures: 1, openForMs: 200 } }),
    expect: always({ outcome: 'a answers', attempts: 'a ok' }), play: ramp,
  },
];
