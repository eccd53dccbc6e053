import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../../server/base/json.ts';
import { refusalOf, type StrictProviderId } from '../../../../server/sandbox/strict/strictProviders.ts';
import { send, type Sent } from './sentToTarget.ts';

/** What is sent, after the strict simulator of the provider was asked whether it takes it. */
function taken(provider: StrictProviderId, model: string, protocol: ProtocolName, body: JsonObject, target: ProtocolName = protocol): Sent {
  const sent = send(provider, model, protocol, body);
  assert.equal(refusalOf(provider, target, { body: sent.body, model, headers: { 'anthropic-version': '2023-06-01' }, requestId: 'r' })?.message, undefined, sent.text);
  return sent;
}

const user: JsonObject = { role: 'user', content: 'hi' };
const chat = (more: JsonObject): JsonObject => ({ model: 'm', messages: [user], ...more });
const claude = (more: JsonObject): JsonObject => ({ model: 'm', max_tokens: 4000, messages: [user], ...more });
const google = (more: JsonObject): JsonObject => ({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }], ...more });
const items = (more: JsonObject): JsonObject => ({ model: 'm', input: [{ role: 'user', content: 'hi' }], ...more });
const tool = (name: string, parameters: JsonObject, strict?: boolean): JsonObject => ({ type: 'function', function: { name, parameters, ...(strict === undefined ? {} : { strict }) } });
const object: JsonObject = { type: 'object', properties: { a: { type: 'string' } } };
const called = (id: string, name = 'f', args = '{}'): JsonObject => ({ role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name, arguments: args } }] });
const field = (value: JsonValue | undefined, name: string): JsonValue | undefined => (isObject(value) ? value[name] : undefined);

describe('what single models of OpenAI refuse', () => {
  test('efforts are mapped to those of the model, and left out where it does not reason', () => {
    assert.equal(taken('openai', 'o3', 'openai-chat', chat({ reasoning_effort: 'minimal' })).body.reasoning_effort, 'low');
    assert.equal(taken('openai', 'gpt-5', 'openai-chat', chat({ reasoning_effort: 'xhigh' })).body.reasoning_effort, 'high');
    assert.equal(taken('openai', 'gpt-5.1', 'openai-chat', chat({ reasoning_effort: 'minimal' })).body.reasoning_effort, 'low');
    assert.equal(taken('openai', 'gpt-5.2', 'openai-chat', chat({ reasoning_effort: 'xhigh' })).body.reasoning_effort, 'xhigh');
    const plain = taken('openai', 'gpt-4o', 'openai-responses', items({ reasoning: { effort: 'low' } }));
    assert.equal(plain.body.reasoning, undefined);
    assert.match(plain.changes.join(), /effort of reasoning was left out/);
    assert.equal(field(taken('openai', 'gpt-5.1-codex', 'openai-responses', items({ reasoning: { effort: 'none' } })).body.reasoning, 'effort'), 'low');
  });

  test('the o-series gets no parallel_tool_calls, and none of the models that reason gets stop strings or log probabilities', () => {
    assert.equal(taken('openai', 'o4-mini', 'openai-chat', chat({ tools: [tool('f', object)], parallel_tool_calls: false })).body.parallel_tool_calls, undefined);
    const sent = taken('openai', 'gpt-5', 'openai-chat', chat({ stop: ['x'], logprobs: true, top_logprobs: 2, logit_bias: { 1: 2 } }));
    assert.deepEqual(sent.changes, ['stop was left out', 'logprobs was left out', 'top_logprobs was left out', 'logit_bias was left out']);
  });

  test('an output limit under the least one is raised', () => {
    const sent = taken('openai', 'gpt-4o', 'openai-responses', items({ max_output_tokens: 5 }));
    assert.deepEqual([sent.body.max_output_tokens, sent.changes], [16, ['max_output_tokens 5 was sent as 16']]);
    assert.equal(taken('openai', 'gpt-5.6-sol', 'gemini', google({ generationConfig: { maxOutputTokens: 1 }, tools: [{ functionDeclarations: [{ name: 'f' }] }] }), 'openai-responses').body.max_output_tokens, 16);
  });
});

describe('schemas', () => {
  test('a list that does not say what is in it is completed, at any depth', () => {
    const rows: JsonObject = { type: 'object', properties: { rows: { type: 'array', items: { type: 'array' } } } };
    for (const [protocol, body] of [['openai-chat', chat({ tools: [tool('f', rows)] })], ['anthropic-messages', claude({ tools: [{ name: 'f', input_schema: rows }] })]] as const) {
      const sent = taken('openai', 'gpt-4o', protocol, body, 'openai-chat');
      assert.match(sent.text, /"items":\{"type":"array","items":\{\}\}/);
    }
    assert.match(taken('openai', 'gpt-4o', 'openai-responses', items({ tools: [{ type: 'function', name: 'f', parameters: rows }] })).text, /"items":\{\}/);
  });

  test('strict is taken back where the schema is not strict, and stays where it is', () => {
    const open = taken('openai', 'gpt-4o', 'openai-chat', chat({ tools: [tool('f', object, true)], response_format: { type: 'json_schema', json_schema: { name: 'x', schema: object, strict: true } } }));
    assert.doesNotMatch(open.text, /"strict":true/);
    assert.match(open.changes.join(), /not strict/);
    const closed = { ...object, required: ['a'], additionalProperties: false };
    const kept = taken('openai', 'gpt-4o', 'openai-chat', chat({ tools: [tool('f', closed, true)] }));
    assert.deepEqual([kept.changes, kept.passThrough], [[], true]);
    const claudes = taken('openai', 'gpt-4o', 'anthropic-messages', claude({ output_config: { format: { type: 'json_schema', schema: object } } }), 'openai-chat');
    assert.doesNotMatch(claudes.text, /"strict":true/);
  });

  test("the answer's schema is closed for Claude, its bounds are in words, and older models are asked in words", () => {
    const schema: JsonObject = { type: 'object', properties: { n: { type: 'integer', minimum: 1, description: 'count' } } };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    const sent = taken('anthropic', 'claude-sonnet-4-5', 'openai-chat', chat({ response_format: format }), 'anthropic-messages');
    assert.match(sent.text, /"additionalProperties":false/);
    assert.match(sent.text, /count \(minimum: 1\)/);
    assert.match(sent.changes.join(), /bounds are in words/);
    const own = taken('anthropic', 'claude-opus-4-6', 'anthropic-messages', claude({ output_config: { effort: 'low', format: { type: 'json_schema', schema } } }));
    assert.match(own.text, /"additionalProperties":false/);
    const older = taken('anthropic', 'claude-3-5-haiku-20241022', 'openai-chat', chat({ response_format: format }), 'anthropic-messages');
    assert.equal(older.body.output_config, undefined);
    assert.match(older.text, /must match this JSON schema/);
  });

  test('a union at the top of a schema reaches Gemini as one object, and is not lost', () => {
    const union: JsonObject = { oneOf: [object, { type: 'object', properties: { b: { type: 'number' } } }] };
    assert.match(taken('gemini', 'gemini-2.5-flash', 'openai-chat', chat({ tools: [tool('f', union)] }), 'gemini').text, /"a":\{"type":"string"\},"b":\{"type":"number"\}/);
  });
});

describe('names of tools that a provider of the same protocol refuses', () => {
  for (const [provider, model, name] of [['moonshot', 'kimi-k3', '_private'], ['moonshot', 'kimi-k3', '2fa_check'], ['openai', 'gpt-4o', 'mcp.server.tool'], ['deepseek', 'deepseek-flash', 'b'.repeat(90)], ['mistral', 'mistral-large-latest', 'ns:tool']] as const) {
    test(`${name.slice(0, 16)} at ${provider} is replaced in definitions, history and choice, and given back`, () => {
      const sent = taken(provider, model, 'openai-chat', chat({
        messages: [user, called('abcdefghi', name), { role: 'tool', tool_call_id: 'abcdefghi', content: 'x' }], tools: [tool(name, object)], tool_choice: { type: 'function', function: { name } },
      }));
      assert.equal(sent.passThrough, false);
      assert.equal(sent.text.includes(`"${name}"`), false);
      assert.ok(sent.changes.includes('names of tools were replaced'));
      const [first] = Array.isArray(sent.body.tools) ? sent.body.tools : [];
      assert.equal(sent.names(String(field(field(first, 'function'), 'name'))), name);
    });
  }
});

describe('what Mistral refuses', () => {
  const history = [user, called('abcdefghi'), { role: 'tool', tool_call_id: 'abcdefghi', content: 'x' }, user];
  test('the assistant speaks between a result and the user', () => {
    const sent = taken('mistral', 'mistral-large-latest', 'openai-chat', chat({ messages: history, tools: [tool('f', object)] }));
    assert.deepEqual((sent.body.messages as JsonObject[]).map(({ role }) => role), ['user', 'assistant', 'tool', 'assistant', 'user']);
    taken('mistral', 'mistral-large-latest', 'anthropic-messages', claude({
      tools: [{ name: 'f', input_schema: object }],
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }, { type: 'text', text: 'go on' }] }],
    }), 'openai-chat');
  });

  test('what answers and clients write beside a message is left out, and so are fields that it does not know', () => {
    const sent = taken('mistral', 'mistral-large-latest', 'openai-chat', chat({
      messages: [{ ...user, name: 'Ada' }, { role: 'assistant', content: 'a', refusal: null, annotations: [], reasoning_content: 'hm' }, user], metadata: { a: 'b' }, logit_bias: {}, brand_new: 1, temperature: 1.9,
    }));
    assert.doesNotMatch(sent.text, /refusal|annotations|reasoning_content|Ada|metadata|logit_bias|brand_new/);
    for (const words of ['reasoning_content of messages was left out', 'name of messages was left out', 'metadata was left out', 'brand_new was left out', 'temperature 1.9 was sent as 1.5']) assert.ok(sent.changes.includes(words), words);
  });
});

describe('what Moonshot, Groq and xAI refuse', () => {
  test('Kimi models that think are asked in words for a call', () => {
    for (const choice of ['required', 'any', { type: 'function', function: { name: 'f' } }] as const) {
      const sent = taken('moonshot', 'kimi-k2.6', 'openai-chat', chat({ tools: [tool('f', object)], tool_choice: choice }));
      assert.equal(sent.body.tool_choice, undefined);
      assert.match(sent.text, /You must call/);
    }
  });

  test('an empty message of the assistant is left out', () => {
    assert.equal((taken('moonshot', 'kimi-k3', 'openai-chat', chat({ messages: [user, { role: 'assistant', content: '' }, user] })).body.messages as JsonValue[]).length, 2);
  });

  test('Groq gets messages without names and foreign reasoning, and no log probabilities', () => {
    const sent = taken('groq', 'openai/gpt-oss-120b', 'openai-chat', chat({ messages: [{ ...user, name: 'Ada' }, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, user], logprobs: true, top_logprobs: 2 }));
    assert.doesNotMatch(sent.text, /Ada|reasoning_content|logprobs/);
  });

  test('Grok models that reason get no penalties and stop strings, and the answer is stopped here for callers of other protocols', () => {
    const sent = taken('xai', 'grok-4.7', 'anthropic-messages', claude({ stop_sequences: ['END'], temperature: 1 }), 'openai-responses');
    assert.ok(sent.changes.includes('stop strings are applied to the answer here'));
    assert.equal(taken('xai', 'grok-4.7', 'openai-chat', chat({ presence_penalty: 0, frequency_penalty: 0.5, stop: 'x' })).body.stop, undefined);
    assert.equal(taken('xai', 'grok-4.20', 'openai-responses', items({ reasoning: { effort: 'high' } })).body.reasoning, undefined);
  });
});

describe('what single models of Claude and Gemini refuse, from callers of their own protocol', () => {
  test('temperature beside top_p, sampling beside thinking, thinking beside a forced tool', () => {
    assert.deepEqual(taken('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', claude({ temperature: 0.5, top_p: 0.9 })).changes, ['top_p was left out']);
    assert.equal(taken('anthropic', 'claude-3-5-haiku-20241022', 'anthropic-messages', claude({ temperature: 0.5, top_p: 0.9 })).passThrough, true);
    taken('anthropic', 'claude-opus-4-6', 'anthropic-messages', claude({ temperature: 0.5, top_k: 5, thinking: { type: 'adaptive' } }));
    taken('anthropic', 'claude-opus-4-1', 'anthropic-messages', claude({ thinking: { type: 'enabled', budget_tokens: 2000 }, tools: [{ name: 'f', input_schema: object }], tool_choice: { type: 'any' } }));
  });

  test('a thinking budget stays under an output limit that is lowered for the model, and the receipt says both', () => {
    const sent = send('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', claude({ max_tokens: 64_000, thinking: { type: 'enabled', budget_tokens: 50_000 } }), 32_000);
    assert.deepEqual([sent.body.max_tokens, field(sent.body.thinking, 'budget_tokens')], [32_000, 25_600]);
    assert.deepEqual(sent.changes, ['the thinking budget was lowered under the output limit', 'the output limit was lowered to 32000']);
  });

  test('what names a person is sent as its hash', () => {
    for (const user of ['someone@example.com', '+41 79 000 00 00', 'u'.repeat(300)]) {
      const sent = taken('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', claude({ metadata: { user_id: user } }));
      assert.match(String(field(sent.body.metadata, 'user_id')), /^[0-9a-f]{64}$/);
      assert.equal(sent.text.includes(user), false);
    }
    assert.equal(taken('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', claude({ metadata: { user_id: 'user_1f2e' } })).passThrough, true);
  });

  test('thinking, JSON beside tools, signatures and GIF pictures as the generation of Gemini takes them', () => {
    const config = (model: string, generationConfig: JsonObject): JsonValue | undefined => field(taken('gemini', model, 'gemini', google({ generationConfig })).body.generationConfig, 'thinkingConfig');
    assert.deepEqual(config('gemini-2.5-flash', { thinkingConfig: { thinkingLevel: 'HIGH' } }), { thinkingBudget: 16_384 });
    assert.deepEqual(config('gemini-4-argon', { thinkingConfig: { thinkingBudget: 2000 } }), { thinkingLevel: 'LOW' });
    assert.equal(config('gemini-2.0-flash', { thinkingConfig: { thinkingBudget: 2000 } }), undefined);
    assert.deepEqual(config('gemini-2.5-pro', { thinkingConfig: { thinkingBudget: 0 } }), { thinkingBudget: 128 });
    const asked = taken('gemini', 'gemini-2.5-pro', 'gemini', google({ generationConfig: { responseMimeType: 'application/json', responseJsonSchema: object }, tools: [{ functionDeclarations: [{ name: 'f' }] }] }));
    assert.match(asked.changes.join(), /asked for in words/);
    const history = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }, { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] }, { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'x' } } }] }], tools: [{ functionDeclarations: [{ name: 'f' }] }] };
    assert.match(taken('gemini', 'gemini-3.8-flash', 'gemini', history).text, /thoughtSignature/);
    assert.equal(taken('gemini', 'gemini-2.5-flash', 'gemini', history).passThrough, true);
    const gif = taken('gemini', 'gemini-2.5-flash', 'gemini', { contents: [{ role: 'user', parts: [{ text: 'see' }, { inlineData: { mimeType: 'image/gif', data: 'R0lGODlhAQABAAAAACw=' } }] }] });
    assert.match(gif.changes.join(), /image\/gif was left out/);
  });

  test('a seed of more than 32 bits does not reach Gemini', () => {
    assert.match(taken('gemini', 'gemini-2.5-flash', 'openai-chat', chat({ seed: 8_589_934_592 }), 'gemini').changes.join(), /seed was left out/);
  });
});

describe('texts that hold nothing', () => {
  const text = (value: string): JsonObject => ({ type: 'text', text: value });
  test('are left out for Claude, in messages, results and the system prompt, and a last word of the assistant has no white end', () => {
    const sent = taken('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', claude({
      system: [text(''), text('Be brief.')], tools: [{ name: 'f', input_schema: object }],
      messages: [
        { role: 'user', content: [text('hi'), text(' \n')] }, { role: 'assistant', content: [text(''), { type: 'tool_use', id: 't1', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [text('')] }] }, { role: 'assistant', content: 'The answer is ' },
      ],
    }));
    assert.doesNotMatch(sent.text, /"text":"\s*"|"text":" \\n"|is "/);
    assert.deepEqual(sent.changes, ['empty texts were left out', 'white space at the end of the last message was left out']);
  });

  test('with other texts beside, the bytes go through', () => {
    const body = claude({ messages: [{ role: 'user', content: [text('\n\nhi'), text(' there')] }] });
    assert.equal(taken('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', body).passThrough, true);
    assert.deepEqual(send('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', body).changes, []);
  });
});

describe('what other servers of Chat take and OpenAI does not', () => {
  test('pictures in results are sent behind them, any is sent as required, and one output limit is enough', () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
    const sent = taken('openai', 'gpt-4o', 'openai-chat', chat({
      messages: [user, called('c1'), { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'see' }, picture] }, user], tools: [tool('f', object)], tool_choice: 'any', max_tokens: 5, max_completion_tokens: 6,
    }));
    assert.deepEqual((sent.body.messages as JsonObject[]).map(({ role }) => role), ['user', 'assistant', 'tool', 'user', 'user']);
    assert.deepEqual([sent.body.tool_choice, sent.body.max_completion_tokens, sent.body.max_tokens], ['required', 6, undefined]);
    assert.match(sent.changes.join(), /pictures of results were sent behind them/);
  });

  test('empty lists of tools and calls, and a choice without tools, are left out', () => {
    const sent = taken('openai', 'gpt-4o', 'openai-chat', chat({ messages: [user, { role: 'assistant', content: 'a', tool_calls: [] }, user], tools: [], tool_choice: 'auto', parallel_tool_calls: true }));
    for (const name of ['tools', 'tool_choice', 'parallel_tool_calls']) assert.equal(sent.body[name], undefined);
    assert.equal(taken('openai', 'gpt-4o', 'openai-responses', items({ tools: [], parallel_tool_calls: false })).body.tools, undefined);
  });
});

describe('ids of items at OpenAI', () => {
  const said = (id: string): JsonObject => ({ type: 'message', role: 'assistant', id, content: [{ type: 'output_text', text: 'a' }] });
  test('those of other servers are left out, and its own stay', () => {
    const sent = taken('openai', 'gpt-4o', 'openai-responses', { model: 'm', input: [{ role: 'user', content: 'hi' }, said('item_1'), { role: 'user', content: 'hi' }] });
    assert.deepEqual(sent.changes, ['ids of items were left out']);
    assert.equal(taken('openai', 'gpt-4o', 'openai-responses', { model: 'm', input: [{ role: 'user', content: 'hi' }, said('rs_1'), { role: 'user', content: 'hi' }] }).text.includes('rs_1'), false);
    assert.deepEqual(taken('openai', 'gpt-4o', 'openai-responses', { model: 'm', input: [{ role: 'user', content: 'hi' }, said('msg_1'), { role: 'user', content: 'hi' }] }).changes, []);
  });
});

describe('what a translation cannot say is in the receipt', () => {
  test('settings, fields, instructions, failures and reasoning', () => {
    const toClaude = send('anthropic', 'claude-opus-4-8', 'openai-chat', chat({
      messages: [user, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, { role: 'system', content: 'be brief' }, user], seed: 1, frequency_penalty: 1, verbosity: 'low', logit_bias: { 1: 2 }, metadata: { a: 'b' }, response_format: { type: 'json_object' }, logprobs: true,
    }));
    for (const words of ['seed was left out', 'frequency_penalty was left out', 'verbosity was left out', 'logprobs was left out', 'logit_bias was left out', 'metadata was left out', 'JSON was asked for in words', 'a later instruction was sent as words of the user', 'reasoning of earlier turns was left out']) {
      assert.ok(toClaude.changes.includes(words), `${words}: ${toClaude.changes.join('; ')}`);
    }
    const toChat = send('openai', 'gpt-4o', 'anthropic-messages', claude({
      top_k: 5, stop_sequences: ['1', '2', '3', '4', '5'], context_management: {}, tools: [{ name: 'f', input_schema: object }],
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x', is_error: true }] }],
    }));
    for (const words of ['top_k was left out', 'stop strings are applied to the answer here', 'context_management was left out', 'a failed result was marked in words']) assert.ok(toChat.changes.includes(words), `${words}: ${toChat.changes.join('; ')}`);
    assert.deepEqual(send('openai', 'gpt-4o', 'anthropic-messages', claude({ temperature: 0.5, system: 'x' })).changes, []);
  });
});
