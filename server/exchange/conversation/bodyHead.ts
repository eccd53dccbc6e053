import type { ConversationRequest } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { ByteRange } from '../../base/objectScan.ts';
import type { RawBody } from '../request.ts';

/** What stays the same in each request of a conversation. Text of a prompt: it is digested and kept nowhere. */
export interface BodyHead {
  /** What the caller's protocol lets it name a conversation by; the texts then do not count. */
  readonly named?: string | undefined;
  /** The beginning of the instructions. */
  readonly system: string;
  /** The beginning of the first message of the user. */
  readonly user: string;
}

/** Enough to differ; what follows often holds the time or the state of a folder. */
const systemLength = 256;
const userLength = 2000;
/** So much of the first messages is looked through, in bytes. */
const longestWalk = 512 * 1024;
/** A larger message is not parsed, because its first bytes are as good a head. */
const longestParse = 64 * 1024;
const mostMessages = 16;

/** Claude Code opens its instructions with a block whose numbers differ in each request. */
const changingBlock = 'x-anthropic-billing-header';

const systemFields = ['system', 'instructions', 'systemInstruction', 'system_instruction'];
/** Top-level fields that hold messages, in all protocols. */
export const messageFields = ['messages', 'input', 'contents', 'prompt'];

/** The head of a body that came as bytes, of any protocol. The first messages are read, and nothing behind them. */
export function headOfBytes(raw: RawBody): BodyHead {
  const named = namedIn(raw);
  if (named !== undefined) return { named, system: '', user: '' };
  const { bytes, scan } = raw;
  let system = '';
  for (const field of systemFields) {
    const range = scan.fields.get(field);
    if (range !== undefined) system = textAt(bytes, range, systemLength);
  }
  for (const field of messageFields) {
    const range = scan.fields.get(field);
    if (range === undefined) continue;
    if (bytes[range.start] !== openBracket) return { system, user: textAt(bytes, range, userLength) };
    return headOfMessages(bytes, range, system);
  }
  return { system, user: '' };
}

/** The head of a conversation in the internal form. */
export function headOfConversation({ system, messages, promptCacheKey }: ConversationRequest): BodyHead {
  const first = messages.find(({ role }) => role === 'user');
  return {
    ...(promptCacheKey === undefined || promptCacheKey === '' ? {} : { named: promptCacheKey }),
    system: joined(system, systemLength), user: joined(first?.content ?? [], userLength),
  };
}

/** `prompt_cache_key` and `conversation` of OpenAI, and the session that Claude Code writes into `metadata.user_id`. */
function namedIn({ bytes, scan }: RawBody): string | undefined {
  const key = asString(valueOf(bytes, scan.fields.get('prompt_cache_key')));
  if (key !== undefined && key !== '') return key;
  const kept = valueOf(bytes, scan.fields.get('conversation'));
  const id = asString(isObject(kept) ? kept['id'] : kept);
  if (id !== undefined && id !== '') return id;
  const metadata = valueOf(bytes, scan.fields.get('metadata'));
  const user = isObject(metadata) ? asString(metadata['user_id']) : undefined;
  return user?.includes('session') === true ? user : undefined;
}

function valueOf(bytes: Buffer, range: ByteRange | undefined): unknown {
  if (range === undefined || range.end - range.start > longestParse) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', range.start, range.end)) as unknown;
  } catch {
    return undefined;
  }
}

/** The instructions that stand among the messages, and the first message of the user; a message without a role is one of the user's. */
function headOfMessages(bytes: Buffer, list: ByteRange, before: string): BodyHead {
  let system = before;
  let at = list.start + 1;
  const end = Math.min(list.end, list.start + longestWalk);
  for (let count = 0; count < mostMessages; count++) {
    const range = elementFrom(bytes, at, end);
    if (range === undefined) break;
    at = range.end + 1;
    const message = valueOf(bytes, range);
    const role = isObject(message) ? message['role'] : undefined;
    if (role === 'system' || role === 'developer') system = system === '' ? textOf(message, systemLength) : system;
    else if (message === undefined || typeof message === 'string' || role === 'user' || role === undefined) {
      const user = message === undefined ? bytes.toString('latin1', range.start, Math.min(range.end, range.start + userLength)) : textOf(message, userLength);
      if (user !== '') return { system, user };
    }
  }
  return { system, user: '' };
}

/** The text of a field: of a string, of a list of parts, of a message. */
function textAt(bytes: Buffer, range: ByteRange, length: number): string {
  const value = valueOf(bytes, range);
  return value === undefined ? bytes.toString('latin1', range.start, Math.min(range.end, range.start + length)) : textOf(value, length);
}

function textOf(value: unknown, length: number): string {
  if (typeof value === 'string') return value.slice(0, length);
  if (Array.isArray(value)) return joined(value, length);
  if (!isObject(value)) return '';
  return textOf(value['content'] ?? value['parts'] ?? value['text'] ?? '', length);
}

function joined(parts: readonly unknown[], length: number): string {
  let text = '';
  for (const part of parts) {
    const own = asString(isObject(part) ? part['text'] : part);
    if (own !== undefined && !own.startsWith(changingBlock)) text += own;
    if (text.length >= length) break;
  }
  return text.slice(0, length);
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The next element of a JSON list, from behind its bracket or a comma; undefined where none ends before `end`. */
export function elementFrom(bytes: Buffer, from: number, end: number): ByteRange | undefined {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      at = closingQuote(bytes, at + 1, end);
      if (at < 0) return undefined;
    } else if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || (byte === closeBracket && depth > 0)) depth--;
    else if (depth === 0 && (byte === comma || byte === closeBracket)) return bytes.toString('latin1', from, at).trim() === '' ? undefined : { start: from, end: at };
  }
  return undefined;
}

function closingQuote(bytes: Buffer, from: number, end: number): number {
  for (let at = bytes.indexOf(quote, from); at >= 0 && at < end; at = bytes.indexOf(quote, at + 1)) {
    let before = at - 1;
    while (before >= from && bytes[before] === backslash) before--;
    if (((at - 1 - before) & 1) === 0) return at;
  }
  return -1;
}
