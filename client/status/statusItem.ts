import type { StatusBarContent } from './statusText.ts';

/** The part of the editor's status bar item that is written. */
export interface StatusItem<Tooltip, Colour> {
  text: string;
  tooltip: Tooltip | undefined;
  /** Written with the id of a command; editors hold richer values too. */
  command: unknown;
  accessibilityInformation: { label: string } | undefined;
  backgroundColor: Colour | undefined;
  show(): void;
  hide(): void;
}

/** What the editor makes out of plain data. */
export interface StatusItemParts<Tooltip, Colour> {
  tooltip(markdown: string): Tooltip;
  errorBackground(): Colour;
}

/** Writes a status bar item, and only what differs: a tooltip that is set again vanishes under the pointer. */
export class StatusItemWriter<Tooltip, Colour> {
  readonly #item: StatusItem<Tooltip, Colour>;
  readonly #parts: StatusItemParts<Tooltip, Colour>;
  #written: StatusBarContent | undefined;
  #shown = false;

  constructor(item: StatusItem<Tooltip, Colour>, parts: StatusItemParts<Tooltip, Colour>) {
    this.#item = item;
    this.#parts = parts;
  }

  /** @param content undefined hides the item */
  write(content: StatusBarContent | undefined): void {
    const item = this.#item;
    if (content === undefined) {
      if (this.#shown) item.hide();
      this.#shown = false;
      return;
    }
    const before = this.#written;
    if (content.text !== before?.text) item.text = content.text;
    if (content.tooltip !== before?.tooltip) item.tooltip = this.#parts.tooltip(content.tooltip);
    if (content.command !== before?.command) item.command = content.command;
    if (content.spoken !== before?.spoken) item.accessibilityInformation = { label: content.spoken };
    if (content.background !== before?.background) item.backgroundColor = content.background === 'error' ? this.#parts.errorBackground() : undefined;
    this.#written = content;
    if (!this.#shown) item.show();
    this.#shown = true;
  }
}
