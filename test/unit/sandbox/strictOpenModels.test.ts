import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findProvider } from '../../../server/catalog/providers.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { openModelProviders } from '../../../server/sandbox/strict/openModels/openModelProviders.ts';
import { refusalOf, type StrictProviderId } from '../../../server/sandbox/strict/strictProviders.ts';
import type { StrictProvider } from '../../../server/sandbox/strict/strictProvider.ts';
import type { SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';
import { call, chatTool, messagesTool, plainBodies, strictCaseTests, user, type StrictCase } from './strictCases.ts';

const system = (content: string): JsonObject => ({ role: 'system', content });
const developer: JsonObject = { role: 'developer', content: 'x' };
const bare: JsonObject = { type: 'function', function: { name: 'f' } };
const json: JsonObject = { type: 'json_object' };
const schema: JsonObject = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } };
const orphan: JsonObject = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'gone', content: 'x' }] };
const assistantItem: JsonObject = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] };
const item: JsonObject = { type: 'message', role: 'user', content: 'hi' };

const cases: readonly StrictCase[] = [
  ['zai', 'openai-chat', 'glm-5.2', { tools: [chatTool('f')], tool_choice: 'required' }, /^Tool choice must be auto$/],
  ['zai', 'openai-chat', 'glm-5.2', { messages: [system('Write.')] }, /^The messages parameter is illegal/],
  ['zai', 'openai-chat', 'glm-5.2', { messages: [developer, user] }, /^The messages parameter is illegal/],
  ['zai', 'openai-chat', 'glm-5.2', { temperature: 1.2 }, /^Invalid API parameter, please check the documentation\.$/],
  ['zai', 'openai-chat', 'glm-5.2', { stop: ['a', 'b'] }, /^Invalid API parameter/],
  ['zai', 'openai-chat', 'glm-5.2', { response_format: schema }, /^Invalid API parameter/],
  ['zai', 'openai-chat', 'glm-5.2', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/gif;base64,R0lGOD' } }] }] }, /^Invalid API parameter/],
  ['zai', 'anthropic-messages', 'glm-5.2', { messages: [user, { role: 'system', content: 'x' }] }, /^Incorrect role information$/],
  ['zai', 'anthropic-messages', 'glm-5.2', { tools: [messagesTool], tool_choice: { type: 'any' } }, /^Tool choice must be auto$/],
  ['zai', 'anthropic-messages', 'glm-5.2', { messages: [{ role: 'user', content: [] }] }, /^The prompt parameter was not received normally\.$/],
  ['zai-coding-plan', 'openai-chat', 'glm-5.2', { presence_penalty: 1 }, /^Invalid API parameter/],
  ['zai-coding-plan', 'anthropic-messages', 'glm-5.2', { messages: [user, orphan] }, /^The messages parameter is illegal/],
  ['zai-coding-plan', 'openai-responses', 'glm-5.2', { input: [developer] }, /^The messages parameter is illegal/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { messages: [developer, user] }, /^developer is not one of \['system', 'assistant', 'user', 'tool', 'function'\] - 'messages\.\[0\]\.role'$/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { tools: [chatTool('f')], tool_choice: 'required' }, /^<400> InternalError\.Algo\.InvalidParameter: The tool_choice parameter does not support being set to required or object in thinking mode$/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { response_format: json }, /^Json mode response is not supported when enable_thinking is true$/],
  ['qwen', 'openai-chat', 'qwen3.8-max', { response_format: json }, /must contain the word 'json' in some form/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { temperature: 2 }, /Temperature should be in \[0\.0, 2\.0\)$/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { messages: call('c1', '') }, /must be in JSON format/],
  ['qwen', 'openai-chat', 'qwen3.7-plus', { messages: [...call('c1').slice(0, 2), user] }, /must be followed by tool messages.*message\[2\]\.role$/],
  ['qwen', 'openai-chat', 'qwen3-coder-plus', { enable_thinking: true, response_format: json }, /^Json mode response/],
  ['qwen', 'anthropic-messages', 'qwen3.7-plus', { messages: [user, { role: 'system', content: 'x' }] }, /^messages\[1\]\.role: unknown variant `system`, expected `user` or `assistant`$/],
  ['qwen', 'anthropic-messages', 'qwen3.7-plus', { max_tokens: 100_000 }, /Range of max_tokens should be \[1, 65536\]$/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { messages: [system('a'), system('b'), user] }, /^invalid params, invalid chat setting \(2013\)$/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { messages: [user, system('b')] }, /^invalid params, chat content has invalid message role: system \(2013\)$/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { tools: [bare] }, /function parameters is empty \(2013\)$/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { messages: call('c1', '') }, /invalid function arguments json string, tool_call_id: c1 \(2013\)$/],
  ['minimax', 'openai-chat', 'minimax-m3', { thinking: { type: 'enabled' } }, /invalid thinking\.type: "enabled" \(allowed: adaptive, disabled\) \(2013\)$/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { temperature: 0 }, /out of range \(0\.0, 1\.0\]/],
  ['minimax', 'openai-chat', 'MiniMax-M3', { messages: [user, { role: 'tool', tool_call_id: 'gone', content: 'x' }] }, /tool result's tool id\(gone\) not found \(2013\)$/],
  ['minimax', 'anthropic-messages', 'MiniMax-M3', { messages: [user, { role: 'system', content: 'x' }] }, /chat content has invalid message role: system \(2013\)$/],
  ['minimax', 'openai-responses', 'MiniMax-M3', { temperature: 1.3 }, /out of range/],
  ['perplexity', 'openai-responses', 'sonar', { input: [item, assistantItem] }, /unknown content part type "output_text"/],
  ['perplexity', 'openai-responses', 'sonar', { input: [item, { type: 'reasoning', summary: [] }] }, /unknown input item type "reasoning"/],
  ['perplexity', 'openai-responses', 'sonar', { input: [item], reasoning: { effort: 'xhigh' } }, /reasoning\.effort: invalid value "xhigh"/],
  ['together', 'openai-chat', 'openai/gpt-oss-120b', { reasoning_effort: 'minimal' }, /^Input validation error: reasoning_effort/],
  ['together', 'openai-responses', 'openai/gpt-oss-120b', { input: [developer] }, /^Input validation error: input\[0\]\.role/],
  ['fireworks', 'openai-chat', 'glm-5', { messages: [{ ...user, name: 'Ada' }] }, /^Extra inputs are not permitted, field: 'messages\[0\]\.name', value: "Ada"$/],
  ['fireworks', 'openai-chat', 'glm-5', { stream: true, stream_options: { include_usage: true } }, /^Extra inputs are not permitted, field: 'stream_options'/],
  ['fireworks', 'openai-chat', 'glm-5', { max_tokens: 8192 }, /^Requests with max_tokens > 4096 must have stream=true$/],
  ['fireworks', 'openai-chat', 'gpt-oss-120b', { reasoning_effort: 'none' }, /^Invalid reasoning effort: none$/],
  ['fireworks', 'anthropic-messages', 'glm-5', { messages: [user, { role: 'system', content: 'x' }] }, /Input should be 'user' or 'assistant'/],
  ['fireworks', 'openai-responses', 'glm-5', { tools: [{ type: 'function', name: 'a.b', parameters: { type: 'object' } }] }, /field: 'tools\[0\]\.name'/],
  ['cerebras', 'openai-chat', 'gpt-oss-120b', { messages: [user, { role: 'assistant', content: 'a', reasoning_content: 'x' }, user] }, /^messages\.1\.assistant\.reasoning_content: property 'messages\.1\.assistant\.reasoning_content' is unsupported$/],
  ['cerebras', 'openai-chat', 'gpt-oss-120b', { tools: [chatTool('f')], parallel_tool_calls: false }, /^parallel_tool_calls=False is not supported by this model\.$/],
  ['cerebras', 'openai-chat', 'gpt-oss-120b', { metadata: { run: '1' } }, /^body\.metadata: property 'body\.metadata' is unsupported$/],
  ['cerebras', 'openai-chat', 'gpt-oss-120b', { tools: [chatTool('f'), { type: 'function', function: { name: 'g', strict: true, parameters: { type: 'object' } } }] }, /^Tools with mixed values for 'strict' are not allowed/, 422],
  ['sambanova', 'openai-chat', 'DeepSeek-V3.1', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, /Invalid 'content' type\. Expected one of: \['str'\], got list\.$/],
  ['sambanova', 'openai-chat', 'gpt-oss-120b', { top_p: 100 }, /^Decimal above maximum value\. Expected a value between 0 and 1, but got 100 instead\.$/],
  ['sambanova', 'openai-responses', 'gpt-oss-120b', { reasoning: { effort: 'minimal' } }, /Supported values are: 'low', 'medium', and 'high'/],
  ['sambanova', 'anthropic-messages', 'gpt-oss-120b', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, /^Server-side tools are not supported/],
  ['sambanova', 'anthropic-messages', 'gpt-oss-120b', { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'text', data: 'x', media_type: 'text/plain' } }] }] }, /^document content blocks are not supported$/],
  ['nvidia', 'openai-chat', 'z-ai/glm4.7', { prompt_cache_key: 'main' }, /'extra_forbidden', 'loc': \('body', 'prompt_cache_key'\), 'msg': 'Extra inputs are not permitted'/],
  ['nvidia', 'openai-chat', 'google/gemma-2-2b-it', { presence_penalty: 0 }, /^body -> presence_penalty\n {2}Extra inputs are not permitted/, 422],
  ['huggingface', 'openai-chat', 'openai/gpt-oss-120b', { stop: ['1', '2', '3', '4', '5'] }, /^Input validation error: stop/],
  ['huggingface', 'openai-responses', 'openai/gpt-oss-120b', { max_output_tokens: 0 }, /max_output_tokens/],
  ['cloudflare', 'openai-chat', '@cf/openai/gpt-oss-120b', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, /^AiError: Bad input: Error: oneOf at '\/' not met.*Type mismatch of '\/messages\/0\/content', 'array' not in 'string'$/],
  ['cloudflare', 'openai-chat', '@cf/openai/gpt-oss-120b', { temperature: 6 }, /'\/temperature' must be <= 5$/],
  ['deepinfra', 'openai-chat', 'deepseek-ai/DeepSeek-V3.2', { tools: [chatTool('f')], tool_choice: { type: 'function', function: { name: 'f' } } }, /^str type expected/, 422],
  ['deepinfra', 'openai-chat', 'deepseek-ai/DeepSeek-V3.2', { temperature: 2.5 }, /between 0 and 2/, 422],
  ['siliconflow', 'openai-chat', 'Qwen/Qwen2.5-VL-32B-Instruct', { enable_thinking: false }, /^Value error, current model does not support parameter `enable_thinking`\.$/],
  ['siliconflow', 'openai-chat', 'deepseek-ai/DeepSeek-V4-Flash', { messages: [developer, user] }, /^"messages" in request are illegal\.$/],
  ['siliconflow', 'anthropic-messages', 'deepseek-ai/DeepSeek-V4-Flash', { tools: [messagesTool], tool_choice: { type: 'any' } }, /tool_choice any is not supported/],
];

/** How each writes a refusal, as it arrives over HTTP. */
const bodies: readonly (readonly [provider: StrictProviderId, protocol: SandboxProtocol, more: JsonObject, status: number, body: JsonObject])[] = [
  ['zai', 'openai-chat', { temperature: 1.2 }, 400, { error: { code: '1210', message: 'Invalid API parameter, please check the documentation.' } }],
  ['minimax', 'openai-chat', { messages: [system('a'), system('b'), user] }, 400, { type: 'error', error: { type: 'bad_request_error', message: 'invalid params, invalid chat setting (2013)', http_code: '400' }, request_id: 'r' }],
  ['qwen', 'openai-chat', { temperature: 2 }, 400, { error: { message: '<400> InternalError.Algo.InvalidParameter: Temperature should be in [0.0, 2.0)', type: 'invalid_request_error', param: null, code: 'invalid_parameter_error' }, id: 'chatcmpl-r', request_id: 'r' }],
  ['qwen', 'anthropic-messages', { temperature: 2 }, 400, { code: 'InvalidParameter', message: '<400> InternalError.Algo.InvalidParameter: Temperature should be in [0.0, 2.0)', request_id: 'r' }],
  ['cerebras', 'openai-chat', { metadata: {} }, 400, { message: "body.metadata: property 'body.metadata' is unsupported", type: 'invalid_request_error', param: 'validation_error', code: 'wrong_api_format' }],
  ['fireworks', 'openai-chat', { max_tokens: 5000 }, 400, { error: { message: 'Requests with max_tokens > 4096 must have stream=true', param: 'max_tokens', code: 'BAD_REQUEST', type: 'error' } }],
  ['deepinfra', 'openai-chat', { n: 9 }, 422, { detail: [{ loc: ['body', 'n'], msg: 'Input should be between 1 and 4, got 9', type: 'value_error' }] }],
  ['siliconflow', 'openai-chat', { temperature: 3 }, 400, { code: 20_015, message: 'Value error, temperature must be between 0 and 2.', data: null }],
  ['sambanova', 'openai-chat', { top_p: 100 }, 400, { error: { message: 'Decimal above maximum value. Expected a value between 0 and 1, but got 100 instead.', type: 'invalid_request_error', param: 'top_p', code: 'decimal_above_max_value' }, request_id: 'r' }],
];

describe('a strict provider of open models', () => {
  strictCaseTests(cases);

  for (const [provider, protocol, more, status, body] of bodies) test(`${provider} (${protocol}) writes a refusal as the real one does`, async () => {
    const refusal = refusalOf(provider, protocol, { body: { ...plainBodies[protocol], ...more }, model: 'm', headers: {}, requestId: 'r' });
    assert.deepEqual([refusal?.status, refusal?.body], [status, body]);
  });

  test('of Qwen3 in its first open form thinks in streams only', () => {
    const words = (more: JsonObject): string | undefined => refusalOf('qwen', 'openai-chat', { body: { ...plainBodies['openai-chat'], ...more }, model: 'qwen3-32b', headers: {}, requestId: 'r' })?.message;
    assert.equal(words({}), 'parameter.enable_thinking must be set to false for non-streaming calls');
    assert.deepEqual([words({ stream: true }), words({ enable_thinking: false })], [undefined, undefined]);
  });

  test('has a rule in each of its protocols that is tried here, and every protocol of its entry', () => {
    const tried = new Set(cases.map(([provider, protocol]) => `${provider} ${protocol}`));
    for (const [id, { checks }] of Object.entries(openModelProviders)) {
      for (const protocol of Object.keys(checks)) assert.ok(tried.has(`${id} ${protocol}`), `${id} ${protocol}`);
      const entry = findProvider(id) ?? assert.fail(id);
      assert.deepEqual(Object.keys(checks).sort(), [...new Set([entry.protocol, ...Object.keys(entry.baseUrls)])].sort(), id);
    }
  });

  test('names the source of each rule, and whether its words are documented, reported or assumed', () => {
    for (const [id, { checks }] of Object.entries(openModelProviders) as [string, StrictProvider][]) {
      for (const rule of Object.values(checks).flat()) assert.match(rule?.source?.url ?? '', /^https:\/\//, id);
    }
  });

  test('answers over HTTP with its status and body', async () => {
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', strict: 'cloudflare' });
    const response = await fetch(`${provider.url}/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }) });
    const body = await response.json() as { errors: { message: string; code: number }[]; success: boolean };
    await provider.close();
    assert.deepEqual([response.status, body.errors[0]?.code, body.success], [400, 5006, false]);
  });
});
