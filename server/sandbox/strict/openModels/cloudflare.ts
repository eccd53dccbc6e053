import type { JsonObject } from '../../../base/json.ts';
import { range } from '../chatChecks.ts';
import { objectsOf, sourced } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';

/*
 * Cloudflare's Workers AI. A request has to fit one of the forms of the model's schema, and the refusal says how it misses each of
 * them. The schemas stand in https://github.com/cloudflare/cloudflare-docs (src/content/workers-ai-models), November 2026.
 */

const schemas = 'https://github.com/cloudflare/cloudflare-docs/blob/production/src/content/workers-ai-models/llama-3.3-70b-instruct-fp8-fast.json';
const badInput = (misses: readonly string[]): StrictRefusal => ({ message: `AiError: Bad input: Error: oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', ${misses.join(', ')}` });

const content = sourced('reported', 'https://github.com/anomalyco/opencode/issues/30381', ({ body }) => {
  const misses = objectsOf(body['messages']).flatMap((message, index): string[] => {
    const value = message['content'];
    const hasMedia = objectsOf(value).some((part) => part['type'] !== 'text');
    if (value === undefined || message['role'] === undefined) return [`required properties at '/messages/${index}' are 'role,content'`];
    if (typeof value === 'string' || hasMedia) return [];
    return [`Type mismatch of '/messages/${index}/content', '${value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value}' not in 'string'`];
  });
  return misses.length === 0 ? undefined : badInput(misses);
});
const numbers = sourced('documented', schemas, ({ body }) => {
  const limits = [['temperature', 0, 5], ['top_p', 0.001, 1], ['frequency_penalty', -2, 2], ['presence_penalty', -2, 2], ['seed', 1, 9_999_999_999]] as const;
  const miss = limits.map(([field, least, most]) => range(body, field, least, most, (value) => `'/${field}' must be ${value < least ? `>= ${least}` : `<= ${most}`}`)).find((found) => found !== undefined);
  return miss === undefined ? undefined : badInput([miss.message]);
});

const cloudflareBody = ({ message }: StrictRefusal, requestId: string): JsonObject => ({ errors: [{ message: `${message} (${requestId})`, code: 5006 }], success: false, result: {}, messages: [] });

export const cloudflare = { checks: { 'openai-chat': [content, numbers] }, write: cloudflareBody } as const satisfies StrictProvider;
