import { asString, isObject } from '../../base/json.ts';
import type { Redactor } from '../../base/secrets/redact.ts';
import { withoutHarness } from '../../routing/purpose/callerText.ts';
import type { ExchangeInput, RawBody } from '../request.ts';
import { elementFrom, messageFields } from './bodyHead.ts';

const longestTitle = 60;
/** So much of a text is looked at for secrets, of which the title is the beginning. */
const lookedAt = 600;
/** So much of the first messages is read, in bytes. */
const longestWalk = 256 * 1024;
const mostMessages = 16;
/** Marks that turn the direction of text: a title that holds one would turn the line that it is shown in. */
const directions = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** What a terminal obeys. */
const controls = /[\u0000-\u001f\u007f-\u009f]/g;
/** What tools send as a message of the user, without tags around it. */
const toolTexts = ['# AGENTS.md instructions', 'Caveat: The messages below'];

/**
 * The first words that a person wrote in the conversation of a request, on one line and without secrets: the text that is kept
 * where `keepTitles` is on. Undefined for copies of shadows, for calls that are no conversation, and where the user wrote nothing.
 */
export function keptTitle({ body, shadow }: Pick<ExchangeInput, 'body' | 'shadow'>, redactor: Pick<Redactor, 'redact'>): string | undefined {
  if (body.kind !== 'conversation' || shadow !== undefined) return undefined;
  for (const text of body.raw === undefined ? decodedTexts(body) : textsOfBytes(body.raw)) {
    const title = titleOf(text, redactor);
    if (title !== undefined) return title;
  }
  return undefined;
}

function titleOf(text: string, redactor: Pick<Redactor, 'redact'>): string | undefined {
  const typed = withoutHarness(text).trimStart();
  // Context of a tool stands in tags of its own, which are not all known.
  if (typed.startsWith('<') || toolTexts.some(start => typed.startsWith(start))) return undefined;
  // A key that the cut goes through would not be known for one; keys are ASCII.
  const beginning = typed.length <= lookedAt ? typed : beforeLastWord(typed.slice(0, lookedAt));
  const line = redactor.redact(beginning.replace(directions, '').replace(controls, ' ')).replace(/\s+/g, ' ').trim();
  if (line === '') return undefined;
  return line.length <= longestTitle ? line : `${wholeCharacters(line.slice(0, longestTitle - 1)).trimEnd()}…`;
}

/** A text that was cut, up to what is not visible ASCII. */
function beforeLastWord(text: string): string {
  let end = text.length;
  for (let code = text.charCodeAt(end - 1); end > 0 && code > 0x20 && code < 0x7f; code = text.charCodeAt(end - 1)) end -= 1;
  return text.slice(0, end);
}

/** A text that was cut, without the first half of a character that the cut went through. */
function wholeCharacters(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}

function decodedTexts(body: Extract<ExchangeInput['body'], { kind: 'conversation' }>): string[] {
  try {
    return body.decoded().messages.slice(0, mostMessages).flatMap(({ role, content }) => (role === 'user' ? content.flatMap(part => (part.type === 'text' ? [part.text] : [])) : []));
  } catch {
    // The exchange reports what is wrong with the body when it needs it.
    return [];
  }
}

/** The texts of the first messages of the user, in any protocol, each part for itself. */
function* textsOfBytes({ bytes, scan }: RawBody): Iterable<string> {
  const list = messageFields.map(field => scan.fields.get(field)).find(range => range !== undefined);
  if (list === undefined) return;
  if (bytes[list.start] !== openBracket) {
    yield* textsOf(parsed(bytes, list.start, list.end));
    return;
  }
  const end = Math.min(list.end, list.start + longestWalk);
  let at = list.start + 1;
  for (let count = 0; count < mostMessages; count++) {
    const range = elementFrom(bytes, at, end);
    if (range === undefined) return;
    at = range.end + 1;
    const message = parsed(bytes, range.start, range.end);
    const role = isObject(message) ? message['role'] : undefined;
    if (role === undefined || role === 'user') yield* textsOf(isObject(message) ? message['content'] ?? message['parts'] ?? message['text'] : message);
  }
}

function parsed(bytes: Buffer, start: number, end: number): unknown {
  if (end - start > longestWalk) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as unknown;
  } catch {
    return undefined;
  }
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap(part => asString(isObject(part) ? part['text'] : part) ?? []);
}

const openBracket = 0x5b;
