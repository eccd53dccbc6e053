/** Names longer than this are not mistyped ones: nothing is near them. */
const longestName = 100;

/** The candidate a person most likely meant, or undefined when none is close. Case does not count. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  const name = written.toLowerCase();
  let best: string | undefined;
  let most = Math.max(1, Math.floor(written.length / 3));
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate.toLowerCase(), most);
    if (distance === undefined) continue;
    best = candidate;
    most = distance - 1;
  }
  return best;
}

/** `; did you mean "x"?` or, when nothing is close, `fallback`. */
export function suggestion(written: string, candidates: Iterable<string>, fallback = '.'): string {
  const meant = nearest(written, candidates);
  return meant === undefined ? fallback : `; did you mean "${meant}"?`;
}

/**
 * How many letters must be inserted, removed or replaced (Levenshtein); undefined when it is more than `most`, or a name is
 * longer than a hundred letters. Only the part of the table that can end within `most` is worked out.
 */
export function editDistance(from: string, to: string, most: number): number | undefined {
  if (Math.abs(from.length - to.length) > most || Math.max(from.length, to.length) > longestName) return undefined;
  const tooMany = most + 1;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  let next = new Array<number>(to.length + 1);
  for (let i = 1; i <= from.length; i++) {
    const first = Math.max(1, i - most);
    const last = Math.min(to.length, i + most);
    next[first - 1] = first === 1 ? i : tooMany;
    let least = next[first - 1] ?? 0;
    for (let j = first; j <= last; j++) {
      const replaced = (row[j - 1] ?? tooMany) + (from[i - 1] === to[j - 1] ? 0 : 1);
      // What lies outside of the band is too many in any case.
      const removed = j === i + most ? tooMany : (row[j] ?? tooMany) + 1;
      const distance = Math.min(replaced, removed, (next[j - 1] ?? tooMany) + 1);
      next[j] = distance;
      if (distance < least) least = distance;
    }
    if (least > most) return undefined;
    [row, next] = [next, row];
  }
  const distance = row[to.length] ?? tooMany;
  return distance > most ? undefined : distance;
}
