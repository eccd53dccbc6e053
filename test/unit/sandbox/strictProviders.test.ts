import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { providers } from '../../../server/catalog/providers.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { openModelProviders } from '../../../server/sandbox/strict/openModels/openModelProviders.ts';
import { refusalOf, strictProviders } from '../../../server/sandbox/strict/strictProviders.ts';
import { call, chatTool, plainBodies, strictCaseTests, user, type StrictCase } from './strictCases.ts';
import { ownServerCases, ownServerModels } from './strictCases/ownServers.ts';

const picture = (type: string, data: string): JsonObject => ({ type: 'image', source: { type: 'base64', media_type: type, data } });

const cases: readonly StrictCase[] = [
  ['openai', 'openai-chat', 'gpt-4o', { messages: call('c'.repeat(41)) }, /string too long. Expected a string with maximum length 40, but got a string with length 41/],
  ['openai', 'openai-chat', 'gpt-4o', { messages: [{ role: 'boss', content: 'x' }] }, /Supported values are: 'system', 'assistant'/],
  ['openai', 'openai-chat', 'gpt-4o', { tools: [chatTool('a.b')] }, /string does not match pattern/],
  ['openai', 'openai-chat', 'gpt-4o', { tools: [chatTool('f', { type: 'object' })] }, /In context=\(\), object schema missing properties/],
  ['openai', 'openai-chat', 'gpt-4o', { tools: [chatTool('f', { type: 'object', properties: { a: { type: 'array' } } })] }, /In context=\('properties', 'a'\), array schema missing items/],
  ['openai', 'openai-chat', 'gpt-4o', { response_format: { type: 'json_object' } }, /must contain the word 'json'/],
  ['openai', 'openai-chat', 'gpt-4o', { made_up: 1 }, /Unrecognized request argument supplied: made_up/],
  ['openai', 'openai-chat', 'gpt-4o', { max_completion_tokens: 20_000 }, /max_tokens is too large: 20000. This model supports at most 16384/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { messages: [{ role: 'user', content: [picture('image/png', 'iVBORw0KGgo'.padEnd(5_242_881, 'A'))] }] }, /image exceeds 5 MB maximum: 5242881 bytes > 5242880 bytes/],
  ['anthropic', 'anthropic-messages', 'claude-opus-4-5', { max_tokens: 128_001 }, /128001 > 64000, which is the maximum allowed number of output tokens/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { generationConfig: { maxOutputTokens: 65_537 } }, /supported range is from 1 \(inclusive\) to 65537/],
  ['openai', 'openai-chat', 'o3', { max_tokens: 5 }, /Use 'max_completion_tokens' instead/],
  ['openai', 'openai-chat', 'gpt-5', { temperature: 0.2 }, /'temperature' does not support 0.2 with this model/],
  ['openai', 'openai-chat', 'gpt-5.6-sol', { tools: [chatTool('f')] }, /use \/v1\/responses/],
  ['openai', 'openai-responses', 'gpt-4o', { max_output_tokens: 5 }, /Expected a value >= 16, but got 5/],
  ['openai', 'openai-responses', 'gpt-4o', { input: [user, { type: 'message', role: 'assistant', id: 'item_1', content: [] }, user] }, /Expected an ID that begins with 'msg'/],
  ['azure', 'openai-chat', 'gpt-4o', { user: 'u'.repeat(65) }, /maximum length 64/],
  ['anthropic', 'anthropic-messages', 'claude-opus-4-6', { messages: [user, { role: 'assistant', content: 'a' }] }, /must end with a user message/],
  ['anthropic', 'anthropic-messages', 'claude-opus-4-7', { messages: [user, { role: 'system', content: 'x' }, user] }, /role 'system' is not supported on this model/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { temperature: 0.5, top_p: 0.5 }, /cannot both be specified/],
  ['anthropic', 'anthropic-messages', 'claude-opus-4-8', { temperature: 0.5 }, /`temperature` is deprecated for this model/],
  ['anthropic', 'anthropic-messages', 'claude-opus-5-5', { tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: { type: 'any' } }, /is not supported for this model/],
  ['anthropic', 'anthropic-messages', 'claude-3-7-sonnet-20250219', { thinking: { type: 'adaptive' } }, /adaptive thinking is not supported/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { messages: [{ role: 'user', content: [picture('image/jpg', '/9j/4AAQ')] }] }, /Input should be 'image\/jpeg', 'image\/png'/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { messages: [{ role: 'user', content: [picture('image/png', '/9j/4AAQ')] }] }, /appears to be a image\/jpeg image/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { messages: [{ role: 'user', content: [{ type: 'text', text: ' ' }] }] }, /non-whitespace text/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } }, /'additionalProperties' must be explicitly set to false/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { metadata: { user_id: 'a@example.com' } }, /email address/],
  ['anthropic', 'anthropic-messages', 'claude-sonnet-4-5', { messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'functions.f:0', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'functions.f:0', content: 'x' }] }] }, /String should match pattern/],
  ['gemini', 'gemini', 'gemini-2.5-flash', { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } }, /thinking_level is not supported by this model/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { generationConfig: { thinkingConfig: { thinkingBudget: 50_000 } } }, /choose a value between 128 and 32768/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { generationConfig: { seed: 8_589_934_592 } }, /TYPE_INT32/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/gif', data: 'R0lGOD' } }] }] }, /Unsupported MIME type: image\/gif/],
  ['gemini', 'gemini', 'gemini-3-pro-preview', { contents: [{ role: 'user', parts: [{ text: 'x' }] }, { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] }] }, /missing a thought_signature/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { tools: [{ functionDeclarations: [{ name: '2f' }] }] }, /Must start with a letter or an underscore/],
  ['gemini', 'gemini', 'gemini-2.5-pro', { made: 1 }, /Unknown name "made": Cannot find field/],
  ['deepseek', 'openai-chat', 'deepseek-flash', { messages: [{ role: 'developer', content: 'x' }, user] }, /unknown variant `developer`/, 422],
  ['deepseek', 'openai-chat', 'deepseek-flash', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }, /This response_format type is unavailable now/],
  ['deepseek', 'openai-chat', 'deepseek-flash', { messages: call('call_1') }, /`reasoning_content` in the thinking mode must be passed back/],
  ['mistral', 'openai-chat', 'mistral-large-latest', { messages: call('call_1') }, /must be a-z, A-Z, 0-9, with a length of 9/],
  ['mistral', 'openai-chat', 'mistral-large-latest', { messages: [...call('abcdefghi'), user] }, /Unexpected role 'user' after role 'tool'/],
  ['mistral', 'openai-chat', 'mistral-large-latest', { metadata: {} }, /Extra inputs are not permitted/, 422],
  ['codestral', 'openai-chat', 'codestral-latest', { messages: [user, { role: 'assistant', content: 'a' }] }, /Assistant with prefix True/],
  ['moonshot', 'openai-chat', 'kimi-k3', { tools: [chatTool('_f')] }, /must start with a letter/],
  ['moonshot', 'openai-chat', 'kimi-k3', { tools: [chatTool('f')], tool_choice: 'required' }, /incompatible with thinking enabled/],
  ['moonshot', 'openai-chat', 'kimi-k3', { messages: call('c') }, /reasoning_content is missing/],
  ['groq', 'openai-chat', 'openai/gpt-oss-120b', { messages: [user, { role: 'assistant', content: 'a', reasoning_content: 'x' }, user] }, /property 'reasoning_content' is unsupported/],
  ['groq', 'openai-chat', 'openai/gpt-oss-120b', { logprobs: true }, /property 'logprobs' is unsupported/],
  ['xai', 'openai-chat', 'grok-4.7', { presence_penalty: 0 }, /does not support parameter presencePenalty/],
  ['xai', 'openai-responses', 'grok-4.20', { reasoning: { effort: 'low' } }, /does not support parameter reasoningEffort/],
  ['vertex', 'anthropic-messages', 'claude-opus-4-8', { top_k: 4 }, /`top_k` is deprecated/],
];

describe('a strict provider', () => {
  strictCaseTests(cases);
  strictCaseTests(ownServerCases, ownServerModels);

  test('each has a rule in each of its protocols that is tried here', () => {
    const tried = new Set([...cases, ...ownServerCases].map(([provider, protocol]) => `${provider} ${protocol}`));
    for (const [id, { checks }] of Object.entries(strictProviders)) {
      // Azure speaks as OpenAI does, Vertex as Gemini and Claude do; open models have a test of their own.
      if (id !== 'azure' && id !== 'vertex' && !(id in openModelProviders)) for (const protocol of Object.keys(checks)) assert.ok(tried.has(`${id} ${protocol}`), `${id} ${protocol}`);
    }
  });

  test('stands for each provider whose rules the catalog has and whose wordings are known', () => {
    const ids: ReadonlySet<string> = new Set(Object.keys(strictProviders));
    assert.deepEqual(providers.filter(({ id, simulated }) => simulated !== true && !ids.has(id) && !unplayed.includes(id)).map(({ id }) => id), [], 'Add its checks to server/sandbox/strict.');
  });

  test('anthropic refuses names of betas that are none', () => {
    const judged = (beta: string): string | undefined => refusalOf('anthropic', 'anthropic-messages', { body: plainBodies['anthropic-messages'], model: 'claude-opus-4-6', headers: { 'anthropic-beta': beta }, requestId: 'r' })?.message;
    assert.match(judged('claude-code-20250219,made-up') ?? '', /Unexpected value\(s\) `made-up` for the `anthropic-beta` header/);
    assert.equal(judged('claude-code-20250219, interleaved-thinking-2025-05-14'), undefined);
  });

  test('answers over HTTP as the real one: status, shape and words; a lenient one takes the request', async () => {
    for (const strict of ['mistral', 'lenient'] as const) {
      const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', strict });
      const response = await fetch(`${provider.url}/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'm', messages: [user], metadata: {} }) });
      const body = await response.json() as JsonObject;
      await provider.close();
      if (strict === 'lenient') assert.equal(response.status, 200);
      else assert.deepEqual([response.status, body], [422, { object: 'error', message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'metadata'], msg: 'Extra inputs are not permitted', input: null }] }, type: 'invalid_request_error', param: null, code: null }]);
    }
  });
});

const unplayed = [
  // What an unnamed server refuses is not known, so there is nothing to play.
  'openai-compatible', 'anthropic-compatible',
  // The simulated provider itself.
  'sandbox',
  // Played by a simulator of its own in the tests, which checks signatures as well.
  'bedrock',
];
