import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { inputFileAsText } from './turns/documentParts.ts';

/*
 * Items of a Responses request as a provider takes them that knows messages, calls and results only. Source: the schema of
 * Perplexity's Agent API (docs.perplexity.ai/api-reference/responses-post), read 2026-11-27.
 */

/** Whether a Responses request may hold items that such a provider does not know. False is certain. @param range where `input` stands */
export function mayHaveOtherItems(bytes: Buffer, range: { start: number; end: number } | undefined): boolean {
  return range !== undefined && bytes[range.start] === 0x5b;
}

/** The same items where all fit. @param changes takes what was changed, in words */
export function plainItems(items: readonly JsonValue[], changes: Set<string>): JsonValue[] {
  return items.flatMap((item): JsonValue[] => {
    if (!isObject(item)) return [item];
    if (item.type === undefined || item.type === 'message') return [plainMessage(item, changes)];
    if (item.type === 'function_call' || (item.type === 'function_call_output' && typeof item.output === 'string')) return [item];
    if (item.type === 'function_call_output') return [{ ...item, output: textOf(item.output, changes) }];
    changes.add(`an item of type ${String(item.type)} was left out`);
    return [];
  });
}

function plainMessage(item: JsonObject, changes: Set<string>): JsonObject {
  const parts = item.role === 'assistant' && Array.isArray(item.content);
  const fit = parts ? item : withoutFiles(item, changes);
  if (!parts && fit.type === 'message') return fit;
  if (!parts) changes.add('messages were sent with their type');
  return { ...fit, type: 'message', ...(parts ? { content: textOf(item.content, changes) } : {}) };
}

/** The message with documents as text. */
function withoutFiles(item: JsonObject, changes: Set<string>): JsonObject {
  if (!Array.isArray(item.content) || !item.content.some(isFile)) return item;
  return { ...item, content: item.content.map(part => (isFile(part) ? inputFileAsText(part, changes) : part)) };
}

function isFile(part: JsonValue): part is JsonObject {
  return isObject(part) && part.type === 'input_file';
}

/** The texts of parts as one. */
function textOf(parts: JsonValue | undefined, changes: Set<string>): string {
  changes.add('parts of items were sent as text');
  if (!Array.isArray(parts)) return '';
  return parts.map((part): string => {
    if (isObject(part) && typeof part.text === 'string') return part.text;
    if (isObject(part) && typeof part.refusal === 'string') return part.refusal;
    changes.add(isObject(part) && part.type === 'input_image' ? 'an image of a result was left out' : 'a part of an item was left out');
    return '';
  }).filter(text => text !== '').join('\n\n');
}
