import { asString, isObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';

const maxItems = 2000;
const maxItemBytes = 256 * 1024;

/**
 * Output items of translated Responses answers, by id. Callers who take it that their provider stores answers
 * (`store` is true unless they say otherwise) send an `item_reference` instead of the item on their next turn; the
 * provider that answered has never heard of the id. Bounded, and gone with the process: then the caller is told.
 */
export class GivenItems {
  readonly #items = new Map<string, JsonObject>();

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
      return known;
    });
    return found ? { ...body, input } : undefined;
  }

  #remember(item: JsonValue | undefined): void {
    if (!isObject(item)) return;
    const id = asString(item.id);
    if (id === undefined || JSON.stringify(item).length > maxItemBytes) return;
    this.#items.set(id, item);
    const oldest = this.#items.size > maxItems ? this.#items.keys().next() : undefined;
    if (oldest?.done === false) this.#items.delete(oldest.value);
  }
}
