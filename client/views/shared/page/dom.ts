type Child = Node | string | undefined;

/** Makes an element. Strings become text, never HTML; undefined attributes and children are left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | undefined> = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/** A button that runs `action`. */
export function button(label: string, action: () => void, attributes: Record<string, string | undefined> = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', action);
  return made;
}

/**
 * Replaces the children of a container. The element with the same `data-key` keeps the keyboard focus, so that
 * a live update does not throw a keyboard user back to the start.
 */
export function replaceContent(container: Element, ...children: Child[]): void {
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement || focused instanceof SVGElement ? focused.dataset.key : undefined;
  const hadFocus = focused !== null && container.contains(focused);
  container.replaceChildren(...children.filter((child) => child !== undefined));
  if (!hadFocus || key === undefined) return;
  const successor = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (successor instanceof HTMLElement || successor instanceof SVGElement) successor.focus({ preventScroll: true });
}

/** A number as a CSS or SVG percentage. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}

function filled<Made extends Element>(made: Made, attributes: Record<string, string | undefined>, children: Child[]): Made {
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}
