import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { holdsBlank, holdsEmptyList, occurrences, stringsOfField } from './fieldStrings.ts';
import type { Dialect } from '../codec.ts';
import { plainContent } from './plainContent.ts';
import type { FitTarget } from './rule.ts';

/** What the assistant says where a provider wants it to speak between a result and the user. */
const bridge = 'I have the results.';
/** Fields that answers and client libraries put on messages, and that not every provider takes back. */
const answerFields = ['"refusal"', '"annotations"', '"audio"', '"function_call"', '"reasoning', '"provider_specific_fields"', '"thinking_blocks"', '"phase"'];

/** A message without fields that the provider does not know for its role. */
export function withKnownFields(message: JsonObject, { dialect }: FitTarget, changes: Set<string>): JsonObject {
  const known = dialect.messageFields?.[String(message.role)];
  if (known === undefined) return message;
  const unknown = Object.keys(message).filter(name => message[name] !== undefined && !known.includes(name));
  if (unknown.length === 0) return message;
  const fit = { ...message };
  for (const name of unknown) {
    // What says nothing is no loss.
    if (fit[name] !== null && !(Array.isArray(fit[name]) && fit[name].length === 0)) changes.add(`${name} of messages was left out`);
    delete fit[name];
  }
  changes.add('fields of messages were left out');
  return fit;
}

/** The list with pictures of results in a message of the user behind the results. */
function withTextResults(messages: readonly JsonValue[], { plainContent: plain }: Dialect, changes: Set<string>): JsonValue[] {
  const fit: JsonValue[] = [];
  let moved: JsonValue[] = [];
  const flush = (): void => {
    if (moved.length > 0) fit.push({ role: 'user', content: moved });
    moved = [];
  };
  for (const message of messages) {
    if (!isObject(message) || message.role !== 'tool') flush();
    const pictures = isObject(message) && message.role === 'tool' && Array.isArray(message.content) ? message.content.filter(part => isObject(part) && part.type === 'image_url') : [];
    if (pictures.length === 0 || !isObject(message) || !Array.isArray(message.content)) {
      fit.push(message);
      continue;
    }
    const texts = message.content.filter(part => !pictures.includes(part));
    fit.push({ ...message, content: texts.length === 0 ? 'The result is attached to the next message.' : plain === true ? plainContent(texts) ?? '' : texts });
    moved.push({ type: 'text', text: `Attached to the result of tool call ${String(message.tool_call_id)}:` }, ...pictures);
    changes.add('pictures of results were sent behind them');
  }
  flush();
  return fit;
}

/** The list without empty messages of the assistant, and with its word between results and the user, where the provider wants that. */
export function inOrder(messages: readonly JsonValue[], { dialect }: FitTarget, changes: Set<string>): JsonValue[] {
  const fit: JsonValue[] = [];
  for (const message of dialect.textResultsOnly === true ? withTextResults(messages, dialect, changes) : messages) {
    if (dialect.noEmptyAssistant === true && isEmptyAssistant(message)) {
      changes.add('an empty message of the assistant was left out');
      continue;
    }
    const before = fit.at(-1);
    if (dialect.assistantAfterTools === true && isObject(before) && before.role === 'tool' && isObject(message) && (message.role === 'user' || message.role === 'system' || message.role === 'developer')) {
      fit.push({ role: 'assistant', content: bridge });
      changes.add('a word of the assistant was put between a result and the user');
    }
    fit.push(message);
  }
  return fit;
}

function isEmptyAssistant(message: JsonValue): boolean {
  if (!isObject(message) || message.role !== 'assistant' || (Array.isArray(message.tool_calls) && message.tool_calls.length > 0)) return false;
  const { content } = message;
  return content === undefined || content === null || content === '' || (Array.isArray(content) && content.length === 0);
}

/** Whether messages in a caller's bytes may have a field that the provider does not know, or stand in an order that it refuses. False is certain. */
export function mayBreakMessageRules(bytes: Buffer, { start, end }: { start: number; end: number }, { dialect }: FitTarget): boolean {
  if (dialect.messageFields === undefined && dialect.assistantAfterTools !== true && dialect.noEmptyAssistant !== true) return false;
  const list = bytes.subarray(start, end);
  if (dialect.messageFields !== undefined) {
    if (answerFields.some(name => list.includes(name, 0, 'latin1'))) return true;
    // Each function that is called has a name; one more is that of a message.
    if (occurrences(list, '"name"') > occurrences(list, '"arguments"')) return true;
  }
  if (dialect.noEmptyAssistant === true && (holdsBlank(list, 'content') || holdsEmptyList(list, 'content', { start: 0, end: list.length }) || list.includes('"content":null', 0, 'latin1') || list.includes('"content": null', 0, 'latin1'))) return true;
  return dialect.assistantAfterTools === true && !rolesInOrder(list);
}

/** Whether no message of the user or the system follows the result of a tool. */
function rolesInOrder(list: Buffer): boolean {
  let before = '';
  return stringsOfField(list, 'role', role => {
    const fits = before !== 'tool' || (role !== 'user' && role !== 'system' && role !== 'developer');
    before = role;
    return fits;
  });
}
