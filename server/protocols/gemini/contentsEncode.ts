import type { ContentPart, ConversationRequest, DocumentPart, ImagePart, Message, TextPart, ToolCallPart, ToolResultPart } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';
import { callInput } from '../anthropicMessages/contentEncode.ts';
import type { EncodeTarget } from '../codec.ts';
import { mergeNeighbours, maySendOpaque } from '../conversationShape.ts';
import { withoutUndefined } from '../fields.ts';
import { standInSignature } from './contentsDecode.ts';
import { geminiModelRules } from './models.ts';
import type { GeminiModelRules } from './models.ts';
import { describeMedia, documentText, inlineDocument, leftOut } from '../media.ts';

interface Writing {
  target: EncodeTarget;
  rules: GeminiModelRules;
  /** Names of the calls seen so far, by id: results must carry them. */
  names: Map<string, string>;
  /** The places of the last step's calls, in whose order its results must come. */
  order: Map<string, number>;
}

/**
 * Writes a conversation as contents: user and model in turn, all results of a step in one content of their own,
 * in the order of the calls, later instructions as marked user text.
 */
export function encodeContents(request: ConversationRequest, target: EncodeTarget): JsonObject[] {
  const writing: Writing = { target, rules: geminiModelRules(target.model), names: new Map(), order: new Map() };
  const sendable = request.messages.map((message): Message => (message.role === 'system' ? { role: 'user', content: message.content.map(markedInstruction) } : message));
  const contents = mergeNeighbours(sendable).flatMap((message) => (message.role === 'assistant' ? encodeModel(message.content, writing) : encodeUser(message.content, writing)));
  // A conversation has to begin with the user, and an empty one is refused.
  if (contents[0]?.role !== 'user') contents.unshift({ role: 'user', parts: [{ text: 'Continue.' }] });
  return contents;
}

function markedInstruction(part: ContentPart): ContentPart {
  return part.type === 'text' && part.text.trim() !== '' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part;
}

function encodeUser(content: readonly ContentPart[], writing: Writing): JsonObject[] {
  const written: JsonObject[] = [];
  const results = content.filter((part): part is ToolResultPart => part.type === 'tool-result');
  const place = (result: ToolResultPart): number => writing.order.get(result.callId) ?? Infinity;
  const moved: JsonObject[] = [];
  if (results.length > 0) written.push({ role: 'user', parts: results.sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other))).map((result) => encodeResult(result, writing, moved)) });
  const own = content.filter((part): part is TextPart | ImagePart | DocumentPart => part.type === 'image' || part.type === 'document' || (part.type === 'text' && part.text !== ''));
  const parts = [...moved, ...own.map(encodePart)];
  if (parts.length > 0) written.push({ role: 'user', parts });
  return written;
}

/** What older models cannot have inside a result is handed to `moved`, for the content that follows. */
function encodeResult(result: ToolResultPart, writing: Writing, moved: JsonObject[]): JsonObject {
  const texts: string[] = [];
  const media: JsonObject[] = [];
  for (const part of result.content) {
    const inline = part.type === 'document' ? documentText(part) : undefined;
    if (part.type === 'text') texts.push(part.text);
    else if (inline !== undefined && part.type === 'document') texts.push(inlineDocument(part.filename, inline));
    else {
      const written = encodePart(part);
      if (typeof written.text === 'string') texts.push(written.text);
      else if (writing.rules.mediaInResults) media.push(written);
      else moved.push({ text: `Attached to the result of ${nameOf(result, writing)}:` }, written);
    }
  }
  const text = texts.length === 0 && (media.length > 0 || moved.length > 0) ? 'The result is attached.' : texts.join('\n');
  return {
    functionResponse: withoutUndefined({
      id: result.callId,
      name: nameOf(result, writing),
      response: result.isError === true ? { error: text } : { output: text },
      parts: media.length === 0 ? undefined : media,
    }),
  };
}

function nameOf(result: ToolResultPart, writing: Writing): string {
  return writing.names.get(result.callId) ?? result.name ?? 'tool';
}

function encodePart(part: TextPart | ImagePart | DocumentPart): JsonObject {
  if (part.type === 'text') return { text: part.text };
  const { source } = part;
  const text = part.type === 'document' ? documentText(part) : undefined;
  if (text !== undefined && part.type === 'document') return { text: inlineDocument(part.filename, text) };
  const mimeType = part.mimeType ?? 'image/png';
  switch (source.kind) {
    case 'base64':
      return { inlineData: { mimeType, data: source.data } };
    case 'file':
      // Only Google's own files are named by addresses.
      return /^(https|gs):\/\//.test(source.fileId) ? { fileData: { mimeType, fileUri: source.fileId } } : { text: leftOut(describeMedia(part)).text };
    case 'url':
      // Videos are fetched by Google; any other address is only something to read.
      return isVideo(source.url) ? { fileData: { mimeType, fileUri: source.url } } : { text: `${leftOut(describeMedia(part)).text} It is at ${source.url}` };
  }
}

function isVideo(url: string): boolean {
  return /^https:\/\/(www\.)?(youtube\.com|youtu\.be)\//.test(url);
}

/**
 * A signature that stands alone belongs to the part after it. The first call of a step must be signed: one
 * that another model made, or whose signature was lost, gets Google's documented placeholder.
 */
function encodeModel(content: readonly ContentPart[], writing: Writing): JsonObject[] {
  const { target } = writing;
  const parts: JsonObject[] = [];
  writing.order = new Map();
  let waiting: string | undefined;
  const flush = (): void => {
    if (waiting !== undefined) parts.push({ text: '', thoughtSignature: waiting });
    waiting = undefined;
  };
  for (const part of content) {
    switch (part.type) {
      case 'thinking': {
        if (part.signature === undefined || !maySendOpaque(part, 'gemini', target.origin)) break;
        flush();
        if (part.text === '') waiting = part.signature;
        else parts.push({ text: part.text, thought: true, thoughtSignature: part.signature });
        break;
      }
      case 'text':
      case 'refusal':
        if (part.text === '') break;
        parts.push(withoutUndefined({ text: part.text, thoughtSignature: waiting }));
        waiting = undefined;
        break;
      case 'tool-call': {
        const own = part.signature !== undefined && maySendOpaque(part, 'gemini', target.origin) ? part.signature : undefined;
        parts.push(encodeCall(part, own ?? waiting, writing));
        waiting = undefined;
        break;
      }
      case 'image':
      case 'document':
        flush();
        parts.push(encodePart(part));
        break;
      case 'tool-result':
        break;
    }
  }
  flush();
  return parts.length === 0 ? [] : [{ role: 'model', parts }];
}

function encodeCall(call: ToolCallPart, signature: string | undefined, writing: Writing): JsonObject {
  const isFirst = writing.order.size === 0;
  if (!writing.order.has(call.id)) writing.order.set(call.id, writing.order.size);
  writing.names.set(call.id, call.name);
  return withoutUndefined({
    functionCall: { id: call.id, name: call.name, args: callInput(call) },
    thoughtSignature: signature ?? (isFirst && writing.rules.needsSignatures ? standInSignature : undefined),
  });
}
