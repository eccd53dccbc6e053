import type { StopReason } from '../../api/conversation.ts';
import { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import { isPageType, pageFailure, redirectFailure } from '../../upstream/failures/notTheApi.ts';
import { responseFailure, type FailureSource } from '../../upstream/failures/responseFailure.ts';
import { headerText } from './answerHeaders.ts';

/** What an answer with status 300 or more means. @param now milliseconds since the epoch, for waits that are moments */
export function refusedFailure(status: number, headers: ResponseHeaders, body: Buffer, source: FailureSource, now: number): WaybillError {
  if (status < 400) return redirectFailure(source.endpoint, status);
  if (isPageType(headerText(headers['content-type'])) && status !== 401 && status !== 429 && status < 500) return pageFailure(source.endpoint, status);
  return responseFailure(status, headers, body.toString('utf8'), source, now);
}

/** How much of a body that is no answer is kept, in bytes. It is redacted and cut before anyone sees it. */
const longestSample = 8192;

/** The status is good and the body is not JSON. */
export function notJsonFailure(endpoint: string, body: Buffer): WaybillError {
  return new WaybillError('not-json', 'server', `${endpoint} answered with something that is not JSON.`, { advice: 'check the base URL', detail: body.toString('utf8', 0, longestSample) });
}

/** What came before the first content, or content that the caller cannot see yet, is more than is held back. */
export function preludeFailure(endpoint: string): WaybillError {
  return new WaybillError('prelude-too-large', 'server', `${endpoint} sent much and said nothing.`);
}

/** Something of ours failed at the answer. */
export function unreadableFailure(endpoint: string, cause: unknown): WaybillError {
  return new WaybillError('unreadable-answer', 'server', `${endpoint} sent an answer that could not be read.`, { cause, detail: String(cause) });
}

/** The answer is larger than any that is accepted. */
export function tooLargeFailure(endpoint: string): WaybillError {
  return new WaybillError('answer-too-large', 'server', `${endpoint} sent an answer larger than is accepted.`);
}

/** A stream that ended without its protocol's terminal event. @param saidNothing not even a lifecycle event came */
export function cutFailure(endpoint: string, saidNothing: boolean): WaybillError {
  return saidNothing
    ? new WaybillError('empty-answer', 'server', `${endpoint} answered with nothing.`)
    : new WaybillError('stream-cut', 'server', `${endpoint} broke off in mid-answer.`);
}

/**
 * Why an answer without content is no answer; undefined when the stop reason explains it.
 * @param refusalFails a refusal without words is a failure too
 */
export function emptyFailure(endpoint: string, reason: StopReason | undefined, refusalFails: boolean): WaybillError | undefined {
  switch (reason) {
    case 'length':
    case 'context-full':
    case 'pause':
      return undefined;
    case 'refusal':
      return refusalFails ? new WaybillError('refused', 'content-policy', `${endpoint} refused this request for content policy.`) : undefined;
    default:
      return new WaybillError('empty-answer', 'server', `${endpoint} answered without any text or tool call.`);
  }
}
