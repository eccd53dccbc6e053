/** The id of the element that holds the texts of a page. */
export const pageTextsId = 'texts';

/**
 * The element with which a page gets its texts, as lines of HTML; none where texts are English. It is data, which no browser
 * runs, and nothing in it ends it early.
 * @param texts by their English text
 */
export function textsElement(texts: Readonly<Record<string, string>> | undefined): string[] {
  return texts === undefined ? [] : [`<script type="application/json" id="${pageTextsId}">${JSON.stringify(texts).replaceAll('<', '\\u003c')}</script>`];
}

/** Reads what `textsElement` wrote, from the text of the element. */
export function readPageTexts(text: string | null | undefined): Record<string, string> | undefined {
  return text === null || text === undefined || text === '' ? undefined : JSON.parse(text) as Record<string, string>;
}
