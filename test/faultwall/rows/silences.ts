import { noSuchHost } from '../prompts.ts';
import { always, broken, next, resumed, type Cell, type Played, type WallRow } from '../wallRow.ts';
import type { Stage } from '../stage.ts';

export const both = ['stream', 'plain'] as const;
export const streamed = ['stream'] as const;
/** A row shortens only the timer that it is about: on a busy machine no other timer may fire. */
const shortHeaders: WallRow['settings'] = () => ({ timeouts: { headersMs: 400 } });
const shortFirstToken: WallRow['settings'] = () => ({ timeouts: { firstTokenMs: 500 } });
export const shortIdle: WallRow['settings'] = () => ({ timeouts: { idleMs: 500 } });
/** Long enough for several keep-alives before the first token is given up. */
const patient = { settings: () => ({ timeouts: { headersMs: 2_500, firstTokenMs: 2_500 } }), keepAliveMs: 300 } satisfies Partial<WallRow>;

/** Streaming callers over HTTP; the editor has its own progress, and plain answers have no room for keep-alives. */
function streamingOverHttp({ caller }: Cell): boolean {
  return caller !== 'editor';
}

async function withKeepAlives(stage: Stage): Promise<Played> {
  const turn = await stage.ask();
  const played = await stage.judge(turn);
  if (turn.keepAlives === 0) played.violations.push('nothing kept the connection alive meanwhile');
  return played;
}

/** Connecting and waiting: rows 1 to 9. */
export const silences: readonly WallRow[] = [
  { number: 1, fault: 'refuses the connection', modes: both, refuses: true, behaviour: always({ type: 'refuse' }), expect: next('network'), message: /refused/, peer: true },
  {
    number: 2, fault: 'has no DNS name', modes: both, behaviour: always({ type: 'refuse' }), expect: next('network'),
    settings: () => ({ baseUrl: `https://${noSuchHost}/v1` }), message: /host name was not found/, peer: true,
  },
  { number: 2, fault: 'shows a self-signed certificate', modes: both, behaviour: always({ type: 'answer' }), expect: next('network'), tls: 'self-signed', message: /certificate/, notice: 'certificate', peer: true },
  { number: 2, fault: 'shows a certificate that has expired', modes: both, behaviour: always({ type: 'answer' }), expect: next('network'), tls: 'expired', message: /certificate/, notice: 'certificate' },
  { number: 2, fault: 'speaks plain HTTP where TLS is expected', modes: both, behaviour: always({ type: 'answer' }), expect: next('network'), settings: url => ({ baseUrl: url.replace('http:', 'https:') }) },
  {
    number: 3, fault: 'accepts the connection and never speaks TLS', modes: both, behaviour: always({ type: 'black-hole' }), expect: next('timeout'),
    settings: url => ({ baseUrl: url.replace('http:', 'https:'), timeouts: { connectMs: 400 } }), message: /accept a connection/, peer: true,
  },
  { number: 3, fault: 'accepts the connection and never reads', modes: both, behaviour: always({ type: 'black-hole' }), expect: next('timeout'), settings: shortHeaders, message: /sent nothing back/ },
  { number: 4, fault: 'takes the request and sends no headers', modes: both, behaviour: always({ type: 'no-answer' }), expect: next('timeout'), settings: shortHeaders, message: /sent nothing back/, peer: true },
  { number: 5, fault: 'sends 200 and then nothing', modes: both, behaviour: always({ type: 'silence' }), expect: next('timeout'), settings: shortFirstToken, message: /nothing to read/, peer: true },
  {
    number: 5, fault: 'sends 200 and then nothing, for longer than a connection may be silent', modes: streamed, behaviour: always({ type: 'silence' }), expect: next('timeout'),
    ...patient, includes: streamingOverHttp, play: withKeepAlives,
  },
  {
    number: 6, fault: 'sends only comments or pings', modes: both, behaviour: always({ type: 'keep-alives', everyMs: 40 }), expect: next('timeout'),
    // A plain answer that begins with blank lines is awaited as long as its headers may take.
    settings: () => ({ timeouts: { headersMs: 1_500, firstTokenMs: 500 } }), message: /nothing to read/, peer: true,
  },
  { number: 6, fault: 'sends only lifecycle events and pings', modes: streamed, behaviour: always({ type: 'keep-alives', everyMs: 40, lifecycle: true }), expect: next('timeout'), settings: shortFirstToken, peer: true },
  {
    number: 6, fault: 'sends only lifecycle events and pings, for longer than a connection may be silent', modes: streamed, behaviour: always({ type: 'keep-alives', everyMs: 400, lifecycle: true }),
    expect: next('timeout'), ...patient, includes: streamingOverHttp, play: withKeepAlives,
  },
  ...(['server', 'overloaded', 'rate-limit', 'quota', 'auth'] as const).map((error): WallRow => ({
    number: 7, fault: `sends lifecycle events, then an error event (${error})`, modes: streamed, behaviour: always({ type: 'error-in-stream', error }), expect: next(error), peer: true,
  })),
  {
    number: 8, fault: 'crawls before its first word', modes: streamed, behaviour: always({ type: 'crawl', bytes: 2, everyMs: 50 }), expect: next('timeout'), settings: shortFirstToken,
  },
  {
    number: 8, fault: 'crawls in mid-stream, far under the throughput the route demands', modes: streamed, behaviour: always({ type: 'answer', betweenWordsMs: 200 }), expect: broken('timeout'),
    settings: shortIdle, route: { timeouts: { minTokensPerSecond: 50 } },
  },
  {
    number: 8, fault: 'crawls in the middle of its answer, far under the throughput the route demands', modes: ['plain'], behaviour: always({ type: 'crawl', bytes: 4, everyMs: 40 }), expect: next('timeout'),
    route: { timeouts: { minTokensPerSecond: 500, idleMs: 400 } },
  },
  {
    number: 8, fault: 'writes as slowly, where no route demands more', modes: streamed, behaviour: always({ type: 'answer', betweenWordsMs: 100 }), expect: always({ outcome: 'a answers', attempts: 'a ok' }), settings: shortIdle,
  },
  { number: 9, fault: 'stalls in mid-stream', modes: both, behaviour: always({ type: 'stall', after: 3 }), expect: broken('timeout'), settings: shortIdle, message: /stalled|nothing to read/, peer: true },
  { number: 9, fault: 'stalls after its last word', modes: streamed, behaviour: always({ type: 'stall', after: 'content' }), expect: broken('timeout'), settings: shortIdle, peer: true },
  {
    number: 9, fault: 'stalls in mid-stream; the route resumes', modes: streamed, behaviour: always({ type: 'stall', after: 3 }), expect: resumed('timeout'), settings: shortIdle, route: { afterCommit: 'resume' },
  },
];
