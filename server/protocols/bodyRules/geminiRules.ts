import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { BodyRules } from './rule.ts';
import { imageFieldsFit, imageType } from './imageTypes.ts';

const typeFields = ['mimeType', 'mime_type'] as const;
const dataFields = ['inlineData', 'inline_data'] as const;

/** What targets of Google's generateContent refuse. */
export const geminiRules: BodyRules = {
  topFields: [],

  fitTop() {
    // Everything that differs between models stands in `generationConfig`, which the codec writes for the model.
  },

  mayHoldRefused({ bytes, scan }) {
    if (!scan.words.has('image/jpg') && !scan.words.has('image/png') && !scan.words.has('image/jpeg') && !scan.words.has('image/webp') && !scan.words.has('image/gif')) return false;
    return typeFields.some(field => !imageFieldsFit(bytes, field, undefined));
  },

  fitContent(body, _target, changes) {
    if (Array.isArray(body.contents)) body.contents = body.contents.map(content => fitContent(content, changes));
  },
};

function fitContent(content: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(content) || !Array.isArray(content.parts)) return content;
  return { ...content, parts: content.parts.map(part => fitPart(part, changes)) };
}

function fitPart(part: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(part)) return part;
  const fit: JsonObject = { ...part };
  for (const name of dataFields) {
    const data = fit[name];
    if (!isObject(data)) continue;
    for (const field of typeFields) {
      const label = data[field];
      if (typeof label !== 'string') continue;
      const type = imageType(label, typeof data.data === 'string' ? data.data : '');
      if (type === label) continue;
      fit[name] = { ...data, [field]: type };
      changes.add('the type of an image was corrected');
    }
  }
  return fit;
}
