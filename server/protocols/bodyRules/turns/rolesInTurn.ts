import { isObject, type JsonObject, type JsonValue } from '../../../base/json.ts';
import { stringsOfField } from '../fieldStrings.ts';
import { modelRules } from '../modelRules.ts';
import { goOn } from '../promptWords.ts';
import type { FitTarget } from '../rule.ts';

/** Which order the chat template of the target's model wants; undefined: any. */
export function wantedRoles(target: FitTarget): 'in-turn' | 'instructions-first' | undefined {
  return modelRules(target).find(({ roles }) => roles !== undefined)?.roles;
}

/** Whether roles in a list of messages may stand in another order than the template wants. False is certain. @param list its JSON bytes */
export function mayBreakTurns(list: Buffer, wanted: 'in-turn' | 'instructions-first' | undefined): boolean {
  if (wanted === undefined) return false;
  let before = '';
  return !stringsOfField(list, 'role', role => {
    const first = before === '';
    const fits = role === 'system' ? first : wanted === 'instructions-first' || (role === 'user' ? before !== 'user' : role === 'assistant' && before === 'user');
    before = role;
    return fits;
  });
}

/** What the assistant says where its template wants it to speak between a result and the user. */
const bridge = 'I have the results.';

/** The messages in the order that the template wants: one instruction first, then user and assistant in turn; calls and results do not count. */
export function inTurn(messages: readonly JsonValue[], wanted: 'in-turn' | 'instructions-first' | undefined, changes: Set<string>): JsonValue[] {
  if (wanted === undefined || !messages.every(isObject)) return [...messages];
  const ordered = instructionsFirst(messages, changes);
  return wanted === 'in-turn' ? alternating(ordered, changes) : ordered;
}

function isInstruction({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer';
}

function instructionsFirst(messages: readonly JsonObject[], changes: Set<string>): JsonObject[] {
  const fit: JsonObject[] = [];
  for (const message of messages) {
    const before = fit.at(-1);
    if (!isInstruction(message) || before === undefined) fit.push(message);
    else if (fit.length === 1 && isInstruction(before)) {
      fit[0] = { ...before, content: joined(before.content, message.content) };
      changes.add('instructions were joined');
    } else {
      fit.push({ role: 'user', content: typeof message.content === 'string' ? `<system>\n${message.content}\n</system>` : message.content ?? '' });
      changes.add('a later instruction was sent as a text of the user');
    }
  }
  return fit;
}

function callsTools({ tool_calls: calls }: JsonObject): boolean {
  return Array.isArray(calls) && calls.length > 0;
}

function alternating(messages: readonly JsonObject[], changes: Set<string>): JsonObject[] {
  const fit: JsonObject[] = [];
  /** Who spoke last, calls and results aside. */
  let spoke: JsonValue | undefined = 'assistant';
  for (const message of messages) {
    const { role } = message;
    if ((role !== 'user' && role !== 'assistant') || callsTools(message)) {
      fit.push(message);
      continue;
    }
    const before = fit.at(-1);
    if (role === spoke && before?.role === role && !callsTools(before)) {
      fit[fit.length - 1] = { ...before, content: joined(before.content, message.content) };
      changes.add(`messages of the ${role} that followed each other were joined`);
      continue;
    }
    if (role === spoke && role === 'user') {
      fit.push({ role: 'assistant', content: bridge });
      changes.add('a word of the assistant was put between a result and the user');
    } else if (role === spoke) {
      fit.push({ role: 'user', content: goOn });
      changes.add('a request to go on was added');
    }
    fit.push(message);
    spoke = role;
  }
  return fit;
}

function joined(one: JsonValue | undefined, other: JsonValue | undefined): JsonValue {
  if (typeof one === 'string' && typeof other === 'string') return [one, other].filter(text => text !== '').join('\n\n');
  return [...parts(one), ...parts(other)];
}

function parts(content: JsonValue | undefined): JsonValue[] {
  return Array.isArray(content) ? content : typeof content === 'string' && content !== '' ? [{ type: 'text', text: content }] : [];
}
