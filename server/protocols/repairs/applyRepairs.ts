import { asString, isObject, mapChanged, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { FieldEdit, ObjectScan } from '../../base/objectScan.ts';
import { referenceText } from '../anthropicMessages/deferredTools.ts';
import { addInstruction } from '../bodyRules/instruction.ts';
import { jsonWords, schemaWords } from '../bodyRules/promptWords.ts';
import { lowerOutputLimit, outputLimitNames } from './outputLimit.ts';
import { repairWords, withoutBelow, withoutKeyword, type Repair } from './repair.ts';

/** Changes a whole body in place. @param changes takes what was changed, in words for the receipt */
export function repairBody(body: JsonObject, repairs: readonly Repair[], changes: string[]): void {
  for (const repair of repairs) if (applied(body, repair)) changes.push(repairWords(repair));
}

/** @returns false where the body has nothing of it */
export function applied(body: JsonObject, repair: Repair): boolean {
  switch (repair.kind) {
    case 'drop': {
      const { name, value } = repair;
      if (body[name] === undefined || (value !== undefined && JSON.stringify(body[name]) !== value)) return false;
      delete body[name];
      return true;
    }
    case 'rename': {
      const { name, to } = repair;
      if (body[name] === undefined) return false;
      body[to] ??= body[name];
      delete body[name];
      return true;
    }
    case 'output-limit': return lowerOutputLimit(body, repair.most);
    case 'drop-below': return replaced(body, repair.top, value => withoutBelow(value, repair.name, repair.value));
    case 'drop-keyword': return replaced(body, repair.top, value => withoutKeyword(value, repair.name));
    case 'developer-role': {
      const messages = replaced(body, 'messages', withoutDeveloper);
      return replaced(body, 'input', withoutDeveloper) || messages;
    }
    case 'tool-references': {
      const messages = replaced(body, 'messages', withoutReferences);
      return replaced(body, 'tools', tools => withoutBelow(tools, 'defer_loading')) || messages;
    }
    case 'json-words': return inWords(body, repair.keepsMode);
    case 'beta':
    case 'header': return false;
  }
}

function replaced(body: JsonObject, top: string, change: (value: JsonValue) => JsonValue): boolean {
  const before = body[top];
  if (before === undefined) return false;
  const after = change(before);
  if (after === before) return false;
  if (isObject(after) && Object.keys(after).length === 0) delete body[top];
  else body[top] = after;
  return true;
}

function withoutDeveloper(messages: JsonValue): JsonValue {
  if (!Array.isArray(messages) || !messages.some(isDeveloper)) return messages;
  return messages.map(message => (isDeveloper(message) ? { ...message, role: 'system' } : message));
}

function isDeveloper(message: JsonValue): message is JsonObject {
  return isObject(message) && message.role === 'developer';
}

/** References to tools stand in the results of searches only. */
function withoutReferences(within: JsonValue): JsonValue {
  if (Array.isArray(within)) return mapChanged(within, withoutReferences);
  if (!isObject(within)) return within;
  if (within.type === 'tool_reference') return { type: 'text', text: referenceText([asString(within.tool_name) ?? '']) };
  const content = within.content === undefined ? undefined : withoutReferences(within.content);
  return content === within.content ? within : { ...within, content };
}

function inWords(body: JsonObject, keepsMode: boolean): boolean {
  const format = body.response_format;
  if (!isObject(format) || format.type === 'text' || (keepsMode && format.type === 'json_object')) return false;
  const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
  if (keepsMode) body.response_format = { type: 'json_object' };
  else delete body.response_format;
  addInstruction(body, schema === undefined ? jsonWords : schemaWords(schema));
  return true;
}

/**
 * Adds the repairs of top-level fields to the edits of a caller's bytes.
 * @param edits those made so far, which are changed
 * @param changes takes what is changed, in words
 */
export function repairFields(bytes: Buffer, { fields }: ObjectScan, repairs: readonly Repair[], edits: FieldEdit[], changes: string[]): void {
  for (const repair of repairs) {
    if (repair.kind === 'output-limit') lowerWritten(bytes, fields, repair, edits, changes);
    if (repair.kind !== 'drop' && repair.kind !== 'rename') continue;
    const { name } = repair;
    const at = edits.findIndex(edit => edit.name === name);
    const range = fields.get(name);
    const json = at === -1 ? range === undefined ? undefined : bytes.toString('utf8', range.start, range.end) : edits[at]?.json;
    if (json === undefined || (repair.kind === 'drop' && repair.value !== undefined && json !== repair.value)) continue;
    if (at !== -1) edits.splice(at, 1);
    if (range !== undefined) edits.push({ name, json: undefined });
    if (repair.kind === 'rename' && !fields.has(repair.to) && !edits.some(edit => edit.name === repair.to)) edits.push({ name: repair.to, json });
    changes.push(repairWords(repair));
  }
}

function lowerWritten(bytes: Buffer, fields: ObjectScan['fields'], repair: Repair & { kind: 'output-limit' }, edits: FieldEdit[], changes: string[]): void {
  for (const name of outputLimitNames) {
    const at = edits.findIndex(edit => edit.name === name);
    const range = fields.get(name);
    const json = at === -1 ? range === undefined ? undefined : bytes.toString('latin1', range.start, range.end) : edits[at]?.json;
    if (json === undefined || !(Number(json) > repair.most)) continue;
    if (at !== -1) edits.splice(at, 1);
    edits.push({ name, json: String(repair.most) });
    changes.push(repairWords(repair));
  }
}

/** Changes headers in place, whose names are in lower case. */
export function repairHeaders(headers: Record<string, string>, repairs: readonly Repair[], changes: string[]): void {
  for (const repair of repairs) {
    if (repair.kind === 'header' && headers[repair.name] !== undefined) {
      delete headers[repair.name];
      changes.push(repairWords(repair));
    } else if (repair.kind === 'beta' && headers[betaHeader] !== undefined) {
      const names = betaNames(headers[betaHeader]);
      const left = names.filter(name => name !== repair.name);
      if (left.length === names.length) continue;
      if (left.length === 0) delete headers[betaHeader];
      else headers[betaHeader] = left.join(',');
      changes.push(repairWords(repair));
    }
  }
}

/** Names features of Anthropic's API that a caller wants to use before they are part of it. */
export const betaHeader = 'anthropic-beta';

export function betaNames(value: string): string[] {
  return value.split(',').map(name => name.trim()).filter(name => name !== '');
}
