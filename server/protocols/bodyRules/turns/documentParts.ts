import { isObject, type JsonObject, type JsonValue } from '../../../base/json.ts';
import { documentText, inlineDocument, leftOut, parseDataUrl } from '../../media.ts';

/*
 * Documents at targets that read none: what is text goes as text, and the rest is named to the model. Chat has them as `file` parts, Responses
 * as `input_file` parts, Messages as `document` blocks.
 */

/** A `file` part holds a PDF, or names a file that was uploaded. */
export function isPdf({ file }: JsonObject): boolean {
  return isObject(file) && (typeof file.file_data !== 'string' || /^data:application\/pdf[;,]/.test(file.file_data));
}

/** Text in the place of a `file` part of Chat. */
export function fileAsText(part: JsonObject, changes: Set<string>): JsonObject {
  const file = isObject(part.file) ? part.file : {};
  const filename = typeof file.filename === 'string' ? file.filename : undefined;
  const inline = typeof file.file_data === 'string' ? parseDataUrl(file.file_data) : undefined;
  return { type: 'text', text: textOf(inline?.mimeType ?? 'application/pdf', inline?.base64 ?? '', filename, changes) };
}

/** Text in the place of an `input_file` part of Responses. */
export function inputFileAsText({ file_data: data, filename }: JsonObject, changes: Set<string>): JsonObject {
  const inline = typeof data === 'string' ? parseDataUrl(data) : undefined;
  return { type: 'input_text', text: textOf(inline?.mimeType ?? 'application/pdf', inline?.base64 ?? '', typeof filename === 'string' ? filename : undefined, changes) };
}

/** A `document` block of Messages as text; what is inside a result stays there. */
export function documentAsText(block: JsonObject, changes: Set<string>): JsonObject {
  const source = isObject(block.source) ? block.source : {};
  const title = typeof block.title === 'string' ? block.title : undefined;
  if (source.type === 'text' && typeof source.data === 'string') {
    changes.add('a document was sent as text');
    return withCache(block, inlineDocument(title, source.data));
  }
  if (source.type === 'content') {
    changes.add('a document was sent as text');
    const content = typeof source.content === 'string' ? source.content : (Array.isArray(source.content) ? source.content : []).map((part: JsonValue) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n');
    return withCache(block, inlineDocument(title, content));
  }
  const type = typeof source.media_type === 'string' ? source.media_type : 'application/pdf';
  return withCache(block, textOf(type, source.type === 'base64' && typeof source.data === 'string' ? source.data : '', title, changes));
}

function withCache({ cache_control: cache }: JsonObject, text: string): JsonObject {
  return { type: 'text', text: text.trim() === '' ? '(an empty document)' : text, ...(cache === undefined ? {} : { cache_control: cache }) };
}

function textOf(mimeType: string, base64: string, filename: string | undefined, changes: Set<string>): string {
  const text = base64 === '' ? undefined : documentText({ type: 'document', mimeType, source: { kind: 'base64', data: base64 } });
  changes.add(text === undefined ? 'a document was left out' : 'a document was sent as text');
  return text === undefined ? leftOut(filename === undefined ? `A document (${mimeType})` : `The document "${filename}"`).text : inlineDocument(filename, text);
}
