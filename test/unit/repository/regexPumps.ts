import { createRequire } from 'node:module';

/** The part of the pattern's tree that texts are made from; see `@eslint-community/regexpp`, which comes with the linter. */
interface PatternNode {
  type: string;
  raw: string;
  alternatives?: PatternNode[];
  elements?: PatternNode[];
  element?: PatternNode;
  /** The code point of a character. */
  value?: number;
  min?: number;
  resolved?: PatternNode | PatternNode[];
}

const { RegExpParser } = createRequire(createRequire(import.meta.url).resolve('eslint'))('@eslint-community/regexpp') as {
  RegExpParser: new () => { parsePattern(source: string, start: number, end: number, mode: { unicode: boolean; unicodeSets: boolean }): PatternNode };
};

/** A text that is a beginning, something over and over, and an end that most likely fits nothing. */
export interface Pump { before: string; again: string; after: string }

const anyPumps = [' ', '\n', '\t', '\r\n', 'a', 'A', '0', '/', '-', '_', '.', '=', ':', '"', '\'', '\\', '@', ',', '{', '[', '(', '<', '&', '\u{1f642}', '\ud800'];
const ends = ['', '\u0001', 'x!'];
const longestRange = 4;

/**
 * Hostile texts for a pattern: every run of up to four parts of it over and over, alone and behind what the pattern wants
 * to see before it, and runs of each kind of character.
 */
export function pumpsFor(source: string, flags: string): Pump[] {
  const made = new Map<string, Pump>();
  const add = (before: string, again: string): void => {
    if (again === '') return;
    for (const after of ends) made.set(JSON.stringify([before, again, after]), { before, again, after });
  };
  /** Patterns that begin at the border of a word see one before each of these. */
  const addWithBorder = (again: string): void => {
    add('', again);
    add('', `-${again}`);
  };
  for (const again of anyPumps) add('', again);
  const walk = (node: PatternNode, before: string): void => {
    for (const alternative of node.alternatives ?? []) walk(alternative, before);
    if (node.element !== undefined) walk(node.element, before);
    const elements = words(node.elements ?? []);
    const parts = elements.map(element => element.map(one => sampleOf(one, flags)).join(''));
    elements.forEach((element, from) => {
      const seen = before + parts.slice(0, from).join('');
      for (let to = from + 1; to <= Math.min(parts.length, from + longestRange); to += 1) {
        const again = parts.slice(from, to).join('');
        addWithBorder(again);
        add(seen, again);
      }
      addWithBorder(parts.join(''));
      for (const one of element) walk(one, seen);
    });
  };
  walk(new RegExpParser().parsePattern(source, 0, source.length, { unicode: flags.includes('u'), unicodeSets: flags.includes('v') }), '');
  return [...made.values()];
}

const candidates = [...'a0 A-_./:=@\n\t"\'\\,;<>()[]{}|!#$%&*+?^`~zZ9\r', ...'fxegmtsdhkirnlopquvwycbj', '\u0080', '\u00ad', '＝'];

/** Letters that stand side by side in a pattern are one part of it. */
function words(elements: readonly PatternNode[]): PatternNode[][] {
  const parts: PatternNode[][] = [];
  for (const element of elements) {
    const last = parts.at(-1);
    if (element.type === 'Character' && last?.[0]?.type === 'Character') last.push(element);
    else parts.push([element]);
  }
  return parts;
}

/** A shortest text that fits a part of a pattern, or nearly so. */
function sampleOf(node: PatternNode, flags: string): string {
  switch (node.type) {
    case 'Character': return String.fromCodePoint(node.value ?? 0);
    case 'CharacterClass':
    case 'CharacterSet': {
      const fits = new RegExp(`^(?:${node.raw})$`, flags.replaceAll(/[gy]/g, ''));
      const plain = candidates.find(candidate => fits.test(candidate));
      if (plain !== undefined) return plain;
      for (let code = 0; code < 0x3000; code += 1) if (fits.test(String.fromCharCode(code))) return String.fromCharCode(code);
      return '';
    }
    case 'Quantifier': return node.element === undefined ? '' : sampleOf(node.element, flags).repeat(Math.max(1, node.min ?? 1));
    case 'Group':
    case 'CapturingGroup': return sampleOf(node.alternatives?.[0] ?? node, flags);
    case 'Alternative': return (node.elements ?? []).map(element => sampleOf(element, flags)).join('');
    case 'Backreference': return Array.isArray(node.resolved) || node.resolved === undefined ? '' : sampleOf(node.resolved, flags);
    default: return '';
  }
}
