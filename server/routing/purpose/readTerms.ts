import { workKinds, type WorkKind } from '../../api/purpose.ts';
import { termGroups, type TermGroup } from './workTerms.ts';

/** What a text is about, as far as the terms in it show. */
export interface TermReading {
  readonly kind: WorkKind;
  /** Of the term that decided, such as "it asks for a summary". */
  readonly about: string;
}

/** A term after its first word. */
interface Term { readonly rest: readonly string[]; readonly position: number; readonly group: TermGroup }

/** The task stands among so many words at the beginning. */
const openingWords = 7;
/** What speaks for no other kind by at least so much is balanced. */
const margin = 0.5;
const kinds = Object.keys(workKinds) as WorkKind[];

const noTerms: readonly Term[] = [];

function indexTerms(groups: readonly TermGroup[]): ReadonlyMap<string, readonly Term[]> {
  const index = new Map<string, Term[]>();
  groups.forEach((group, position) => {
    for (const term of `${group.english}, ${group.vietnamese}`.split(', ')) {
      const [first = '', ...rest] = term.split(' ');
      const terms = index.get(first);
      if (terms === undefined) index.set(first, [{ rest, position, group }]);
      else terms.push({ rest, position, group });
    }
  });
  // Of terms that begin alike the longest is the first.
  for (const terms of index.values()) terms.sort((a, b) => b.rest.length - a.rest.length);
  return index;
}

/** Made at the first need: a server without routes that go by kinds of work needs none. */
let termIndex: ReadonlyMap<string, readonly Term[]> | undefined;

/**
 * Reads a text by the list of terms.
 * @param words folded, in their order
 * @returns undefined where no term stands in it
 */
export function readTerms(words: readonly string[]): TermReading | undefined {
  const index = termIndex ??= indexTerms(termGroups);
  let sums: Float64Array | undefined;
  let task: Term | undefined;
  for (let at = 0; at < words.length; at++) {
    for (const term of index.get(words[at] ?? '') ?? noTerms) {
      const { rest, position, group } = term;
      if (!followed(words, at, rest)) continue;
      sums ??= new Float64Array(termGroups.length);
      if (task === undefined && at < openingWords && group.opening !== undefined) task = term;
      else sums[position] = Math.min(group.most, (sums[position] ?? 0) + group.weight);
    }
  }
  if (sums === undefined) return undefined;
  if (task !== undefined) sums[task.position] = (sums[task.position] ?? 0) + (task.group.opening ?? 0);
  return strongest(termGroups, sums);
}

function followed(words: readonly string[], at: number, rest: readonly string[]): boolean {
  for (let index = 0; index < rest.length; index++) if (words[at + 1 + index] !== rest[index]) return false;
  return true;
}

function strongest(groups: readonly TermGroup[], sums: Float64Array): TermReading {
  const scores: Record<WorkKind, number> = { 'low-cost': 0, 'balanced': margin, 'high-quality': 0 };
  const leading: Partial<Record<WorkKind, { score: number; about: string }>> = {};
  groups.forEach(({ kind, about }, position) => {
    const score = sums[position] ?? 0;
    scores[kind] += score;
    if (score > (leading[kind]?.score ?? 0)) leading[kind] = { score, about };
  });
  let best: WorkKind = 'balanced';
  for (const kind of kinds) if (scores[kind] > scores[best]) best = kind;
  return { kind: best, about: leading[best]?.about ?? 'nothing in it speaks for another kind' };
}
