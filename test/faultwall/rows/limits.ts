import { always, next, callerError, type WallRow, type Played } from '../wallRow.ts';
import type { Stage } from '../stage.ts';
import { both } from './silences.ts';
import type { SandboxErrorKind, SandboxRetryAfter } from '../../../server/sandbox/sandboxBehaviour.ts';

const again = (failureClass: string): WallRow['expect'] => always({ outcome: 'a answers', attempts: `a ${failureClass}, a ok` });
const limited = (form: SandboxRetryAfter['form'], ms: number): { type: 'error'; error: SandboxErrorKind; retryAfter: SandboxRetryAfter } => ({ type: 'error', error: 'rate-limit', retryAfter: { form, ms } });

/** As OpenAI, Anthropic and many others write it. Google sends no such headers. */
const nothingLeft = {
  'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60s',
};

/** Two requests at once get a wait of a minute and of a second: the minute counts, whichever came last. */
async function longestDeadline(stage: Stage): Promise<Played> {
  const [first, second] = await Promise.all([stage.ask(), stage.ask()]);
  const state = await stage.stateOfA();
  const cooldownMs = (state.keys[0]?.until ?? 0) - Date.now();
  const played = await stage.judge(first);
  const other = await stage.judge(second);
  played.violations.push(...other.violations);
  if (other.outcome !== played.outcome || other.attempts !== played.attempts) played.violations.push(`the other request: ${other.outcome} (${other.attempts})`);
  if (cooldownMs < 30_000) played.violations.push(`the cooldown of the key lasts ${Math.round(cooldownMs / 1000)} s`);
  return played;
}

/** Asks once, which starts a cooldown of the key; the longest of all deadlines sets its length. */
async function cooldownAtLeast(stage: Stage, ms: number): Promise<Played> {
  const played = await stage.judge(await stage.ask());
  const cooldownMs = ((await stage.stateOfA()).keys[0]?.until ?? 0) - Date.now();
  if (cooldownMs < ms) played.violations.push(`the cooldown of the key lasts ${Math.round(cooldownMs / 1000)} s`);
  return played;
}

/** A second request must not be sent where it would only be refused. */
async function notAskedAgain(stage: Stage): Promise<Played> {
  const played = await stage.judge(await stage.ask());
  const second = await stage.judge(await stage.ask());
  if (second.attempts !== 'b ok') played.violations.push(`the next request went: ${second.attempts}`);
  played.violations.push(...second.violations);
  return played;
}

/** Limits, money and keys: rows 15 to 17. */
export const limits: readonly WallRow[] = [
  { number: 15, fault: 'limits the rate of one key of two', modes: both, keys: 2, behaviour: always([limited('seconds', 30_000)]), expect: again('rate-limit'), keyStates: ['cooling', 'ok'] },
  ...(['seconds', 'fraction', 'date', 'milliseconds', 'body'] as const).map((form): WallRow => ({
    number: 15, fault: `limits the rate of its only key for 30 s (${form})`, modes: both, keys: 1, behaviour: always(limited(form, 30_000)), expect: next('rate-limit'), keyStates: ['cooling'],
    play: stage => cooldownAtLeast(stage, 20_000), peer: true,
  })),
  {
    number: 15, fault: 'limits the rate for 1 s in a header and for 30 s in the body', modes: both, keys: 1, behaviour: always({ ...limited('body', 30_000), headers: { 'retry-after': '1' } }),
    expect: next('rate-limit'), keyStates: ['cooling'], play: stage => cooldownAtLeast(stage, 20_000),
  },
  {
    number: 15, fault: 'limits two requests at once, for 60 s and then for 1 s', modes: both, keys: 1, latencyMs: 150, behaviour: always([limited('seconds', 60_000), limited('seconds', 1_000)]),
    expect: next('rate-limit'), keyStates: ['cooling'], play: longestDeadline,
  },
  { number: 15, fault: 'limits the rate; another request follows', modes: both, keys: 1, behaviour: always(limited('seconds', 30_000)), expect: next('rate-limit'), keyStates: ['cooling'], play: notAskedAgain },
  {
    number: 15, fault: 'answers, and says in its headers that nothing is left for a minute; another request follows', modes: both, keys: 1, includes: ({ target }) => target !== 'gemini',
    behaviour: always({ type: 'answer', headers: nothingLeft }), expect: always({ outcome: 'a answers', attempts: 'a ok' }), play: notAskedAgain,
  },
  ...(['fraction', 'milliseconds', 'body'] as const).map((form): WallRow => ({
    number: 15, fault: `limits the rate for 300 ms (${form}) and is the only target`, modes: both, alone: true, keys: 1, behaviour: always([limited(form, 300)]),
    expect: again('rate-limit'), keyStates: ['ok'], peer: true,
  })),
  {
    number: 15, fault: 'limits the rate for an hour and is the only target', modes: both, alone: true, keys: 1, behaviour: always(limited('seconds', 3_600_000)),
    expect: callerError('a rate-limit', 'error 429, come back in 3600 s', 'error rate-limit'), keyStates: ['cooling'], peer: true,
  },
  ...[402, 403, 429].map((status): WallRow => ({
    number: 16, fault: `says with ${status} that there is no money`, modes: both, keys: 1, behaviour: always({ type: 'error', error: 'quota', status }), expect: next('quota'), keyStates: ['no-money'],
    notice: 'no-money', play: notAskedAgain, peer: true,
  })),
  { number: 16, fault: 'says in its own way that one key of two has no money', modes: both, keys: 2, behaviour: always([{ type: 'error', error: 'quota' }]), expect: again('quota'), keyStates: ['no-money', 'ok'] },
  {
    number: 16, fault: 'has no money left and is the only target', modes: both, alone: true, keys: 1, behaviour: always({ type: 'error', error: 'quota' }),
    expect: callerError('a quota', 'error 429, do not retry', 'error quota', { 'anthropic-messages': 'error 402, do not retry', 'gemini': 'error 402, do not retry' }), keyStates: ['no-money'], peer: true,
  },
  ...[401, 403, 400].map((status): WallRow => ({
    number: 17, fault: `rejects the key with ${status}`, modes: both, keys: 1,
    behaviour: always({ type: 'error', error: 'auth', status, ...(status === 400 ? { message: 'API key not valid. Please pass a valid API key.' } : {}) }),
    expect: next('auth'), keyStates: ['rejected'], notice: 'key-rejected', play: notAskedAgain, peer: true,
  })),
  { number: 17, fault: 'rejects one key of two', modes: both, keys: 2, behaviour: always([{ type: 'error', error: 'auth' }]), expect: again('auth'), keyStates: ['rejected', 'ok'] },
  {
    number: 17, fault: 'rejects the only key there is', modes: both, alone: true, keys: 1, behaviour: always({ type: 'error', error: 'auth' }),
    expect: callerError('a auth', 'error 502, do not retry', 'error auth', { gemini: 'error 400, do not retry' }), keyStates: ['rejected'], message: /replace the key/, peer: true,
  },
];
