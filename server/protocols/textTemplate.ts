/** A longer event is no event of a few words, and would be kept for its form. */
const longestEvent = 4096;
/** A provider that writes something new into every event has no form that is worth looking for. */
const mostAttempts = 16;
/** What cannot stand as it is in a JSON string. */
const needsEscape = /["\\\u0000-\u001f]/;
/** Bytes that stand for themselves in a JSON string, as nearly all of an English answer do. */
const onlyPlain = /^[ !#-[\]-~]*$/;
/** A raw line end or another control character: the chunk holds more than one event, or no JSON. */
const controls = /[\u0000-\u001f]/;
const beyondAscii = /[\u0080-\u00ff]/;
const lineFeed = 0x0a;
/** A larger chunk is read as any other. */
const longestChunk = 16 * 1024;

/**
 * Recognises the events of a stream that differ from an earlier one in their text only, as nearly all events of an answer do,
 * and reads the text of such an event without parsing the rest of it.
 *
 * An event is taken apart around its text when it has been parsed, and brought nothing but that text. A later event with the
 * same beginning and the same end has the same meaning, whatever stands between, as long as that is one JSON string.
 */
export class TextTemplate {
  /** What stands before the text, for the search: `"content":"`. */
  readonly #field: string;
  #event: string | undefined;
  #head = '';
  #tail = '';
  /** How a chunk begins and ends that holds one such event and nothing else: its bytes, each as one character. */
  #chunkHead = '';
  #chunkTail = '';
  #attempts = 0;
  /** An event that was parsed and is taken apart when the next one comes: the caller waits for the first. */
  #pending: { event: string | undefined; data: string; text: string } | undefined;

  /** @param field the name of the field that holds the text */
  constructor(field: string) {
    this.#field = `${JSON.stringify(field)}:`;
  }

  /** The text of an event of the known form; undefined for any other event. @param event the SSE event name, when there was one */
  textOf(event: string | undefined, data: string): string | undefined {
    if (this.#pending !== undefined) this.#takeApart();
    const head = this.#head;
    const tail = this.#tail;
    const length = data.length - head.length - tail.length;
    if (head === '' || length < 0 || event !== this.#event || !data.startsWith(head) || !data.endsWith(tail)) return undefined;
    const raw = data.slice(head.length, head.length + length);
    this.#attempts = 0;
    return needsEscape.test(raw) ? unescaped(raw) : raw;
  }

  /** As `textOf`, from the bytes of a chunk that begins and ends between events; undefined where it is not one event of the known form in its usual lines. */
  textOfChunk(chunk: Buffer): string | undefined {
    if (this.#pending !== undefined) this.#takeApart();
    const head = this.#chunkHead;
    const tail = this.#chunkTail;
    const end = chunk.length - tail.length;
    if (head === '' || end < head.length || chunk.length > longestChunk) return undefined;
    // A line end in the text: the chunk has more than one event, and is not worth a copy.
    if (chunk.indexOf(lineFeed, head.length) < end) return undefined;
    const bytes = chunk.toString('latin1');
    if (!bytes.startsWith(head) || !bytes.endsWith(tail)) return undefined;
    const raw = bytes.slice(head.length, end);
    if (onlyPlain.test(raw)) {
      this.#attempts = 0;
      return raw;
    }
    if (controls.test(raw)) return undefined;
    this.#attempts = 0;
    const text = beyondAscii.test(raw) ? chunk.toString('utf8', head.length, end) : raw;
    return needsEscape.test(text) ? unescaped(text) : text;
  }

  /** Takes the form of an event that was parsed. @param text all that the event brought */
  learn(event: string | undefined, data: string, text: string): void {
    if (this.#attempts >= mostAttempts || data.length > longestEvent) return;
    this.#attempts += 1;
    if (this.#pending !== undefined) this.#takeApart();
    this.#pending = { event, data, text };
  }

  #takeApart(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const { event, data, text } = pending;
    const literal = JSON.stringify(text);
    const at = data.indexOf(this.#field + literal);
    // The same field with the same text in two places: nothing shows which of them was read.
    if (at < 0 || data.indexOf(literal) !== data.lastIndexOf(literal)) return;
    const from = at + this.#field.length;
    this.#event = event;
    this.#head = data.slice(0, from + 1);
    this.#tail = data.slice(from + literal.length - 1);
    // Data of several lines has other lines in the chunk.
    this.#chunkHead = data.includes('\n') ? '' : latin1(`${event === undefined ? '' : `event: ${event}\n`}data: ${this.#head}`);
    this.#chunkTail = latin1(`${this.#tail}\n\n`);
  }
}

/** What stands between the quotes of a JSON string, as text; undefined where it is no such string. */
function unescaped(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}

/** The bytes of a text in UTF-8, each as one character. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
