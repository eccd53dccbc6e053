import { WaybillError } from '../../base/failure.ts';

/** The answer has a content coding that cannot be undone. Requests ask for none. @param coding its name in quotes, or how many there are */
export function unknownCoding(endpoint: string, { unknown, needsNode }: { unknown: string; needsNode?: string | undefined }): WaybillError {
  return new WaybillError('undecodable-answer', 'server', `${endpoint} sent an answer in the content coding ${unknown}, which cannot be read.`, {
    advice: needsNode === undefined ? 'check the base URL, or a proxy that compresses' : `run Waybill on Node ${needsNode} or newer`,
  });
}

/** The bytes of the answer do not follow the coding that its headers name. */
export function brokenCoding(endpoint: string, cause: unknown): WaybillError {
  return new WaybillError('undecodable-answer', 'server', `${endpoint} sent a compressed answer that is broken.`, { cause, detail: String(cause) });
}
