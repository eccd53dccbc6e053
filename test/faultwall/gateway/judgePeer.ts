import type { SeenAnswer } from '../callers/seenAnswer.ts';
import type { HttpTurn } from '../httpTurn.ts';
import { isWholeCall } from '../judgeTurn.ts';
import { answerOf } from '../prompts.ts';
import { errorEvent, type Cell, type WallRow } from '../wallRow.ts';

/** What another gateway's caller got, in the words of the page. Nothing but the answer itself is known. */
export function judgePeer(row: WallRow, turn: HttpTurn, prompt: string): string {
  const { seen, status, endedCleanly } = turn;
  if (turn.gaveUp) return seen.text === '' && seen.calls.length === 0 ? 'hangs' : 'hangs in mid-answer';
  if (status === 0) return 'the connection breaks, no answer';
  if (status !== 200) return `error ${status}${seen.error === undefined ? ' no client can read' : ''}`;
  if (seen.error !== undefined) return seen.finished ? 'an error and then a whole end' : turn.text.startsWith('{') ? 'error in a 200' : endedCleanly ? 'error event' : errorEvent;
  if (String(turn.headers['content-type']).includes('html')) return 'the web page, as an answer';
  const calls = seen.calls.filter(call => call.complete);
  if (calls.some(call => !isWholeCall(call))) return 'half a tool call, as if whole';
  if (!seen.finished) return endedCleanly ? 'cut off, and looks whole' : 'the connection breaks without a word';
  return wholeAnswer(row, seen, calls.length, prompt);
}

function wholeAnswer(row: WallRow, seen: SeenAnswer, calls: number, prompt: string): string {
  const { text } = seen;
  if (row.tool === true) return calls === 0 ? 'no tool call, as success' : `${[...seen.openings].join(' ').includes('_b_') ? 'b' : 'a'} answers`;
  if (text === answerOf('b', prompt)) return 'b answers';
  if (text === (row.says ?? answerOf('a', prompt))) return 'a answers';
  return text === '' ? 'an empty answer, as success' : 'words of an answer, as if whole';
}

/** Whether an outcome keeps the row's promise. Which 5xx it is does not matter, nor what is said beside the status. */
export function keepsPromise(row: WallRow, cell: Cell, outcome: string): boolean {
  const promised = row.expect(cell).outcome;
  if (promised === errorEvent) return outcome === errorEvent || outcome === 'error event';
  return statusClass(outcome) === statusClass(promised);
}

function statusClass(outcome: string): string {
  return outcome.replace(/,.*/, '').replace(/^error 5\d\d$/, 'error 5xx');
}
