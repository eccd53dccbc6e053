import { parseSettled } from '../base/exactJson.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { ObjectScan } from '../base/objectScan.ts';

/**
 * Agents send the same list of tools with each request of a conversation, and it is often most of the request. The list of an
 * earlier request is found again by its bytes, and given to the codecs as the same object; what they made of it then hangs on that
 * object, down to the JSON text for the target. So nothing may write to a list of tools, nor to what is in it.
 */

const field = 'tools';
const openBracket = 0x5b;
/** A shorter list is read again as fast as it is found. */
const shortestBytes = 2048;
const longestBytes = 512 * 1024;
/** As many tools of one user are at work at the same time. */
const mostLists = 4;

/** What is known of the latest few texts, found by their bytes. */
export class LatestByBytes<Value> {
  readonly #most: number;
  /** The latest comes first. */
  readonly #entries: { bytes: Buffer; value: Value }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  find(bytes: Buffer): Value | undefined {
    const at = this.#entries.findIndex(entry => entry.bytes.equals(bytes));
    const found = this.#entries[at];
    if (found === undefined) return undefined;
    if (at > 0) this.#entries.unshift(...this.#entries.splice(at, 1));
    return found.value;
  }

  /** @param bytes copied, because they are a part of a whole body */
  remember(bytes: Buffer, value: Value): void {
    this.#entries.unshift({ bytes: Buffer.from(bytes), value });
    if (this.#entries.length > this.#most) this.#entries.pop();
  }
}

/** The lists of tools in the latest requests, by the bytes in which they came. */
export class ToolListMemory {
  readonly #lists = new LatestByBytes<JsonValue[]>(mostLists);

  /**
   * The body of a request as `parseSettled` gives it, its list of tools being that of an earlier request with the same bytes.
   * @param scan of these bytes
   */
  parse(bytes: Buffer, scan: ObjectScan): JsonValue | undefined {
    const range = scan.fields.get(field);
    if (range === undefined || bytes[range.start] !== openBracket || range.end - range.start < shortestBytes || range.end - range.start > longestBytes) {
      return parseSettled(bytes.toString('utf8'));
    }
    const written = bytes.subarray(range.start, range.end);
    const known = this.#lists.find(written);
    if (known === undefined) {
      const body = parseSettled(bytes.toString('utf8'));
      const list = (body as JsonObject | undefined)?.[field];
      if (Array.isArray(list)) this.#lists.remember(written, list);
      return body;
    }
    const rest = parseSettled(`${bytes.toString('utf8', 0, range.start)}[]${bytes.toString('utf8', range.end)}`);
    if (rest !== undefined) (rest as JsonObject)[field] = known;
    return rest;
  }
}

/** The same function, which makes its result of one list once; a later call gets the same result for as long as the list lives. */
export function oncePerList<List extends readonly object[] | readonly JsonValue[], Result extends object | string>(make: (list: List) => Result): (list: List) => Result {
  const made = new WeakMap<List, Result>();
  return list => {
    let result = made.get(list);
    if (result === undefined) {
      result = make(list);
      made.set(list, result);
    }
    return result;
  };
}

const toolsText = oncePerList((list: JsonValue[]) => JSON.stringify(list));

/** The body of a request as JSON text: as `JSON.stringify` gives it, the text of a list of tools being written once. */
export function requestText(body: JsonObject): string {
  let text = '';
  for (const name in body) {
    const value = body[name];
    if (value === undefined) continue;
    text += `${text === '' ? '{' : ','}${JSON.stringify(name)}:${name === field && Array.isArray(value) ? toolsText(value) : JSON.stringify(value)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}
