import type { RequestMedia } from '../../../api/routes/requirements.ts';
import type { ObjectScan } from '../../../base/objectScan.ts';
import { fitImageUrl, imageType, imageTypeOfUrl, watchedImageTypes } from '../../../protocols/bodyRules/imageTypes.ts';

const urlMark = 'data:image/';

/** What kinds of media a request body holds as bytes. Read only where the scan saw images or documents. */
export function mediaOf(bytes: Buffer, { words, base64Bytes }: ObjectScan, images: boolean, documents: boolean): RequestMedia | undefined {
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
  const longestImage = images && base64Bytes > largeImage ? longestOf(bytes) : undefined;
  if (types.size === 0 && !pdf && longestImage === undefined) return undefined;
  return { imageTypes: [...types], pdf, ...(longestImage === undefined ? {} : { longestImage }) };
}

/** Below this no provider minds the size of an image, in characters of base64. */
const largeImage = 3 * 1024 * 1024;
/** Where the base64 of an image begins, in the ways of the four protocols. */
const imageMarks = ['data:image/', '"data":"', '"data": "'];

function longestOf(bytes: Buffer): number | undefined {
  let longest = 0;
  for (const mark of imageMarks) {
    for (let at = bytes.indexOf(mark, 0, 'latin1'); at !== -1; at = bytes.indexOf(mark, at + mark.length, 'latin1')) {
      const end = bytes.indexOf('"', at + mark.length, 'latin1');
      longest = Math.max(longest, end - at - mark.length);
    }
  }
  return longest > largeImage ? longest : undefined;
}
