import { always, broken, next, resumed, callerError, type WallRow, type Played } from '../wallRow.ts';
import type { Stage } from '../stage.ts';
import { both, streamed } from './silences.ts';

const cut = (how: 'reset' | 'close' | 'end', after: 'headers' | 'prelude' | 'content' | number = 3): WallRow['behaviour'] => always({ type: 'cut', after, how });

async function loggedOnce(stage: Stage): Promise<Played> {
  const played = await stage.judge(await stage.ask());
  const lines = stage.testRouter.log.lines.filter(line => /could not be read|unreadable/.test(line.text));
  if (lines.length !== 1) played.violations.push(`the log mentions it ${lines.length} times`);
  return played;
}

/** Broken and strange answers: rows 10 to 14. */
export const brokenAnswers: readonly WallRow[] = [
  { number: 10, fault: 'resets the connection in mid-stream', modes: both, behaviour: cut('reset'), expect: broken('server'), peer: true },
  { number: 10, fault: 'closes the connection in mid-stream', modes: both, behaviour: cut('close'), expect: broken('server'), peer: true },
  { number: 10, fault: 'ends the stream cleanly, without the terminal event', modes: both, behaviour: cut('end'), expect: broken('server'), peer: true },
  { number: 10, fault: 'ends the stream cleanly after its last word, without the terminal event', modes: streamed, behaviour: cut('end', 'content'), expect: broken('server'), peer: true },
  { number: 10, fault: 'ends the stream after its lifecycle events', modes: streamed, behaviour: cut('end', 'prelude'), expect: next('server'), peer: true },
  { number: 10, fault: 'closes after the headers', modes: both, behaviour: cut('close', 'headers'), expect: next('server'), peer: true },
  { number: 10, fault: 'sends an error event in mid-stream', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'overloaded', after: 3 }), expect: broken('overloaded'), peer: true },
  ...(['reset', 'close', 'end'] as const).map((how): WallRow => ({
    number: 10, fault: `breaks in mid-stream (${how}); the route resumes`, modes: streamed, behaviour: cut(how), expect: resumed('server'), route: { afterCommit: 'resume' },
  })),
  {
    number: 10, fault: 'sends an error event in mid-stream; the route resumes', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'overloaded', after: 3 }),
    expect: resumed('overloaded'), route: { afterCommit: 'resume' },
  },
  { number: 11, fault: 'answers 200 with no text and no tool call', modes: both, behaviour: always({ type: 'empty' }), expect: next('server'), peer: true },
  { number: 11, fault: 'answers 200 with no bytes at all', modes: both, behaviour: cut('end', 'headers'), expect: next('server'), peer: true },
  ...(['server', 'rate-limit', 'overloaded', 'quota', 'auth'] as const).map((error): WallRow => ({
    number: 12, fault: `answers 200 with an error object (${error})`, modes: both, behaviour: always({ type: 'error-in-200', error }), expect: next(error), peer: true,
  })),
  {
    number: 12, fault: 'answers 200 with an error object (wrong request)', modes: both, behaviour: always({ type: 'error-in-200', error: 'bad-request' }),
    expect: callerError('a bad-request', 'error 400, do not retry', 'error bad-request'), peer: true,
  },
  {
    number: 13, fault: 'sends one unreadable line in a good stream', modes: streamed, behaviour: always({ type: 'malformed-line' }),
    expect: always({ outcome: 'a answers', attempts: 'a ok' }), play: loggedOnce, peer: true,
  },
  { number: 14, fault: 'answers with a web page', modes: both, behaviour: always({ type: 'html' }), expect: next('server'), message: /web page/, peer: true },
  { number: 14, fault: 'answers with a web page and status 403', modes: both, behaviour: always({ type: 'html', status: 403 }), expect: next('server'), message: /web page/, peer: true },
  { number: 14, fault: 'answers with a web page and status 503', modes: both, behaviour: always({ type: 'html', status: 503 }), expect: next('server'), peer: true },
  { number: 14, fault: 'answers with plain text', modes: both, behaviour: always({ type: 'content-type', contentType: 'text/plain' }), expect: next('server'), peer: true },
];
