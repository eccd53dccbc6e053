import { isObject, type JsonObject } from '../../../base/json.ts';
import { bareModelName } from '../../../base/names.ts';
import { addInstruction } from '../instruction.ts';
import { takesSchemas } from '../modelRules.ts';
import { jsonWords, schemaWords } from '../promptWords.ts';
import type { BodyBytes, FitTarget } from '../rule.ts';
import { isStrictSchema, withItems } from '../tools/strictSchemas.ts';

/*
 * What a Chat request asks of its answer: how long it may be, and a form of JSON.
 */

export const maxTokensFields = ['max_tokens', 'max_completion_tokens'] as const;

/** Whether an answer that is not streamed has a higher limit than the target takes. False is certain. */
export function mayAskTooMuch({ bytes, scan: { fields } }: BodyBytes, most: number): boolean {
  const stream = fields.get('stream');
  if (stream !== undefined && bytes.toString('latin1', stream.start, stream.end) === 'true') return false;
  return maxTokensFields.some(name => {
    const limit = fields.get(name);
    return limit !== undefined && Number(bytes.toString('latin1', limit.start, limit.end)) > most;
  });
}

/** The output limit as the target takes it where the answer is not streamed. */
export function fitPlainLimit(body: JsonObject, { dialect: { mostPlainOutputTokens: most } }: FitTarget, changes: Set<string>): void {
  if (most === undefined || body.stream === true) return;
  for (const name of maxTokensFields) {
    const limit = body[name];
    if (typeof limit !== 'number' || limit <= most) continue;
    body[name] = most;
    changes.add(`${name} ${limit} was sent as ${most}, the most of an answer that is not streamed`);
  }
}

/** Whether the form of the answer may be one that the target refuses. False is certain. */
export function mayHoldRefusedFormat({ bytes, scan: { words, fields } }: BodyBytes, target: FitTarget): boolean {
  const format = fields.get('response_format');
  if (format === undefined || !/json_(?:schema|object)/.test(bytes.toString('latin1', format.start, Math.min(format.end, format.start + 64 * 1024)))) return false;
  const { jsonObjectOutput, strictSchemas, jsonWithoutThinking } = target.dialect;
  return !takesSchemas(target) || jsonObjectOutput === false || strictSchemas === true || words.has('json_object') || jsonWithoutThinking?.test(bareModelName(target.model)) === true;
}

/** A form of JSON where the model refuses it while it thinks: what was asked for by name stays, thinking or else the form. */
export function fitJsonWithoutThinking(body: JsonObject, { dialect, model }: FitTarget, changes: Set<string>): void {
  const format = body.response_format;
  if (!isObject(format) || (format.type !== 'json_object' && format.type !== 'json_schema') || dialect.jsonWithoutThinking?.test(bareModelName(model)) !== true) return;
  if (body.enable_thinking === false) return;
  if (body.enable_thinking === undefined) {
    body.enable_thinking = false;
    changes.add('thinking was turned off, which this model refuses with a form of JSON');
    return;
  }
  delete body.response_format;
  const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
  addInstruction(body, format.type === 'json_schema' ? schemaWords(schema) : jsonWords);
  changes.add('the JSON form of the answer was asked for in words');
}

/** The form of the answer as the target takes it. */
export function fitFormat(body: JsonObject, target: FitTarget, changes: Set<string>): void {
  const { dialect } = target;
  const format = body.response_format;
  if (!isObject(format)) return;
  if (format.type === 'json_schema' && !takesSchemas(target)) {
    const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
    body.response_format = { type: 'json_object' };
    addInstruction(body, schemaWords(schema));
    changes.add('the JSON schema of the answer was asked for in words');
  } else if (format.type === 'json_schema' && dialect.strictSchemas === true && isObject(format.json_schema)) {
    const described = format.json_schema;
    const schema = isObject(described.schema) ? withItems(described.schema) : described.schema;
    const loose = described.strict === true && !isStrictSchema(schema);
    if (!loose && schema === described.schema) return;
    body.response_format = { ...format, json_schema: { ...described, schema, ...(loose ? { strict: false } : {}) } };
    changes.add(loose ? 'the JSON schema of the answer was sent as not strict' : 'the JSON schema of the answer was completed');
  } else if (format.type === 'json_object' && dialect.jsonObjectOutput === false) {
    body.response_format = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };
    changes.add('JSON mode was asked for by a schema of any object');
  } else if (format.type === 'json_object' && !/json/i.test(JSON.stringify(body.messages ?? ''))) {
    // Providers of JSON mode refuse a prompt that does not speak of JSON.
    addInstruction(body, jsonWords);
    changes.add('an instruction to answer in JSON was added');
  }
}
