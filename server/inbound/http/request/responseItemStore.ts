import { asString, isObject, parseJson, type JsonObject, type JsonValue } from '../../../base/json.ts';

const maxItems = 2000;
const maxItemBytes = 256 * 1024;
const maxTotalBytes = 16 * 1024 * 1024;
const maxIdLength = 200;

/**
 * Output items of translated Responses answers, by id. Callers who take it that their provider stores answers
 * (`store` is true unless they say otherwise) send an `item_reference` instead of the item on their next turn; the
 * provider that answered does not know the id. Bounded in number and in bytes, the oldest go first, and gone with the
 * process: then the caller's reference stays as it is.
 */
export class ResponseItemStore {
  /** JSON text as bytes, so that the count is the memory it takes. */
  readonly #items = new Map<string, Buffer>();
  #totalBytes = 0;

  /** Bytes of all items that are kept. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Takes the items out of a plain answer. */
  rememberPlain(response: JsonObject): void {
    if (Array.isArray(response.output)) for (const item of response.output) this.#remember(item);
  }

  /** Takes finished items out of a piece of a stream; pieces hold whole events. */
  rememberStreamed(text: string): void {
    for (const line of text.split('\n')) {
      if (!line.startsWith('data: {"type":"response.output_item.done"')) continue;
      const event = parseJson(line.slice('data: '.length));
      if (isObject(event)) this.#remember(event.item);
    }
  }

  /**
   * The body with every known reference replaced by its item.
   * @returns undefined when none is known
   */
  resolve(body: JsonObject): JsonObject | undefined {
    if (!Array.isArray(body.input)) return undefined;
    let found = false;
    const input = body.input.map(item => {
      if (!isObject(item) || item.type !== 'item_reference') return item;
      const known = this.#items.get(asString(item.id) ?? '');
      if (known === undefined) return item;
      found = true;
      return JSON.parse(known.toString()) as JsonObject;
    });
    return found ? { ...body, input } : undefined;
  }

  #remember(item: JsonValue | undefined): void {
    if (!isObject(item)) return;
    const id = asString(item.id);
    if (id === undefined || id.length > maxIdLength) return;
    const bytes = Buffer.from(JSON.stringify(item));
    if (bytes.length > maxItemBytes) return;
    this.#forget(id);
    this.#items.set(id, bytes);
    this.#totalBytes += bytes.length;
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= maxItems && this.#totalBytes <= maxTotalBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    this.#totalBytes -= this.#items.get(id)?.length ?? 0;
    this.#items.delete(id);
  }
}
