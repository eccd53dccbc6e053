import { isClaude } from '../anthropicMessages/claudeModels.ts';
import { stringsOfField } from './fieldStrings.ts';
import type { FitTarget } from './rule.ts';

/** The types of images that OpenAI and Anthropic take. Sources: their documentation of vision, November 2026. */
export const commonImageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** The types that a target of OpenAI's protocols takes; undefined: any. */
export function allowedImages({ dialect, model }: FitTarget): ReadonlySet<string> | undefined {
  if (dialect.imageTypes !== undefined) return new Set(dialect.imageTypes);
  if (isGemini(model)) return geminiImageTypes;
  return dialect.commonImagesOnly === true || isClaude(model) ? commonImageTypes : undefined;
}

/** The types of images that Gemini takes. Sources: its page on image understanding; microsoft/vscode#286628, Mai-with-u/MaiBot#1435 (GIF). */
export const geminiImageTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif']);

/** Whether a model is one of Google's, whoever serves it. */
function isGemini(model: string): boolean {
  return /(?:^|\/)gemini-/i.test(model);
}

/** Types that bodies may name and that some target refuses: what a scan of a body has to look for. */
export const watchedImageTypes: readonly string[] = ['image/jpg', 'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp', 'image/tiff', 'image/svg+xml', 'image/avif', 'image/x-icon'];

/** Names that tools write for a type. */
const synonyms: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg', 'image/pjpeg': 'image/jpeg', 'image/jfif': 'image/jpeg', 'image/x-png': 'image/png', 'image/x-webp': 'image/webp',
};

/** How the bytes of a type begin, in base64. */
const beginnings: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'], ['iVBORw0KGgo', 'image/png'], ['R0lGOD', 'image/gif'], ['UklGR', 'image/webp'],
];

/**
 * The type of an image as its bytes tell, else as its label means.
 * @param base64 the image, or its beginning
 */
export function imageType(label: string, base64: string): string {
  const plain = label.toLowerCase().trim();
  if (!plain.startsWith('image/')) return label;
  for (const [beginning, type] of beginnings) if (base64.startsWith(beginning)) return type;
  return synonyms[plain] ?? plain;
}

const dataUrlShape = /^data:(image\/[a-zA-Z0-9.+-]+)((?:;[^,;]*)*?;base64,)/;

/** The `data:` URL of an image with the right type; any other URL as it is. */
export function fitImageUrl(url: string): string {
  const match = dataUrlShape.exec(url.slice(0, 256));
  if (match === null) return url;
  const [prefix, label = '', rest = ''] = match;
  const type = imageType(label, url.slice(prefix.length, prefix.length + 16));
  return type === label ? url : `data:${type}${rest}${url.slice(prefix.length)}`;
}

/** The type that a `data:` URL of an image names; undefined for any other URL. */
export function imageTypeOfUrl(url: string): string | undefined {
  return dataUrlShape.exec(url.slice(0, 256))?.[1];
}

const urlMark = 'data:image/';

/** Whether all `data:` URLs of images in a body name the right type, and one that is allowed. */
export function imageUrlsFit(bytes: Buffer, allowed: ReadonlySet<string> | undefined): boolean {
  for (let at = bytes.indexOf(urlMark, 0, 'latin1'); at !== -1; at = bytes.indexOf(urlMark, at + urlMark.length, 'latin1')) {
    const head = bytes.toString('latin1', at, at + 288);
    if (fitImageUrl(head) !== head) return false;
    const type = imageTypeOfUrl(head);
    if (type !== undefined && allowed !== undefined && !allowed.has(type)) return false;
  }
  return true;
}

/** Whether all fields that name the type of an image name the right one, and one that is allowed. @param field such as `media_type` */
export function imageFieldsFit(bytes: Buffer, field: string, allowed: ReadonlySet<string> | undefined): boolean {
  return stringsOfField(bytes, field, (label, end) => {
    if (!label.startsWith('image/')) return true;
    const data = /^"\s*,\s*"data"\s*:\s*"([A-Za-z0-9+/]{4,16})/.exec(bytes.toString('latin1', end, end + 64))?.[1] ?? '';
    return imageType(label, data) === label && (allowed === undefined || allowed.has(label));
  });
}
