import type { CacheBreakpoint, ContentPart, DocumentPart, ImagePart, Message, TextPart, ToolCallPart, ToolResultPart } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { arrayField, objectField, requiredObject, requiredString, stringField } from '../fields.ts';
import { leftOut, sourceFromUrl } from '../media.ts';

interface Reading {
  system: TextPart[];
  messages: Message[];
  /** Names of the calls seen so far, by id: results refer to them. */
  calls: Map<string, { name: string; kind: 'function' | 'custom' | undefined }>;
  /** The id that was made up for the last legacy `function_call`. */
  legacyCallId: string | undefined;
}

/**
 * Reads chat messages: leading system and developer messages become the system prompt, later ones stay where
 * they are, and neighbouring tool messages become one user message of results.
 * @throws RequestFormatError
 */
export function decodeChatMessages(messages: readonly JsonValue[]): { system: TextPart[]; messages: Message[] } {
  const reading: Reading = { system: [], messages: [], calls: new Map(), legacyCallId: undefined };
  for (const [index, entry] of messages.entries()) {
    const path = `messages[${index}]`;
    decodeMessage(requiredObject(entry, path), path, reading);
  }
  return { system: reading.system, messages: reading.messages };
}

function decodeMessage(message: JsonObject, path: string, reading: Reading): void {
  const content = (): ContentPart[] => decodeContent(message.content, `${path}.content`);
  switch (message.role) {
    case 'system':
    case 'developer': {
      const text = content().filter((part): part is TextPart => part.type === 'text');
      if (reading.messages.length === 0) reading.system.push(...text);
      else reading.messages.push({ role: 'system', content: text });
      return;
    }
    case 'user':
      reading.messages.push({ role: 'user', content: content() });
      return;
    case 'assistant':
      reading.messages.push({ role: 'assistant', content: decodeAssistant(message, path, reading) });
      return;
    case 'tool':
    case 'function': {
      const callId = message.role === 'tool'
        ? requiredString(message, 'tool_call_id', `${path}.tool_call_id`)
        : reading.legacyCallId ?? 'call_function';
      const call = reading.calls.get(callId);
      addResult(reading, {
        type: 'tool-result',
        callId,
        name: call?.name ?? asString(message.name),
        content: content().filter((part): part is ToolResultPart['content'][number] => part.type === 'text' || part.type === 'image' || part.type === 'document'),
        kind: call?.kind,
        cache: decodeCache(message),
      });
      return;
    }
    default:
      throw new RequestFormatError(`${path}.role`, 'must be system, developer, user, assistant or tool');
  }
}

/** Results of neighbouring tool messages belong to one turn. */
function addResult(reading: Reading, result: ToolResultPart): void {
  const last = reading.messages.at(-1);
  if (last?.role === 'user' && last.content.length > 0 && last.content.every((part) => part.type === 'tool-result')) last.content.push(result);
  else reading.messages.push({ role: 'user', content: [result] });
}

function decodeAssistant(message: JsonObject, path: string, reading: Reading): ContentPart[] {
  const parts: ContentPart[] = [];
  const reasoning = stringField(message, 'reasoning_content', `${path}.reasoning_content`) ?? asString(message.reasoning);
  if (reasoning !== undefined && reasoning !== '') parts.push({ type: 'thinking', text: reasoning, origin: 'openai-chat' });
  parts.push(...decodeContent(message.content, `${path}.content`));
  const refusal = stringField(message, 'refusal', `${path}.refusal`);
  if (refusal !== undefined && refusal !== '') parts.push({ type: 'refusal', text: refusal });
  for (const [index, entry] of (arrayField(message, 'tool_calls', `${path}.tool_calls`) ?? []).entries()) {
    const call = decodeToolCall(requiredObject(entry, `${path}.tool_calls[${index}]`), `${path}.tool_calls[${index}]`);
    reading.calls.set(call.id, { name: call.name, kind: call.kind });
    parts.push(call);
  }
  const legacy = objectField(message, 'function_call', `${path}.function_call`);
  if (legacy !== undefined) {
    const name = requiredString(legacy, 'name', `${path}.function_call.name`);
    const id = `call_function_${reading.calls.size}`;
    reading.legacyCallId = id;
    reading.calls.set(id, { name, kind: undefined });
    parts.push({ type: 'tool-call', id, name, arguments: argumentsText(legacy.arguments) });
  }
  return parts;
}

function decodeToolCall(call: JsonObject, path: string): ToolCallPart {
  const id = requiredString(call, 'id', `${path}.id`);
  if (call.type === 'custom') {
    const custom = requiredObject(call.custom, `${path}.custom`);
    return { type: 'tool-call', id, name: requiredString(custom, 'name', `${path}.custom.name`), arguments: asString(custom.input) ?? '', kind: 'custom' };
  }
  const definition = requiredObject(call.function, `${path}.function`);
  return { type: 'tool-call', id, name: requiredString(definition, 'name', `${path}.function.name`), arguments: argumentsText(definition.arguments) };
}

/** Arguments are JSON text; some clients send the object itself. */
function argumentsText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function decodeContent(content: JsonValue | undefined, path: string): ContentPart[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestFormatError(path, 'must be a string or a list of parts');
  return content.map((entry, index) => {
    if (typeof entry === 'string') return { type: 'text', text: entry };
    return decodePart(requiredObject(entry, `${path}[${index}]`), `${path}[${index}]`);
  });
}

function decodePart(part: JsonObject, path: string): ContentPart {
  const cache = decodeCache(part);
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: stringField(part, 'text', `${path}.text`) ?? '', cache };
    case 'refusal':
      return { type: 'refusal', text: stringField(part, 'refusal', `${path}.refusal`) ?? '' };
    case 'image_url':
      return { ...decodeImage(part.image_url, `${path}.image_url`), cache };
    case 'file':
      return { ...decodeFile(requiredObject(part.file, `${path}.file`), `${path}.file`), cache };
    case 'input_audio': {
      const audio = requiredObject(part.input_audio, `${path}.input_audio`);
      const format = asString(audio.format) ?? 'wav';
      return { type: 'document', mimeType: `audio/${format}`, source: { kind: 'base64', data: requiredString(audio, 'data', `${path}.input_audio.data`) }, cache };
    }
    default:
      // A part of an unknown type: its text if it has any, else a note, so that the model and the user can see it.
      return typeof part.text === 'string' ? { type: 'text', text: part.text, cache } : leftOut(`Content of type "${asString(part.type) ?? 'unknown'}"`);
  }
}

function decodeImage(image: JsonValue | undefined, path: string): ImagePart {
  const holder: JsonObject = typeof image === 'string' ? { url: image } : requiredObject(image, path);
  const { mimeType, source } = sourceFromUrl(requiredString(holder, 'url', `${path}.url`));
  const { detail } = holder;
  return {
    type: 'image',
    mimeType: mimeType ?? (source.kind === 'base64' ? 'image/png' : undefined),
    source,
    detail: detail === 'low' || detail === 'high' || detail === 'auto' || detail === 'original' ? detail : undefined,
  };
}

function decodeFile(file: JsonObject, path: string): DocumentPart {
  const filename = stringField(file, 'filename', `${path}.filename`);
  const fileData = stringField(file, 'file_data', `${path}.file_data`);
  if (fileData !== undefined) {
    const inline = sourceFromUrl(fileData);
    // Without a `data:` prefix the field holds bare base64, unless it is a link.
    const source = inline.source.kind === 'url' && !/^https?:/.test(fileData) ? { kind: 'base64' as const, data: fileData } : inline.source;
    return { type: 'document', mimeType: inline.mimeType ?? 'application/pdf', source, filename };
  }
  return { type: 'document', mimeType: 'application/pdf', source: { kind: 'file', fileId: requiredString(file, 'file_id', `${path}.file_id`) }, filename };
}

/** OpenRouter passes Anthropic's `cache_control` on; OpenAI has `prompt_cache_breakpoint`. */
function decodeCache(part: JsonObject): CacheBreakpoint | undefined {
  if (isObject(part.cache_control)) return part.cache_control.ttl === '1h' ? '1h' : '5m';
  if (isObject(part.prompt_cache_breakpoint)) return part.prompt_cache_breakpoint.ttl === '12h' ? '1h' : '5m';
  return undefined;
}
