import type { DocumentPart, ImagePart, MediaSource, TextPart } from '../api/conversation.ts';

/** What a `data:` URL holds; undefined when the text is no base64 data URL. */
export function parseDataUrl(url: string): { mimeType: string | undefined; base64: string } | undefined {
  if (!url.startsWith('data:')) return undefined;
  const comma = url.indexOf(',');
  if (comma === -1) return undefined;
  const [mimeType, ...parameters] = url.slice(5, comma).split(';');
  const payload = url.slice(comma + 1);
  if (parameters.includes('base64')) return { mimeType: mimeType === '' ? undefined : mimeType, base64: payload };
  return { mimeType: mimeType === '' ? 'text/plain' : mimeType, base64: Buffer.from(decodePercent(payload), 'utf8').toString('base64') };
}

export function dataUrl(mimeType: string, base64: string): string {
  return `data:${mimeType};base64,${base64}`;
}

/** A source from a URL that may be a `data:` URL. */
export function sourceFromUrl(url: string): { mimeType: string | undefined; source: MediaSource } {
  const inline = parseDataUrl(url);
  return inline === undefined
    ? { mimeType: undefined, source: { kind: 'url', url } }
    : { mimeType: inline.mimeType, source: { kind: 'base64', data: inline.base64 } };
}

/** Content that a target cannot take is named to the model, never silently lost. */
export function leftOut(what: string): TextPart {
  return { type: 'text', text: `[${what} was left out: it cannot be sent to this model.]` };
}

/** A document that is plain text, as text; undefined for any other. */
export function documentText(part: DocumentPart): string | undefined {
  if (part.source.kind !== 'base64' || !isTextType(part.mimeType)) return undefined;
  return Buffer.from(part.source.data, 'base64').toString('utf8');
}

/** A text document as a model reads it inside a message. */
export function inlineDocument(filename: string | undefined, text: string): string {
  return filename === undefined ? text : `<document title="${filename.replaceAll('"', "'")}">\n${text}\n</document>`;
}

/** What to call an attachment when it is left out. */
export function describeMedia(part: ImagePart | DocumentPart): string {
  if (part.type === 'image') return 'An image';
  return part.filename === undefined ? `A document (${part.mimeType})` : `The document "${part.filename}"`;
}

function isTextType(mimeType: string): boolean {
  return mimeType.startsWith('text/') || mimeType === 'application/json' || mimeType === 'application/xml';
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
