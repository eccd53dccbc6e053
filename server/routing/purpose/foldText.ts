const plainAscii = /^[\0-\x7f]*$/;

/** A text in lower case without diacritics, so that Vietnamese is read the same with them and without. */
export function foldText(text: string): string {
  if (plainAscii.test(text)) return text.toLowerCase();
  // The letter with the stroke is no d with a mark, so that normalization leaves it as it is.
  return text.normalize('NFD').replace(/\p{M}+/gu, '').toLowerCase().replaceAll('đ', 'd');
}

/** The words of a folded text. */
export function wordsOf(folded: string): string[] {
  return folded.match(/[a-z0-9]+/g) ?? [];
}
