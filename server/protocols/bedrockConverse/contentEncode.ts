import type { CacheBreakpoint, ContentPart, DocumentPart, ImagePart, Message, ToolResultPart } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';
import { callInput } from '../anthropicMessages/contentEncode.ts';
import { plainCallIds } from '../bodyRules/callIdRules.ts';
import { fitId } from '../bodyRules/fitId.ts';
import { imageType } from '../bodyRules/imageTypes.ts';
import { goOn } from '../bodyRules/promptWords.ts';
import { failureText, joinedText, mergeNeighbours } from '../conversationShape.ts';
import { withoutUndefined } from '../fields.ts';
import { describeMedia, documentText, inlineDocument, leftOut } from '../media.ts';
import type { ConverseModelRules } from './converseModels.ts';

/** What the writers of content know of the request, and what they report. */
export interface ContentPlace {
  readonly rules: ConverseModelRules;
  /** In words for the receipt. */
  readonly changes: Set<string>;
}

const longestCallId = 64;
const callIds = { ...plainCallIds, fits: (id: string): boolean => id.length <= longestCallId && plainCallIds.fits(id) };

/** A mark of the prompt cache; five minutes is the default and not written. */
export function cachePoint(cache: CacheBreakpoint): JsonObject {
  return { cachePoint: cache === '1h' ? { type: 'default', ttl: '1h' } : { type: 'default' } };
}

/**
 * Writes messages as Converse wants them: user first, user and assistant in turn, results of tools at the beginning of their
 * message, no blank text, documents beside a text and under different names. Later system messages become marked user text.
 */
export function encodeMessages(messages: readonly Message[], place: ContentPlace): JsonObject[] {
  const sendable = messages.map((message): Message => ({
    role: message.role === 'assistant' ? 'assistant' : 'user',
    content: message.content.map(part => (message.role === 'system' && part.type === 'text' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part)).filter(isSendable),
  }));
  const turns = mergeNeighbours(sendable);
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [{ type: 'text', text: 'Continue.' }] });
  pairResults(turns, place.changes);
  const last = turns.at(-1);
  if (last?.role === 'assistant' && !place.rules.prefill) {
    turns.push({ role: 'user', content: [{ type: 'text', text: goOn }] });
    place.changes.add('a request to go on was added');
  }
  const names = new DocumentNames();
  const written = turns.map(({ role, content }): JsonObject => {
    const ordered = role === 'user' ? [...content.filter(isResult), ...content.filter(part => !isResult(part))] : content;
    const blocks = ordered.flatMap(part => encodePart(part, role, place, names));
    // A document needs a text beside it.
    if (blocks.some(block => block.document !== undefined) && !blocks.some(block => block.text !== undefined)) blocks.push({ text: 'See the document.' });
    return { role, content: blocks };
  });
  const end = written.at(-1);
  if (last?.role === 'assistant' && end?.role === 'assistant') trimEnd(end);
  return written;
}

/** Each call has its result in the next turn, and each result its call in the turn before; a history that was cut has it otherwise. */
function pairResults(turns: Message[], changes: Set<string>): void {
  for (let index = 0; index < turns.length; index += 1) {
    const turn = turns[index];
    if (turn === undefined) return;
    const before = turns[index - 1];
    const open = new Set(before?.role === 'assistant' ? before.content.flatMap(part => (part.type === 'tool-call' ? [part.id] : [])) : []);
    if (turn.role === 'user') {
      turn.content = turn.content.map((part): ContentPart => {
        if (!isResult(part) || open.delete(part.callId)) return part;
        changes.add('a result without its call was sent as text');
        return { type: 'text', text: `Result of the tool ${part.name ?? part.callId}:\n${joinedText(part.content, '\n') || 'none'}` };
      });
      if (open.size > 0) {
        changes.add('a call without its result was given an empty one');
        turn.content.unshift(...[...open].map((callId): ToolResultPart => ({ type: 'tool-result', callId, content: [] })));
      }
      continue;
    }
    // The same id twice in a turn is one call for Converse.
    const seen = new Set<string>();
    turn.content = turn.content.filter(part => part.type !== 'tool-call' || (!seen.has(part.id) && seen.add(part.id).size > 0));
    if (seen.size > 0 && turns[index + 1] === undefined) turns.push({ role: 'user', content: [{ type: 'text', text: 'Continue.' }] });
  }
}

function isResult(part: ContentPart): part is ToolResultPart {
  return part.type === 'tool-result';
}

function isSendable(part: ContentPart): boolean {
  switch (part.type) {
    case 'text':
    case 'refusal': return part.text.trim() !== '';
    // Models behind Converse refuse reasoning of others, and go on without their own.
    case 'thinking': return false;
    default: return true;
  }
}

/** A text the model is to continue must not end in white space. */
function trimEnd({ content }: JsonObject): void {
  const block = Array.isArray(content) ? content.at(-1) as JsonObject | undefined : undefined;
  if (block !== undefined && typeof block.text === 'string') block.text = block.text.trimEnd();
}

function encodePart(part: ContentPart, role: 'user' | 'assistant' | 'system', place: ContentPlace, names: DocumentNames): JsonObject[] {
  const cache = 'cache' in part && part.cache !== undefined && place.rules.cacheMarks !== 'none' ? [cachePoint(part.cache)] : [];
  switch (part.type) {
    case 'text':
    case 'refusal': return [{ text: part.text }, ...cache];
    case 'image':
    case 'document': return [role === 'assistant' ? words(part, place) : encodeMedia(part, place, names), ...cache];
    case 'thinking': return [];
    case 'tool-call': return [{ toolUse: { toolUseId: fitId(part.id, callIds, place.changes), name: part.name, input: callInput(part) } }, ...cache];
    case 'tool-result': return [encodeResult(part, place, names), ...cache];
  }
}

function encodeResult(part: ToolResultPart, place: ContentPlace, names: DocumentNames): JsonObject {
  const { rules } = place;
  const failed = part.isError === true;
  const content = part.content.flatMap((entry): JsonObject[] => {
    if (entry.type === 'text') return entry.text.trim() === '' ? [] : [{ text: entry.text }];
    return [rules.richResults ? encodeMedia(entry, place, names) : words(entry, place)];
  });
  if (content.length === 0) content.push({ text: 'No output.' });
  if (failed && !rules.richResults) {
    const text = content.find(entry => typeof entry.text === 'string');
    if (text === undefined) content.unshift({ text: failureText('') });
    else text.text = failureText(String(text.text));
  }
  return { toolResult: withoutUndefined({ toolUseId: fitId(part.callId, callIds, place.changes), content, status: failed && rules.richResults ? 'error' : undefined }) };
}

const imageFormats: ReadonlyMap<string, string> = new Map([['image/png', 'png'], ['image/jpeg', 'jpeg'], ['image/gif', 'gif'], ['image/webp', 'webp']]);
const documentFormats: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'], ['text/csv', 'csv'], ['application/msword', 'doc'], ['text/html', 'html'], ['text/markdown', 'md'], ['text/plain', 'txt'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'], ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
]);

function encodeMedia(part: ImagePart | DocumentPart, place: ContentPlace, names: DocumentNames): JsonObject {
  const { source } = part;
  if (source.kind !== 'base64') return words(part, place);
  if (part.type === 'image') {
    const format = imageFormats.get(imageType(part.mimeType ?? 'image/png', source.data));
    return format === undefined ? words(part, place) : { image: { format, source: { bytes: source.data } } };
  }
  const format = documentFormats.get(part.mimeType);
  if (format !== undefined && place.rules.richResults) return { document: { format, name: names.of(part.filename), source: { bytes: source.data } } };
  const text = documentText(part);
  return text === undefined || text.trim() === '' ? words(part, place) : { text: inlineDocument(part.filename, text) };
}

function words(part: ImagePart | DocumentPart, { changes }: ContentPlace): JsonObject {
  changes.add(part.type === 'image' ? 'an image was left out' : 'a document was left out');
  return { text: leftOut(describeMedia(part)).text };
}

/** Names of documents have letters, digits, single spaces, hyphens and brackets only, and differ within a request. */
class DocumentNames {
  readonly #used = new Set<string>();

  of(filename: string | undefined): string {
    const plain = (filename ?? 'document').replace(/\.[A-Za-z0-9]{1,5}$/, '').replace(/[^A-Za-z0-9()[\]-]+/g, ' ').trim().slice(0, 180);
    const base = plain === '' ? 'document' : plain;
    let name = base;
    for (let number = 2; this.#used.has(name); number++) name = `${base} (${number})`;
    this.#used.add(name);
    return name;
  }
}
