import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { readErrorText } from '../../../server/protocols/errorBody.ts';
import { repairBody, repairHeaders } from '../../../server/protocols/repairs/applyRepairs.ts';
import { refusedParts } from '../../../server/protocols/repairs/refusedParts.ts';
import { repairWords, type Repair } from '../../../server/protocols/repairs/repair.ts';

const schema = { type: 'object', properties: { seed: { type: 'number', title: 'Seed' } }, additionalProperties: false };
/** Everything that callers send and servers refuse. */
const chat: JsonObject = {
  model: 'm', stream: true, stream_options: { include_usage: true, include_obfuscation: false }, temperature: 0.2, top_p: 0.9, seed: 7, logprobs: true, parallel_tool_calls: false, store: false,
  metadata: { a: 'b' }, service_tier: 'flex', user: 'u', reasoning_effort: 'minimal', verbosity: 'low', prompt_cache_key: 'k', max_tokens: 100, presence_penalty: 0.1, n: 2, stop: ['x'], tool_choice: 'auto',
  messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }, { type: 'image_url', image_url: { url: 'data:,' } }] },
    { role: 'assistant', content: 'a', reasoning_content: 'b' }],
  tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: schema } }],
  response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } },
};
const messages: JsonObject = {
  model: 'm', max_tokens: 100, temperature: 0.5, service_tier: 'auto', context_management: { edits: [] }, thinking: { type: 'adaptive' }, system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } }] }, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { strict: 1 }, caller: { type: 'direct' } }] }],
  tools: [{ name: 'f', input_schema: schema, strict: true, defer_loading: true, eager_input_streaming: true, cache_control: { type: 'ephemeral' } }],
};
const gemini: JsonObject = {
  contents: [{ role: 'user', parts: [{ text: 'hi' }] }], generationConfig: { seed: 1, maxOutputTokens: 100, thinkingConfig: { thinkingLevel: 'minimal' }, responseSchema: { type: 'object' } }, labels: { a: 'b' },
  tools: [{ functionDeclarations: [{ name: 'f', parameters: schema }] }],
};
const responses: JsonObject = {
  model: 'm', input: [{ type: 'message', role: 'developer', content: 'x' }], max_output_tokens: 5, reasoning: { effort: 'xhigh', summary: 'auto' }, text: { verbosity: 'low' }, include: ['reasoning.encrypted_content'], prompt_cache_retention: '24h', truncation: 'auto',
};
const bodies: Readonly<Record<ProtocolName, JsonObject>> = { 'openai-chat': chat, 'anthropic-messages': messages, 'gemini': gemini, 'openai-responses': responses };
const betas = { 'anthropic-beta': 'context-management-2025-06-27,fine-grained-tool-streaming-2025-05-14' };

function repairsFor(protocol: ProtocolName, answer: string, headers: Record<string, string> = betas): Repair[] {
  const { message, param, code, type } = readErrorText(answer);
  return refusedParts({ message, param, code: code ?? type }, { protocol, body: bodies[protocol], headers });
}

const openAi = (message: string, param: string | null = null, code: string | null = null): string => JSON.stringify({ error: { message, type: 'invalid_request_error', param, code } });
const claude = (message: string): string => JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } });
const google = (message: string): string => JSON.stringify({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } });

/** What providers write when they refuse a part, by their documentation and by public reports, and what is done. */
const wordings: readonly (readonly [protocol: ProtocolName, answer: string, words: readonly string[]])[] = [
  ['openai-chat', openAi('Unrecognized request argument supplied: stream_options'), ['stream_options was left out']],
  ['openai-chat', openAi('Unrecognized request arguments supplied: parallel_tool_calls, store'), ['parallel_tool_calls was left out', 'store was left out']],
  ['openai-chat', openAi("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", 'max_tokens', 'unsupported_parameter'), ['max_tokens was sent as max_completion_tokens']],
  ['openai-chat', openAi("Unknown parameter: 'verbosity'.", 'verbosity', 'unknown_parameter'), ['verbosity was left out']],
  ['openai-chat', openAi("Unknown parameter: 'stream_options.include_obfuscation'.", 'stream_options.include_obfuscation', 'unknown_parameter'), ['include_obfuscation in stream_options was left out']],
  ['openai-chat', openAi("Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", 'temperature', 'unsupported_value'), ['temperature was left out']],
  ['openai-chat', openAi("Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'low', 'medium', and 'high'.", 'reasoning_effort', 'unsupported_value'), ['reasoning_effort minimal was left out']],
  ['openai-chat', openAi("Invalid value: 'developer'. Supported values are: 'system', 'assistant', 'user', 'function', and 'tool'.", 'messages[0].role', 'invalid_value'), ['the role developer was sent as system']],
  ['openai-chat', openAi('Function tools with reasoning_effort are not supported for this model.'), ['reasoning_effort was left out']],
  ['openai-chat', '{"detail":[{"type":"extra_forbidden","loc":["body","prompt_cache_key"],"msg":"Extra inputs are not permitted","input":"temperature"},{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted","input":false}]}', ['prompt_cache_key was left out', 'store was left out']],
  ['openai-chat', '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":"top_p"}]},"type":"invalid_request_error","code":"3051"}', ['seed was left out']],
  ['openai-chat', '{"object":"error","message":"[{\'type\': \'extra_forbidden\', \'loc\': (\'body\', \'tools\', 0, \'function\', \'strict\'), \'msg\': \'Extra inputs are not permitted\', \'input\': True}]","type":"BadRequestError","param":null,"code":400}', ['strict in tools was left out']],
  ['openai-chat', openAi('Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool` at line 1 column 40'), ['the role developer was sent as system']],
  ['openai-chat', openAi('Failed to deserialize the JSON body into the target type: unknown field `metadata` at line 1 column 2'), ['metadata was left out']],
  ['openai-chat', openAi('This response_format type is unavailable now'), ['the JSON schema of the answer was asked for in words']],
  ['openai-chat', '{"error":"json: unknown field \\"service_tier\\""}', ['service_tier was left out']],
  ['openai-chat', '{"code":"Client specified an invalid argument","error":"Argument not supported on this model: presencePenalty"}', ['presence_penalty was left out']],
  ['openai-chat', openAi("property 'user' is unsupported"), ['user was left out']],
  ['openai-chat', openAi("'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'reasoning_content' is unsupported)]"), ['reasoning_content in messages was left out']],
  ['openai-chat', '{"error":{"code":400,"message":"Unsupported param: logprobs","type":"invalid_request_error"}}', ['logprobs was left out']],
  ['openai-chat', '{"error":"Unrecognized key(s) in object: \'seed\'"}', ['seed was left out']],
  ['openai-chat', openAi("Additional properties are not allowed ('parallel_tool_calls' was unexpected)"), ['parallel_tool_calls was left out']],
  ['openai-chat', openAi("create() got an unexpected keyword argument 'top_p'"), ['top_p was left out']],
  ['openai-chat', openAi('messages.1.content.0.text.cache_control: Extra inputs are not permitted'), ['cache_control in messages was left out']],
  ['openai-chat', openAi('response_format.json_schema.strict is not supported'), ['strict in response_format was left out']],
  ['openai-chat', openAi('tool_choice is not supported by this model'), ['tool_choice was left out']],
  ['openai-chat', openAi('max_tokens is too large: 100. This model supports at most 50 completion tokens, whereas you provided 100.', 'max_tokens', 'invalid_value'), ['the output limit was lowered to 50']],
  ['openai-chat', openAi('Invalid max_tokens value, the valid range of max_tokens is [1, 64]'), ['the output limit was lowered to 64']],
  ['openai-chat', openAi('<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 64]'), ['the output limit was lowered to 64']],
  ['openai-chat', openAi('`max_tokens` must be less than or equal to `64`, the maximum value for `max_tokens` is less than the `context_window` for this model', 'max_tokens'), ['the output limit was lowered to 64']],
  ['openai-chat', openAi('max_completion_tokens is too large: 100.This model supports at most 64 completion tokens.'), ['the output limit was lowered to 64']],
  ['openai-chat', openAi('max_tokens exceeds the maximum allowed: 64'), ['the output limit was lowered to 64']],
  ['openai-chat', openAi('max_tokens must be between 1 and 64'), ['the output limit was lowered to 64']],
  ['openai-responses', openAi('max_output_tokens cannot be greater than 4 for this model', 'max_output_tokens'), ['the output limit was lowered to 4']],
  ['anthropic-messages', claude('max_tokens: 100 > 64, which is the maximum allowed number of output tokens for claude-x'), ['the output limit was lowered to 64']],
  ['gemini', google('Unable to submit request because it has a maxOutputTokens value of 100 but the supported range is from 1 (inclusive) to 65 (exclusive). Update the value and try again.'), ['the output limit was lowered to 64']],
  ['anthropic-messages', claude('context_management: Extra inputs are not permitted'), ['context_management was left out']],
  ['anthropic-messages', claude('tools.0.custom.defer_loading: Extra inputs are not permitted'), ['defer_loading in tools was left out']],
  ['anthropic-messages', claude('tools.0.custom.eager_input_streaming: Extra inputs are not permitted'), ['eager_input_streaming in tools was left out']],
  ['anthropic-messages', claude('messages.1.content.0.tool_use.caller: Extra inputs are not permitted'), ['caller in messages was left out']],
  ['anthropic-messages', claude('system.0.text.cache_control: Extra inputs are not permitted'), ['cache_control in system was left out']],
  ['anthropic-messages', claude('`temperature` is deprecated for this model.'), ['temperature was left out']],
  ['anthropic-messages', claude('Unexpected value(s) `context-management-2025-06-27` for the `anthropic-beta` header. Please consult our documentation at docs.anthropic.com'), ['context-management-2025-06-27 was left out of anthropic-beta']],
  ['anthropic-messages', claude('invalid beta flag'), ['context-management-2025-06-27 was left out of anthropic-beta', 'fine-grained-tool-streaming-2025-05-14 was left out of anthropic-beta']],
  ['gemini', google('Invalid JSON payload received. Unknown name "labels": Cannot find field.'), ['labels was left out']],
  ['gemini', google('Invalid JSON payload received. Unknown name "seed" at \'generation_config\': Cannot find field.'), ['seed in generationConfig was left out']],
  ['gemini', google('Invalid JSON payload received. Unknown name "additionalProperties" at \'tools[0].function_declarations[0].parameters\': Cannot find field.'), ['additionalProperties was left out of schemas in tools']],
  ['gemini', google('Invalid value at \'generation_config.thinking_config.thinking_level\' (type.googleapis.com/google.ai.generativelanguage.v1beta.ThinkingLevel), "minimal"'), ['thinkingLevel minimal in generationConfig was left out']],
  ['openai-responses', openAi('Unsupported parameter: max_output_tokens'), ['max_output_tokens was left out']],
  ['openai-responses', openAi("Unsupported value: 'xhigh' is not supported with the 'm' model. Supported values are: 'low', 'medium', and 'high'.", 'reasoning.effort', 'unsupported_value'), ['effort xhigh in reasoning was left out']],
  ['openai-responses', openAi("Unknown parameter: 'text.verbosity'.", 'text.verbosity', 'unknown_parameter'), ['verbosity in text was left out']],
  ['openai-responses', openAi("Unknown parameter: 'prompt_cache_retention'.", 'prompt_cache_retention', 'unknown_parameter'), ['prompt_cache_retention was left out']],
];

describe('a refusal names what can be left out:', () => {
  for (const [protocol, answer, words] of wordings) {
    test(`${protocol}: ${readErrorText(answer).message}`, () => {
      const repairs = repairsFor(protocol, answer);
      const said = repairs.map(repair => repairWords(repair).replaceAll(/, (?:(?:which|because) this target refuses(?: the parameter| it)?|the most that this target takes)/g, ''));
      assert.deepEqual(said, words);
      const body = structuredClone(bodies[protocol]);
      const headers: Record<string, string> = { ...betas };
      const changes: string[] = [];
      repairBody(body, repairs, changes);
      repairHeaders(headers, repairs, changes);
      assert.equal(changes.length, repairs.length, 'every repair changes the request that was refused');
      // A server that refuses the schema may refuse the JSON mode next.
      if (!repairs.some(({ kind }) => kind === 'json-words')) assert.deepEqual(refusedParts({ message: readErrorText(answer).message }, { protocol, body, headers }), [], 'and the same refusal teaches nothing more');
    });
  }
});

/** What the caller asked for and cannot be done without, what is wrong and not unknown, and what names nothing. */
const told: readonly (readonly [protocol: ProtocolName, answer: string])[] = [
  ['openai-chat', openAi("Unknown parameter: 'messages'.", 'messages', 'unknown_parameter')],
  ['openai-chat', openAi('This model does not support tools')],
  ['openai-chat', openAi('tools is not supported in this model.', 'tools', 'unsupported_parameter')],
  ['openai-chat', openAi("Unknown parameter: 'tools[0].function.parameters'.", 'tools[0].function.parameters', 'unknown_parameter')],
  ['openai-chat', openAi('unknown variant `image_url`, expected `text`')],
  ['openai-chat', openAi('n is not supported')],
  ['openai-chat', openAi("Unsupported parameter: 'stop' is not supported with this model.", 'stop', 'unsupported_parameter')],
  ['openai-chat', openAi("Invalid type for 'temperature': expected a decimal, but got a string instead.", 'temperature', 'invalid_type')],
  ['openai-chat', openAi("Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead.", 'temperature', 'decimal_above_max_value')],
  ['openai-chat', openAi('max_tokens is too large: 100. This model supports at most 128 completion tokens', 'max_tokens', 'invalid_value')],
  ['openai-chat', openAi("'max_tokens' or 'max_completion_tokens' is too large: 100. This model's maximum context length is 90 tokens and your request has 20 input tokens (100 > 90 - 20).", 'max_tokens')],
  ['openai-chat', openAi("This model's maximum context length is 64 tokens. However, you requested 164 tokens (64 in the messages, 100 in the completion).", 'messages')],
  ['openai-chat', openAi('max_tokens must be greater than 16')],
  ['openai-chat', openAi("Missing required parameter: 'messages[0].content'.", 'messages[0].content', 'missing_required_parameter')],
  ['openai-chat', openAi('Unsupported parameter: frequency_penalty')],
  ['openai-chat', openAi('The user is not allowed to do this')],
  ['anthropic-messages', claude('messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1')],
  ['anthropic-messages', claude('messages.0.content.1: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1')],
  ['anthropic-messages', claude('max_tokens: Extra inputs are not permitted')],
  ['anthropic-messages', claude('`max_tokens` must be greater than `thinking.budget_tokens`')],
  ['gemini', google('Invalid JSON payload received. Unknown name "responseSchema" at \'generation_config\': Cannot find field.')],
  ['openai-responses', openAi("Unknown parameter: 'input'.", 'input', 'unknown_parameter')],
  ['openai-chat', ''],
  ['openai-chat', '<html><body>Unknown error</body></html>'],
];

describe('a refusal that is reported as it is:', () => {
  for (const [protocol, answer] of told) test(`${protocol}: ${readErrorText(answer).message}`, () => assert.deepEqual(repairsFor(protocol, answer, {}), []));
});

test('what stands in arguments of calls and under names of properties is never taken for a field', () => {
  const body = structuredClone(messages);
  repairBody(body, [{ kind: 'drop-below', top: 'messages', name: 'strict' }, { kind: 'drop-below', top: 'tools', name: 'strict' }, { kind: 'drop-keyword', top: 'tools', name: 'title' }], []);
  assert.deepEqual((body.messages as JsonObject[])[1], (messages.messages as JsonObject[])[1]);
  const [tool] = body.tools as JsonObject[];
  assert.deepEqual(tool?.input_schema, { type: 'object', properties: { seed: { type: 'number' } }, additionalProperties: false });
  assert.equal(tool?.strict, undefined);
});

describe('a refusal of a completion or of embeddings', () => {
  const of = (operation: 'completion' | 'embedding', body: JsonObject, message: string): Repair[] => refusedParts({ message }, { protocol: 'openai-chat', operation, body: { model: 'm', ...body }, headers: {} });
  test('teaches what can be left out', () => {
    assert.deepEqual(of('completion', { prompt: 'x', logit_bias: {} }, 'Unrecognized request argument supplied: logit_bias'), [{ kind: 'drop', name: 'logit_bias' }]);
    assert.deepEqual(of('completion', { prompt: 'x', max_tokens: 5 }, "Unsupported parameter: 'max_tokens'"), [{ kind: 'drop', name: 'max_tokens' }], 'their limit has one name');
    assert.deepEqual(of('completion', { prompt: 'x', best_of: 1 }, 'best_of is not supported'), [{ kind: 'drop', name: 'best_of' }]);
    assert.deepEqual(of('embedding', { input: ['x'], encoding_format: 'float' }, "Unknown parameter: 'encoding_format'."), [{ kind: 'drop', name: 'encoding_format' }]);
  });
  test('is reported where the answer would be another one', () => {
    for (const [name, value] of [['suffix', '}'], ['echo', true], ['best_of', 3], ['dimensions', 256], ['encoding_format', 'base64'], ['input', 'x'], ['prompt', 'x']] as const) {
      for (const operation of ['completion', 'embedding'] as const) assert.deepEqual(of(operation, { [name]: value }, `Unknown parameter: '${name}'.`), [], name);
    }
  });
});
