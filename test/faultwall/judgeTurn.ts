import type { ChatEvent } from '../../server/api/messages.ts';
import type { SeenCall } from './callers/seenAnswer.ts';
import type { EditorTurn } from './editorTurn.ts';
import type { HttpTurn } from './httpTurn.ts';
import { answerOf } from './prompts.ts';
import { errorEvent, type Cell, type WallRow } from './wallRow.ts';

/** What a caller got, in the words of the page. */
export interface Turn {
  outcome: string;
  exchangeId: string;
  text: string;
  /** The message of the error that the caller received, when there was one. */
  error: string | undefined;
  /** HTTP status; absent in the editor. */
  status: number | undefined;
  /** Seconds the caller is asked to wait; absent when it was not. */
  retryAfterSeconds: number | undefined;
  keepAlives: number;
  elapsedMs: number;
  violations: string[];
}

/** Internal names that must not reach a user. */
const internals = /\bE[A-Z]{5,}\b|UND_ERR|HPE_|undefined|\[object|NaN/;

/** Judges an HTTP answer by itself: is it a whole answer, an honest error, or something that looks like what it is not? */
export function judgeHttp(row: WallRow, cell: Cell, turn: HttpTurn, prompt: string): Turn {
  const { seen, status, endedCleanly } = turn;
  const violations = seen.problems.filter(problem => problem !== 'half an event' || endedCleanly);
  if (turn.gaveUp) violations.push('the caller stopped waiting');
  if (seen.error === undefined && !seen.finished) violations.push(`a silent truncation: ${turn.text.slice(-200)}`);
  if (seen.error !== undefined && seen.finished) violations.push('an error and an end');
  if (status === 200 && seen.error !== undefined && endedCleanly) violations.push('a broken stream ended cleanly');
  if (status === 200 && seen.error === undefined && !endedCleanly) violations.push('a whole answer whose connection broke');
  if (status === 200 && seen.error !== undefined && row.tool !== true && row.keepAliveMs === undefined && seen.text === '') violations.push('an error event before any text');
  if (status !== 200 && !endedCleanly) violations.push('an error answer broke off');
  if (status !== 200 && seen.error === undefined) violations.push(`an error that no client can read: ${turn.text.slice(0, 200)}`);
  if (cell.mode === 'stream' && status === 200 && seen.openings.size > 1) violations.push('the opening of a failed attempt reached the caller');
  const calls = seen.calls.filter(call => call.complete);
  violations.push(...callViolations(row, calls, seen.error === undefined));
  violations.push(...errorViolations(row, seen.error?.message));
  const retryAfter = turn.headers['retry-after'];
  const received = {
    exchangeId: String(turn.headers['x-waybill-exchange']), text: seen.text, error: seen.error?.message, status, keepAlives: seen.keepAlives, elapsedMs: turn.elapsedMs,
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter), violations,
  };
  if (status !== 200) {
    const wait = row.number === 15 && retryAfter !== undefined ? `, come back in ${retryAfter} s` : '';
    return { ...received, outcome: `error ${status}${wait}${turn.headers['x-should-retry'] === 'false' ? ', do not retry' : ''}` };
  }
  if (seen.error !== undefined) {
    if (!answerOf('a', prompt).startsWith(seen.text)) violations.push(`what came before the error is not the beginning of an answer: ${seen.text}`);
    return { ...received, outcome: errorEvent };
  }
  const target = turn.headers['x-waybill-target']?.toString().split('/')[0];
  return { ...received, outcome: answered(row, { target, text: seen.text, calls: calls.length, prompt }, violations) };
}

/** Judges a turn of the editor's chat: the answer counts from where it last began. */
export function judgeEditor(row: WallRow, { events, result, elapsedMs }: EditorTurn, prompt: string): Turn {
  const violations: string[] = [];
  const restartAt = events.findLastIndex(event => event.type === 'restart');
  const counted = events.slice(restartAt + 1);
  const calls = wholeCalls(counted);
  const text = counted.map(event => (event.type === 'text' || event.type === 'refusal' ? event.text : '')).join('');
  violations.push(...callViolations(row, calls, result.outcome === 'ok'), ...errorViolations(row, result.error?.message));
  if (restartAt > 0 && events.slice(0, restartAt).some(event => event.type === 'tool-call-end')) violations.push('a call was handed over and then the answer began again');
  if (counted.filter(event => event.type === 'start').length > 1) violations.push('the opening of a failed attempt reached the editor');
  if (events.some(event => event.type === 'error')) violations.push('an error event reached the editor');
  if (result.outcome === 'ok' && counted.filter(event => event.type === 'finish').length !== 1) violations.push('an answer without one end');
  const target = result.target?.split('/')[0];
  const outcome = result.outcome === 'ok'
    ? `${restartAt >= 0 ? 'starts again in sight, ' : ''}${answered(row, { target, text, calls: calls.length, prompt }, violations)}`
    : `error ${result.error?.failureClass ?? result.outcome}`;
  return {
    outcome, exchangeId: result.exchangeId, text, error: result.error?.message, status: undefined, retryAfterSeconds: undefined,
    keepAlives: 0, elapsedMs, violations,
  };
}

/**
 * The target that answered, from the text and from the server's header where it is present (not when keep-alives began the
 * answer). The text must be the whole answer of that target or, where the route resumes, the beginning of one and the words of the other.
 */
function answered(row: WallRow, { target, text, calls, prompt }: { target: string | undefined; text: string; calls: number; prompt: string }, violations: string[]): string {
  const resumes = row.route?.afterCommit === 'resume';
  if (calls > 0) return resumes && target === 'a' ? 'begun by a, b goes on' : `${target ?? 'an unnamed target'} answers`;
  const who = /^Waybill sandbox (\w+) answers/.exec(text)?.[1] ?? target ?? 'none';
  if (target !== undefined && target !== who) violations.push(`the answer of ${who} is said to be that of ${target}`);
  const whole = who === 'a' ? row.says ?? answerOf('a', prompt) : answerOf(who, prompt);
  if (text === whole) return `${who} answers`;
  const at = text.indexOf('Waybill sandbox b answers');
  if (resumes && at > 0 && answerOf('a', prompt).startsWith(text.slice(0, at)) && text.endsWith('".')) return 'begun by a, b goes on';
  violations.push(`not the answer of ${who} alone and whole: ${text}`);
  return `${who} answers`;
}

function wholeCalls(events: readonly ChatEvent[]): SeenCall[] {
  return events.flatMap(event => (event.type !== 'tool-call-end' ? [] : [{
    name: '', complete: true,
    arguments: events.map(other => (other.type === 'tool-call-arguments' && other.index === event.index ? other.text : '')).join(''),
  }]));
}

function callViolations(row: WallRow, calls: readonly SeenCall[], answeredWell: boolean): string[] {
  const violations = calls.filter(call => !isWholeCall(call)).map(call => `a half tool call was handed over: ${call.arguments}`);
  if (answeredWell && row.tool === true && calls.length !== 1) violations.push(`${calls.length} tool calls`);
  return violations;
}

/** The arguments are JSON to their end. */
export function isWholeCall(call: SeenCall): boolean {
  try {
    return 'day' in (JSON.parse(call.arguments) as object);
  } catch {
    return false;
  }
}

function errorViolations(row: WallRow, message: string | undefined): string[] {
  if (message === undefined) return [];
  const violations: string[] = [];
  if (message === '') violations.push('an error without a message');
  if (row.message !== undefined && !row.message.test(message)) violations.push(`the error says: ${message}`);
  if (internals.test(message)) violations.push(`the error speaks of internals: ${message}`);
  return violations;
}
