/** The task stands at the beginning of a text or at its end: what is between is mostly pasted. */
const headWords = 30;
const tailWords = 15;

/**
 * The features of a text that have weights: its words, each two in a row, how it begins and ends, how long it is, and what
 * its terms say.
 *
 * @param words folded, in their order
 * @param isQuestion the text ends with a question mark
 * @param terms the kind that the terms in it speak for; undefined where there are none
 */
export function eachFeature(words: readonly string[], isQuestion: boolean, terms: string | undefined, take: (feature: string) => void): void {
  const { length } = words;
  const tailFrom = length > headWords + tailWords ? length - tailWords : headWords;
  for (let at = 0; at < length; at++) {
    if (at >= headWords && at < tailFrom) {
      at = tailFrom - 1;
      continue;
    }
    const word = words[at] as string;
    take(word);
    const next = words[at + 1];
    if (next !== undefined) take(`${word} ${next}`);
  }
  if (length > 0) take(`^${words[0]}`);
  take(`=${length < 6 ? 0 : length < 10 ? 1 : length < 16 ? 2 : 3}`);
  if (isQuestion) take('?');
  take(`+${terms ?? 'none'}`);
}
