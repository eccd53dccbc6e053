import type { CacheBreakpoint, ContentPart, DocumentPart, ImagePart, Message, TextPart, ThinkingPart, ToolCallPart, ToolResultPart } from '../../api/conversation.ts';
import { parseExact } from '../../base/exactJson.ts';
import { isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { mergeNeighbours, maySendOpaque } from '../conversationShape.ts';
import { withoutUndefined } from '../fields.ts';
import { describeMedia, documentText, leftOut } from '../media.ts';

/**
 * The API version of October 2026 refuses what the previous one accepted: sampling parameters, even at their
 * defaults, and documents in assistant messages.
 */
export function refusesOldFields({ dialect }: EncodeTarget): boolean {
  return dialect.anthropicVersion !== undefined && dialect.anthropicVersion >= '2026-10-21';
}

/** `cache_control` for a breakpoint; five minutes is the default and not written. */
export function encodeCache(cache: CacheBreakpoint | undefined): JsonObject | undefined {
  if (cache === undefined) return undefined;
  return cache === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' };
}

/**
 * Writes messages as Anthropic wants them: user first, user and assistant in turn, tool results at the beginning
 * of their message, no empty text. Later system messages become marked user text, as only the newest models
 * know them.
 */
export function encodeMessages(messages: readonly Message[], target: EncodeTarget): JsonObject[] {
  const sendable = messages.map((message): Message => ({
    role: message.role === 'assistant' ? 'assistant' : 'user',
    content: message.content.map((part) => (message.role === 'system' ? markedInstruction(part) : part)).filter((part) => isSendable(part, target)),
  }));
  const turns = mergeNeighbours(sendable);
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [{ type: 'text', text: 'Continue.' }] });
  const lastTurn = turns.at(-1);
  return turns.map((turn) => {
    const ordered = turn.role === 'user' ? resultsFirst(turn.content) : turn.content;
    const blocks = ordered.map((part) => (turn.role === 'assistant' && part.type === 'document' && refusesOldFields(target)
      ? encodePart(leftOut(describeMedia(part)))
      : encodePart(part)));
    if (turn === lastTurn && turn.role === 'assistant') trimEnd(blocks);
    return { role: turn.role, content: onlyText(blocks) ?? blocks };
  });
}

function markedInstruction(part: ContentPart): ContentPart {
  return part.type === 'text' && part.text.trim() !== '' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part;
}

function isSendable(part: ContentPart, target: EncodeTarget): boolean {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text.trim() !== '';
    case 'thinking':
      return (part.signature !== undefined || part.redacted !== undefined) && maySendOpaque(part, 'anthropic-messages', target.origin);
    default:
      return true;
  }
}

function resultsFirst(content: readonly ContentPart[]): ContentPart[] {
  return [...content.filter((part) => part.type === 'tool-result'), ...content.filter((part) => part.type !== 'tool-result')];
}

/** A message of one plain text is a string. */
function onlyText(blocks: readonly JsonObject[]): string | undefined {
  const [block] = blocks;
  return blocks.length === 1 && block?.type === 'text' && block.cache_control === undefined && typeof block.text === 'string' ? block.text : undefined;
}

/** A text the model is to continue must not end in white space. */
function trimEnd(blocks: JsonObject[]): void {
  const last = blocks.at(-1);
  if (last?.type === 'text' && typeof last.text === 'string') last.text = last.text.trimEnd();
}

function encodePart(part: ContentPart): JsonObject {
  switch (part.type) {
    case 'text': return encodeText(part);
    case 'refusal': return { type: 'text', text: part.text };
    case 'image': return encodeImage(part);
    case 'document': return encodeDocument(part);
    case 'thinking': return encodeThinking(part);
    case 'tool-call': return encodeCall(part);
    case 'tool-result': return encodeResult(part);
  }
}

function encodeText(part: TextPart): JsonObject {
  return withoutUndefined({ type: 'text', text: part.text, cache_control: encodeCache(part.cache) });
}

function encodeThinking(part: ThinkingPart): JsonObject {
  return part.redacted !== undefined
    ? { type: 'redacted_thinking', data: part.redacted }
    : { type: 'thinking', thinking: part.text, signature: part.signature ?? '' };
}

function encodeImage(part: ImagePart): JsonObject {
  const { source } = part;
  const written: JsonObject = source.kind === 'base64'
    ? { type: 'base64', media_type: part.mimeType ?? 'image/png', data: source.data }
    : source.kind === 'url' ? { type: 'url', url: source.url } : { type: 'file', file_id: source.fileId };
  return withoutUndefined({ type: 'image', source: written, cache_control: encodeCache(part.cache) });
}

function encodeDocument(part: DocumentPart): JsonObject {
  const source = documentSource(part);
  if (source === undefined) return encodeText({ ...leftOut(describeMedia(part)), cache: part.cache });
  return withoutUndefined({ type: 'document', source, title: part.filename, cache_control: encodeCache(part.cache) });
}

/** The API accepts PDFs and plain text; undefined for anything else, such as audio. */
function documentSource(part: DocumentPart): JsonObject | undefined {
  const { source } = part;
  if (source.kind === 'url') return { type: 'url', url: source.url };
  if (source.kind === 'file') return { type: 'file', file_id: source.fileId };
  const text = documentText(part);
  if (text !== undefined) return { type: 'text', media_type: 'text/plain', data: text };
  return part.mimeType === 'application/pdf' ? { type: 'base64', media_type: 'application/pdf', data: source.data } : undefined;
}

function encodeCall(part: ToolCallPart): JsonObject {
  return withoutUndefined({
    type: 'tool_use', id: part.id, name: part.name, input: callInput(part), cache_control: encodeCache(part.cache),
  });
}

/** The input must be an object: what is not one (a cut-off call, a free-text tool) is kept inside one. */
export function callInput(call: Pick<ToolCallPart, 'arguments' | 'kind'>): JsonValue {
  if (call.kind === 'custom') return { input: call.arguments };
  if (call.arguments.trim() === '') return {};
  const parsed = parseExact(call.arguments);
  return isObject(parsed) ? parsed : { arguments: call.arguments };
}

function encodeResult(part: ToolResultPart): JsonObject {
  const blocks = part.content
    .filter((entry) => entry.type !== 'text' || entry.text.trim() !== '')
    .map((entry) => encodePart(entry));
  return withoutUndefined({
    type: 'tool_result',
    tool_use_id: part.callId,
    content: blocks.length === 0 ? undefined : onlyText(blocks) ?? blocks,
    is_error: part.isError === true ? true : undefined,
    cache_control: encodeCache(part.cache),
  });
}
