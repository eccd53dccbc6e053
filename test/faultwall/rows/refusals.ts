import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxErrorKind } from '../../../server/sandbox/sandboxBehaviour.ts';
import { always, next, callerError, type Cell, type Played, type WallRow } from '../wallRow.ts';
import type { Stage } from '../stage.ts';
import { both, streamed } from './silences.ts';

const answeredByA = always({ outcome: 'a answers', attempts: 'a ok' });
const declined = 'The sandbox was told to decline this request.';

function refused(error: SandboxErrorKind, status?: number): WallRow['behaviour'] {
  return always({ type: 'error', error, ...(status === undefined ? {} : { status }) });
}

/** The list of models is asked for again soon after the provider denied one of them. */
async function listRefreshed(stage: Stage): Promise<Played> {
  const lists = (): number => stage.a.requests.filter(request => request.method === 'GET').length;
  // The first list comes with the first probe.
  for (let tries = 0; lists() === 0 && tries < 300; tries += 1) await sleep(20);
  const before = lists();
  const played = await stage.judge(await stage.ask());
  for (let tries = 0; lists() === before && tries < 1000; tries += 1) await sleep(20);
  if (before === 0) played.violations.push('no list was asked for at first');
  if (lists() === before) played.violations.push('the list of models was not asked for again');
  return played;
}

/** Chat has no place for signed reasoning; whatever the editor's chat or another protocol's caller brings along is dropped on the way. */
function reachesTarget({ caller, target }: Cell): boolean {
  return target !== 'openai-chat' && (caller === 'editor' || caller === target);
}

/** The editor's reader is asked once; callers over HTTP cannot be, and get the refusal. */
async function asked(stage: Stage, saysYes: boolean): Promise<Played> {
  if (stage.editor !== undefined) stage.editor.saysYes = saysYes;
  const played = await stage.judge(await stage.ask());
  const questions = stage.editor?.questions.length ?? 1;
  if (questions !== 1) played.violations.push(`the reader was asked ${questions} times`);
  return played;
}

async function strippedOnce(stage: Stage): Promise<Played> {
  const played = await stage.judge(await stage.ask());
  const sent = stage.a.requests.at(-1)?.bodyText ?? '';
  if (sent.includes('bm90LWZyb20taGVyZQ') || !sent.includes('Sunny.')) played.violations.push(`what was sent at last: ${sent.slice(0, 300)}`);
  return played;
}

async function neverAsked(stage: Stage): Promise<Played> {
  const prompt = 'Read this. '.repeat(3000);
  const turn = await stage.ask({ prompt });
  const played = await stage.judge(turn);
  if (stage.a.requests.length > 0) played.violations.push('the target that is too small was tried');
  return played;
}

/** Answers with a status: rows 18 to 25. */
export const refusals: readonly WallRow[] = [
  ...[500, 502, 503, 504].map((status): WallRow => ({ number: 18, fault: `answers ${status}`, modes: both, behaviour: refused('server', status), expect: next('server'), peer: true })),
  { number: 18, fault: 'answers 500 once and is the only target', modes: both, alone: true, behaviour: always([{ type: 'error', error: 'server' }]), expect: always({ outcome: 'a answers', attempts: 'a server, a ok' }), peer: true },
  { number: 18, fault: 'answers 500 for ever and is the only target', modes: both, alone: true, behaviour: refused('server'), expect: callerError('a server, a server', 'error 503', 'error server'), peer: true },
  { number: 19, fault: 'is overloaded, with two keys', modes: both, keys: 2, behaviour: refused('overloaded'), expect: next('overloaded'), keyStates: ['unused', 'unused'] },
  { number: 19, fault: 'is overloaded and says so with 529', modes: both, behaviour: refused('overloaded', 529), expect: next('overloaded'), peer: true },
  { number: 20, fault: 'says that the request is wrong', modes: both, behaviour: refused('bad-request'), expect: callerError('a bad-request', 'error 400, do not retry', 'error bad-request'), peer: true },
  { number: 20, fault: 'says with 422 that the request is wrong', modes: both, behaviour: refused('bad-request', 422), expect: callerError('a bad-request', 'error 422, do not retry', 'error bad-request'), peer: true },
  { number: 21, fault: 'says that the context is too long; the next target has a larger context window', modes: both, contextWindows: { a: 100_000, b: 200_000 }, behaviour: refused('context-overflow'), expect: next('context-overflow'), peer: true },
  {
    number: 21, fault: 'says that the context is too long; the next target has no larger context window', modes: both, contextWindows: { a: 100_000, b: 100_000 }, behaviour: refused('context-overflow'),
    expect: callerError('a context-overflow', 'error 400, do not retry', 'error context-overflow'),
  },
  { number: 21, fault: 'is known to be too small for the prompt', modes: both, contextWindows: { a: 2_000, b: 200_000 }, behaviour: always({ type: 'answer' }), expect: always({ outcome: 'b answers', attempts: 'b ok' }), play: neverAsked },
  { number: 22, fault: 'refuses the request for content policy', modes: both, behaviour: refused('content-policy'), expect: callerError('a content-policy', 'error 400, do not retry', 'error content-policy'), peer: true },
  ...[true, false].map((saysYes): WallRow => ({
    number: 22, fault: `refuses the request for content policy; the route asks, and the reader says ${saysYes ? 'yes' : 'no'}`, modes: streamed, behaviour: refused('content-policy'),
    route: { onRefusal: 'ask' }, play: stage => asked(stage, saysYes),
    expect: cell => (saysYes && cell.caller === 'editor' ? next('content-policy') : callerError('a content-policy', 'error 400, do not retry', 'error content-policy'))(cell),
  })),
  { number: 22, fault: 'declines in a well-formed answer', modes: both, behaviour: always({ type: 'refusal' }), expect: answeredByA, says: declined, peer: true },
  { number: 23, fault: 'does not know the model', modes: both, behaviour: refused('model-not-found'), expect: next('model-not-found'), peer: true },
  { number: 23, fault: 'does not know the model any more; its list is asked for again', modes: both, behaviour: refused('model-not-found'), expect: next('model-not-found'), settings: () => ({ probe: { enabled: true, intervalMs: 3_600_000 } }), includes: ({ caller, mode, target }) => caller === target && mode === 'stream', play: listRefreshed },
  { number: 23, fault: 'does not know the model and is the only target', modes: both, alone: true, behaviour: refused('model-not-found'), expect: callerError('a model-not-found', 'error 404, do not retry', 'error model-not-found'), peer: true },
  {
    number: 24, fault: 'rejects reasoning that another provider signed', modes: both, alone: true, foreignReasoning: true, behaviour: always({ type: 'reject-foreign-thinking' }),
    expect: cell => ({ outcome: 'a answers', attempts: reachesTarget(cell) ? 'a bad-request, a ok' : 'a ok' }), play: strippedOnce,
  },
  ...[301, 302, 307, 308].map((status): WallRow => ({
    number: 25, fault: `redirects to another host (${status})`, modes: both, keys: 1, behaviour: always({ type: 'redirect', location: '/chat/completions', status }), expect: next('server'), message: /redirected/,
    ...(status === 307 ? { peer: true } : {}),
  })),
];
