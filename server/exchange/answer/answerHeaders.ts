import { headerValue } from '../../base/names.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';

/** Response headers of a provider that a caller of the same protocol may use. */
const passedHeader = /^(?:x-request-id|request-id|retry-after(?:-ms)?|x-should-retry|openai-[a-z-]+|anthropic-[a-z-]+|x-ratelimit-[a-z-]+)$/;

const maxPassedHeaders = 50;

/** Those of a provider's response headers that mean something to a caller of the same protocol, each a valid value of bounded length; at most `maxPassedHeaders`. */
export function passedHeaders(headers: ResponseHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  let count = 0;
  for (const name in headers) {
    if (!passedHeader.test(name) || count === maxPassedHeaders) continue;
    passed[name] = headerValue(headerText(headers[name]));
    count += 1;
  }
  return passed;
}

/** A header as one text; empty when it is absent. */
export function headerText(value: ResponseHeaders[string]): string {
  return typeof value === 'string' ? value : value?.join(', ') ?? '';
}
