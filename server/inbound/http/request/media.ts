import type { ObjectScan } from '../../../base/objectScan.ts';
import { fitImageUrl, imageType, imageTypeOfUrl, watchedImageTypes } from '../../../protocols/bodyRules/imageTypes.ts';
import type { RequestMedia } from '../../../routing/plan.ts';

const urlMark = 'data:image/';

/** What kinds of media a request body holds as bytes. Read only where the scan saw images or documents. */
export function mediaOf(bytes: Buffer, { words }: ObjectScan, images: boolean, documents: boolean): RequestMedia | undefined {
  if (!images && !documents) return undefined;
  const types = new Set<string>();
  if (images) {
    for (const name of watchedImageTypes) if (words.has(name)) types.add(imageType(name, ''));
    for (let at = bytes.indexOf(urlMark, 0, 'latin1'); at !== -1; at = bytes.indexOf(urlMark, at + urlMark.length, 'latin1')) {
      const type = imageTypeOfUrl(fitImageUrl(bytes.toString('latin1', at, at + 288)));
      if (type !== undefined) types.add(type);
    }
  }
  const pdf = documents && (words.has('application/pdf') || bytes.includes('data:application/pdf', 0, 'latin1'));
  return types.size === 0 && !pdf ? undefined : { imageTypes: [...types], pdf };
}
