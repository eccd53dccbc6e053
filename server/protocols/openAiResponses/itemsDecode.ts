import type { CacheBreakpoint, ContentPart, DocumentPart, ImagePart, Message, TextPart, ToolResultPart } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { arrayField, requiredObject, requiredString, stringField } from '../fields.ts';
import { leftOut, sourceFromUrl } from '../media.ts';
import { flatName, readTools } from './tools.ts';
import type { ReadTools } from './tools.ts';

interface Reading extends ReadTools {
  system: TextPart[];
  messages: Message[];
  /** Names of the calls seen so far, by id: results refer to them. */
  calls: Map<string, { name: string; kind: 'function' | 'custom' | undefined }>;
  /** Why the input can be understood only by the provider that made it. */
  reasons: string[];
}

export interface ReadItems { system: TextPart[]; messages: Message[]; reasons: string[] }

/**
 * Reads the input of a request: a string, or items. Leading system and developer messages become the system
 * prompt; the items of one turn become one message. What hosted tools did is left out where the answer that
 * follows repeats it; where it does not, the request is not translated.
 * @param tools gets the tools that items bring along (Codex sends some of its tools as items)
 * @throws RequestFormatError
 */
export function readItems(input: JsonValue | undefined, tools: ReadTools): ReadItems {
  const reading: Reading = { ...tools, system: [], messages: [], calls: new Map(), reasons: [] };
  if (typeof input === 'string') reading.messages.push({ role: 'user', content: [{ type: 'text', text: input }] });
  else if (Array.isArray(input)) for (const [index, entry] of input.entries()) readItem(requiredObject(entry, `input[${index}]`), `input[${index}]`, reading);
  else if (input !== undefined && input !== null) throw new RequestFormatError('input', 'must be a string or a list of items');
  return { system: reading.system, messages: reading.messages, reasons: reading.reasons };
}

function readItem(item: JsonObject, path: string, reading: Reading): void {
  const type = asString(item.type) ?? (item.role !== undefined ? 'message' : item.id !== undefined ? 'item_reference' : 'unknown');
  switch (type) {
    case 'message':
      readMessage(item, path, reading);
      return;
    case 'reasoning':
      add(reading, 'assistant', [readReasoning(item)]);
      return;
    case 'function_call': {
      const name = flatName(asString(item.namespace), requiredString(item, 'name', `${path}.name`));
      addCall(reading, requiredString(item, 'call_id', `${path}.call_id`), name, textOf(item.arguments), undefined);
      return;
    }
    case 'custom_tool_call': {
      const name = flatName(asString(item.namespace), requiredString(item, 'name', `${path}.name`));
      addCall(reading, requiredString(item, 'call_id', `${path}.call_id`), name, textOf(item.input), 'custom');
      return;
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      addResult(reading, requiredString(item, 'call_id', `${path}.call_id`), readContent(item.output, `${path}.output`), item);
      return;
    case 'item_reference':
      throw new RequestFormatError(path, `refers to item ${asString(item.id) ?? ''}, which only the provider that stored it knows; send the item itself (store: false)`);
    case 'additional_tools':
    case 'tool_search_output':
      readTools(arrayField(item, 'tools', `${path}.tools`) ?? [], `${path}.tools`, reading);
      return;
    case 'tool_search_call':
    case 'web_search_call':
    case 'file_search_call':
    case 'mcp_list_tools':
    case 'configuration_update':
      // The answer after a search repeats what was found; the other items have a meaning for the provider only.
      return;
    case 'code_interpreter_call':
      add(reading, 'assistant', [{ type: 'text', text: `[Code that was run:]\n${asString(item.code) ?? ''}` }]);
      return;
    case 'image_generation_call':
      add(reading, 'assistant', [leftOut('A generated image')]);
      return;
    default:
      readForeignPair(item, type, path, reading);
  }
}

/** Calls of tools the provider defines and the caller runs (shell, patches) are calls like any other, under another name. */
function readForeignPair(item: JsonObject, type: string, path: string, reading: Reading): void {
  const callId = asString(item.call_id) ?? asString(item.id);
  if (type.endsWith('_call_output') && callId !== undefined) {
    const { output } = item;
    addResult(reading, callId, typeof output === 'string' || Array.isArray(output) ? readContent(readableParts(output), `${path}.output`) : [{ type: 'text', text: textOf(output) }], item);
  } else if (type.endsWith('_call') && callId !== undefined) {
    const { type: _type, id: _id, call_id: _callId, status: _status, output, ...details } = item;
    const name = type.slice(0, -'_call'.length);
    addCall(reading, callId, name, JSON.stringify(details.action ?? details.operation ?? details), undefined);
    // An MCP call has its result with it.
    if (output !== undefined && output !== null) addResult(reading, callId, [{ type: 'text', text: textOf(output) }], item);
  } else {
    reading.reasons.push(`${path} is a "${type}" item, which only the provider that made it understands`);
  }
}

/** Shell output is a list of objects that are no content parts. */
function readableParts(output: JsonValue): JsonValue {
  if (!Array.isArray(output)) return output;
  return output.map((entry) => (isObject(entry) && asString(entry.type)?.startsWith('input_') === true ? entry : textOf(entry)));
}

function readMessage(item: JsonObject, path: string, reading: Reading): void {
  const content = readContent(item.content, `${path}.content`);
  switch (item.role) {
    case 'user':
      add(reading, 'user', content, true);
      return;
    case 'assistant': {
      const phase = asString(item.phase);
      add(reading, 'assistant', phase === undefined ? content : content.map((part) => (part.type === 'text' ? { ...part, phase } : part)));
      return;
    }
    case 'system':
    case 'developer': {
      const text = content.filter((part): part is TextPart => part.type === 'text');
      if (reading.messages.length === 0) reading.system.push(...text);
      else reading.messages.push({ role: 'system', content: text });
      return;
    }
    default:
      throw new RequestFormatError(`${path}.role`, 'must be user, assistant, system or developer');
  }
}

/** Items of one turn are one message, except that every user message is one of its own. */
function add(reading: Reading, role: 'user' | 'assistant', content: ContentPart[], alone = false): void {
  const last = reading.messages.at(-1);
  if (!alone && last?.role === role) last.content.push(...content);
  else reading.messages.push({ role, content });
}

function addCall(reading: Reading, id: string, name: string, text: string, kind: 'custom' | undefined): void {
  reading.calls.set(id, { name, kind });
  add(reading, 'assistant', [{ type: 'tool-call', id, name, arguments: text, kind }]);
}

function addResult(reading: Reading, callId: string, content: ContentPart[], item: JsonObject): void {
  const call = reading.calls.get(callId);
  const ownName = asString(item.name);
  const result: ToolResultPart = {
    type: 'tool-result',
    callId,
    name: call?.name ?? (ownName === undefined ? undefined : flatName(asString(item.namespace), ownName)),
    content: content.filter((part): part is ToolResultPart['content'][number] => part.type === 'text' || part.type === 'image' || part.type === 'document'),
    kind: call?.kind ?? (item.type === 'custom_tool_call_output' ? 'custom' : undefined),
  };
  const last = reading.messages.at(-1);
  if (last?.role === 'user' && last.content.length > 0 && last.content.every((part) => part.type === 'tool-result')) last.content.push(result);
  else reading.messages.push({ role: 'user', content: [result] });
}

/** Reasoning without its encrypted content is only a summary, without a signature. */
function readReasoning(item: JsonObject): ContentPart {
  const texts = [item.summary, item.content].flatMap((list) => (Array.isArray(list) ? list : []));
  const text = texts.map((entry) => (isObject(entry) ? asString(entry.text) ?? '' : '')).filter((entry) => entry !== '').join('\n\n');
  const encrypted = asString(item.encrypted_content);
  if (encrypted === undefined || encrypted === '') return { type: 'thinking', text };
  return { type: 'thinking', text, encrypted, itemId: asString(item.id), origin: 'openai-responses' };
}

function readContent(content: JsonValue | undefined, path: string): ContentPart[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestFormatError(path, 'must be a string or a list of parts');
  return content.map((entry, index) => {
    if (typeof entry === 'string') return { type: 'text', text: entry };
    return readPart(requiredObject(entry, `${path}[${index}]`), `${path}[${index}]`);
  });
}

function readPart(part: JsonObject, path: string): ContentPart {
  const cache = readCache(part);
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: stringField(part, 'text', `${path}.text`) ?? '', cache };
    case 'refusal':
      return { type: 'refusal', text: stringField(part, 'refusal', `${path}.refusal`) ?? '' };
    case 'input_image':
    case 'computer_screenshot':
      return { ...readImage(part, path), cache };
    case 'input_file':
      return { ...readFile(part, path), cache };
    case 'input_audio': {
      const audio = requiredObject(part.input_audio, `${path}.input_audio`);
      return { type: 'document', mimeType: `audio/${asString(audio.format) ?? 'wav'}`, source: { kind: 'base64', data: requiredString(audio, 'data', `${path}.input_audio.data`) }, cache };
    }
    default:
      return typeof part.text === 'string' ? { type: 'text', text: part.text, cache } : leftOut(`Content of type "${asString(part.type) ?? 'unknown'}"`);
  }
}

function readImage(part: JsonObject, path: string): ImagePart {
  const { detail } = part;
  const known = detail === 'low' || detail === 'high' || detail === 'auto' || detail === 'original' ? detail : undefined;
  const fileId = stringField(part, 'file_id', `${path}.file_id`);
  // Some clients write the nested form of the chat protocol.
  const url = isObject(part.image_url) ? asString(part.image_url.url) : stringField(part, 'image_url', `${path}.image_url`);
  if (url === undefined && fileId !== undefined) return { type: 'image', source: { kind: 'file', fileId }, detail: known };
  if (url === undefined) throw new RequestFormatError(`${path}.image_url`, 'is required');
  const { mimeType, source } = sourceFromUrl(url);
  return { type: 'image', mimeType: mimeType ?? (source.kind === 'base64' ? 'image/png' : undefined), source, detail: known };
}

function readFile(part: JsonObject, path: string): DocumentPart {
  const filename = stringField(part, 'filename', `${path}.filename`);
  const fileData = stringField(part, 'file_data', `${path}.file_data`);
  const fileUrl = stringField(part, 'file_url', `${path}.file_url`);
  if (fileData !== undefined) {
    const inline = sourceFromUrl(fileData);
    const source = inline.source.kind === 'url' ? { kind: 'base64' as const, data: fileData } : inline.source;
    return { type: 'document', mimeType: inline.mimeType ?? 'application/pdf', source, filename };
  }
  if (fileUrl !== undefined) return { type: 'document', mimeType: 'application/pdf', source: { kind: 'url', url: fileUrl }, filename };
  return { type: 'document', mimeType: 'application/pdf', source: { kind: 'file', fileId: requiredString(part, 'file_id', `${path}.file_id`) }, filename };
}

function readCache(part: JsonObject): CacheBreakpoint | undefined {
  if (!isObject(part.prompt_cache_breakpoint)) return undefined;
  return part.prompt_cache_breakpoint.ttl === '12h' ? '1h' : '5m';
}

/** Text as it is; anything else as JSON. */
function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
