import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../server/base/json.ts';
import { refusalOf, type StrictProviderId } from '../../../server/sandbox/strict/strictProviders.ts';
import type { SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';

/** A request that a strict provider refuses: what it has beside the plain one of its protocol, and the words and the status of the refusal. */
export type StrictCase = readonly [provider: StrictProviderId, protocol: SandboxProtocol, model: string, more: JsonObject, words: RegExp, status?: number];

export const user: JsonObject = { role: 'user', content: 'hi' };

/** A plain request of each protocol, which every provider takes. */
export const plainBodies: Readonly<Record<SandboxProtocol, JsonObject>> = {
  'openai-chat': { model: 'm', messages: [user] }, 'openai-responses': { model: 'm', input: [{ type: 'message', ...user }] },
  'anthropic-messages': { model: 'm', max_tokens: 100, messages: [user] }, 'gemini': { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
};

export const chatTool = (name: string, parameters: JsonObject = { type: 'object', properties: {} }): JsonObject => ({ type: 'function', function: { name, parameters } });
export const messagesTool: JsonObject = { name: 'f', input_schema: { type: 'object', properties: {} } };

/** A question, a call of a tool and its result, on Chat. */
export const call = (id: string, args = '{}'): JsonObject[] => [user, { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: args } }] }, { role: 'tool', tool_call_id: id, content: 'x' }];

/** One test for each case: it is refused in these words, and the plain request is taken. @param plain what the plain request needs beside that of its protocol */
export function strictCaseTests(cases: readonly StrictCase[], plain: (provider: StrictProviderId, more: JsonObject) => JsonObject = () => ({})): void {
  for (const [provider, protocol, model, more, words, status] of cases) {
    test(`${provider} (${protocol}, ${model}) refuses: ${words.source.slice(0, 60)}`, () => {
      const judged = (body: JsonObject): ReturnType<typeof refusalOf> => refusalOf(provider, protocol, { body, model: typeof body.model === 'string' && body.model !== 'm' ? body.model : model, headers: {}, requestId: 'r' });
      const refusal = judged({ ...plainBodies[protocol], ...more });
      assert.match(refusal?.message ?? '', words);
      assert.equal(refusal?.status, status ?? 400);
      assert.equal(judged({ ...plainBodies[protocol], ...plain(provider, more) }), undefined);
    });
  }
}
