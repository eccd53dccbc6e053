import { asNumber, asString } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { among, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/* What rules of several providers of OpenAI's Chat read of a request. */

/** The calls of a message. */
export function callsOf(message: JsonObject): JsonObject[] {
  return objectsOf(message['tool_calls']);
}

/** A number outside its bounds, both of which are taken. @param words the refusal, from the value */
export function range(body: JsonObject, field: string, least: number, most: number, words: (value: number) => string): StrictRefusal | undefined {
  const value = asNumber(body[field]);
  return value === undefined || (value >= least && value <= most) ? undefined : { message: words(value), param: field };
}

/** The first message with a role that is none of these. */
export function strangeRole(body: JsonObject, known: readonly string[]): { role: string; index: number } | undefined {
  const index = objectsOf(body['messages']).findIndex((message) => !known.includes(asString(message['role']) ?? ''));
  return index === -1 ? undefined : { role: asString(objectsOf(body['messages'])[index]?.['role']) ?? '', index };
}

/** Top-level fields that have a value and are none of these. */
export function unknownFields(body: JsonObject, known: ReadonlySet<string>): string[] {
  return Object.keys(body).filter((name) => !known.has(name));
}

/** The place of a result that answers no call of the message before it, and the id that it names. */
export function orphanOf(body: JsonObject): { id: string; index: number } | undefined {
  let open: unknown[] = [];
  for (const [index, message] of objectsOf(body['messages']).entries()) {
    if (message['role'] !== 'tool') open = callsOf(message).map((call) => call['id']);
    else if (!open.includes(message['tool_call_id'])) return { id: asString(message['tool_call_id']) ?? '', index };
  }
  return undefined;
}

/** The place behind calls of which one is not answered before another turn, and the id of that one. */
export function unansweredOf(body: JsonObject): { id: string; index: number } | undefined {
  let open: unknown[] = [];
  const list = objectsOf(body['messages']);
  for (const [index, message] of list.entries()) {
    if (message['role'] === 'tool') open = open.filter((id) => id !== message['tool_call_id']);
    else if (open.length > 0) return { id: String(open[0]), index };
    else open = callsOf(message).map((call) => call['id']);
  }
  return open.length > 0 ? { id: String(open[0]), index: list.length } : undefined;
}

/** Every result answers a call of the message before it. */
export const orphanResult: StrictCheck = ({ body }) => (orphanOf(body) === undefined ? undefined : { message: "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'" });

/** A name of a tool, in a definition or in a call of the history, that has another shape. @param words the refusal, from the place of the name */
export function namesMatch(body: JsonObject, shape: RegExp, words: (path: string) => string): StrictRefusal | undefined {
  return among(objectsOf(body['tools']), (tool, index) => (shape.test(asString(objectOf(tool['function'])['name']) ?? '') ? undefined : { message: words(`tools[${index}].function.name`) }))
    ?? among(objectsOf(body['messages']), (message, index) => among(callsOf(message), (call, position) => (shape.test(asString(objectOf(call['function'])['name']) ?? '') ? undefined : { message: words(`messages[${index}].tool_calls[${position}].function.name`) })));
}

/** Which kind of choice of a tool a Chat request makes. */
export function choiceOf(body: JsonObject): 'none given' | 'auto' | 'none' | 'required' | 'function' | 'other' {
  const choice = body['tool_choice'];
  if (choice === undefined || choice === null) return 'none given';
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  return typeof choice === 'object' ? 'function' : 'other';
}
