/** What a tree needs to know of a line: an id that stays, and the lines under it. */
export interface TreeLine<Line> {
  readonly id: string;
  children: Line[];
}

/**
 * The lines of a tree view, kept as the same objects for as long as their ids are there, because the editor knows a line by
 * its object. An update tells which of them look different now, so that only those are drawn again: a line that is drawn
 * again loses the hover and the tooltip under the pointer.
 */
export class TreeElements<Line extends TreeLine<Line>> {
  #lines: Line[] = [];

  get lines(): Line[] { return this.#lines; }

  /**
   * Takes over what the tree is to show now.
   * @returns the lines to be drawn again, each with all under it; `undefined` among them stands for the whole tree
   */
  update(wanted: readonly Line[]): (Line | undefined)[] {
    const changed: (Line | undefined)[] = [];
    this.#lines = merge(undefined, this.#lines, wanted, changed);
    return changed.includes(undefined) ? [undefined] : changed;
  }
}

/** Writes the wanted lines into the known ones. @returns the lines as they are now, in the wanted order */
function merge<Line extends TreeLine<Line>>(parent: Line | undefined, known: readonly Line[], wanted: readonly Line[], changed: (Line | undefined)[]): Line[] {
  const sameLines = known.length === wanted.length && wanted.every((line, index) => line.id === known[index]?.id);
  // A parent that is drawn again draws its lines again.
  const reported = sameLines ? changed : [];
  if (!sameLines) changed.push(parent);
  const byId = sameLines ? undefined : new Map(known.map(line => [line.id, line]));
  return wanted.map((line, index) => {
    const before = sameLines ? known[index] : byId?.get(line.id);
    return before === undefined ? line : mergeLine(before, line, reported);
  });
}

function mergeLine<Line extends TreeLine<Line>>(before: Line, line: Line, changed: (Line | undefined)[]): Line {
  const looksTheSame = ownPart(before) === ownPart(line) && (before.children.length === 0) === (line.children.length === 0);
  if (!looksTheSame) changed.push(before);
  const children = merge(before, before.children, line.children, looksTheSame ? changed : []);
  for (const field of Object.keys(before) as (keyof Line)[]) if (!(field in line)) Reflect.deleteProperty(before, field);
  return Object.assign(before, line, { children });
}

function ownPart<Line extends TreeLine<Line>>(line: Line): string {
  return JSON.stringify({ ...line, children: undefined });
}
