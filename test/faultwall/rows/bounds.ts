import { always, broken, errorEvent, next, type Cell, type Outcome, type WallRow } from '../wallRow.ts';
import { both, shortIdle, streamed } from './silences.ts';

const answeredByA = always({ outcome: 'a answers', attempts: 'a ok' });
const eventBytes = 17 << 20;

function halfCall(how: 'close' | 'end'): WallRow['behaviour'] {
  return always({ type: 'cut', after: 'tool-arguments', how });
}

/** Gemini sends calls whole: it cannot break inside one. */
function inPieces({ target }: Cell): boolean {
  return target !== 'gemini';
}

/** Half a call is out only where the caller's protocol shows calls piece by piece; the editor, and Gemini, get whole ones, so there nothing was seen yet. */
function halfSent(failureClass: string): WallRow['expect'] {
  return cell => (cell.caller === 'editor' || cell.caller === 'gemini' ? next(failureClass) : broken(failureClass))(cell);
}

/** A call that was handed over may have been run: nothing begins anew or goes on then. In Chat no call is whole before the end of the answer. */
function handedOver(cell: Cell): Outcome {
  if (cell.target === 'openai-chat') return next('server')(cell);
  return { outcome: cell.caller === 'editor' ? 'error server' : errorEvent, attempts: 'a server' };
}

/** Bounds, halves and figures: rows 26, 27 and 32. */
export const bounds: readonly WallRow[] = [
  { number: 26, fault: 'sends headers larger than the bound', modes: both, behaviour: always({ type: 'oversize', what: 'header', bytes: 80_000 }), expect: next('server'), peer: true },
  { number: 26, fault: 'begins with an event larger than the bound', modes: streamed, behaviour: always({ type: 'oversize', what: 'event', bytes: eventBytes }), expect: next('server') },
  { number: 26, fault: 'sends an event larger than the bound in mid-stream', modes: streamed, behaviour: always({ type: 'oversize', what: 'event', bytes: eventBytes, after: 3 }), expect: broken('server') },
  { number: 27, fault: 'breaks while a tool call is half sent', modes: both, tool: true, includes: inPieces, behaviour: halfCall('close'), expect: halfSent('server'), peer: true },
  { number: 27, fault: 'ends cleanly while a tool call is half sent', modes: both, tool: true, includes: inPieces, behaviour: halfCall('end'), expect: halfSent('server'), peer: true },
  {
    number: 27, fault: 'stalls while a tool call is half sent', modes: streamed, tool: true, includes: inPieces, behaviour: always({ type: 'stall', after: 'tool-arguments' }), expect: halfSent('timeout'),
    settings: shortIdle, peer: true,
  },
  { number: 27, fault: 'breaks while a tool call is half sent; the route resumes', modes: streamed, tool: true, includes: inPieces, behaviour: halfCall('close'), expect: next('server'), route: { afterCommit: 'resume' } },
  {
    number: 27, fault: 'breaks after a tool call was handed over; the route resumes', modes: streamed, tool: true, behaviour: always({ type: 'cut', after: 'content', how: 'close' }), expect: handedOver,
    route: { afterCommit: 'resume' },
  },
  { number: 32, fault: 'sends no usage', modes: both, behaviour: always({ type: 'answer', usage: 'missing' }), expect: answeredByA, certainty: 'estimated', peer: true },
  { number: 32, fault: 'sends usage that does not add up', modes: both, behaviour: always({ type: 'answer', usage: 'inconsistent' }), expect: answeredByA, certainty: 'estimated', peer: true },
];

