import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { RequestFormatError } from '../../../server/protocols/codec.ts';
import type { Dialect, EncodeTarget } from '../../../server/protocols/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';

const target = (model: string, dialect: Dialect = {}, origin = `there/${model}`): EncodeTarget => ({
  model, stream: false, defaultMaxOutputTokens: 4_096, dialect, origin,
});

const chatToMessages = (body: JsonObject, model = 'claude-sonnet-4-5', dialect?: Dialect): JsonObject =>
  anthropicMessages.encodeRequest(openAiChat.decodeRequest(body), target(model, dialect));
const messagesToChat = (body: JsonObject, dialect?: Dialect): JsonObject =>
  openAiChat.encodeRequest(anthropicMessages.decodeRequest(body), target('gpt-4.1', dialect));

const ask = [{ role: 'user', content: 'hi' }];
const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const chatTool = { type: 'function', function: { name: 'weather', description: 'Tells it', parameters: weather } };
const messagesTool = { name: 'weather', description: 'Tells it', input_schema: weather };

describe('a chat request to a Messages target', () => {
  const cases: { what: string; chat: JsonObject; messages: JsonObject; model?: string }[] = [
    { what: 'gets the output limit that is demanded', chat: { messages: ask }, messages: { model: 'claude-sonnet-4-5', max_tokens: 4_096, messages: ask } },
    {
      what: 'keeps its own limit, stop strings and user, and loses what has no counterpart',
      chat: { messages: ask, max_completion_tokens: 50, stop: 'END', user: 'u1', seed: 1, n: 2, presence_penalty: 1, frequency_penalty: 1, logprobs: true, top_logprobs: 3, store: true },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 50, messages: ask, stop_sequences: ['END'], metadata: { user_id: 'u1' } },
    },
    {
      what: 'has its temperature clamped, and only one sampling parameter of the two',
      chat: { messages: ask, max_tokens: 9, temperature: 1.7, top_p: 0.5 },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 9, messages: ask, temperature: 1 },
    },
    {
      what: 'loses sampling parameters where they are refused',
      model: 'claude-opus-5-5',
      chat: { messages: ask, max_tokens: 9, temperature: 0.5 },
      messages: { model: 'claude-opus-5-5', max_tokens: 9, messages: ask },
    },
    {
      what: 'has its leading instructions as system, and later ones marked in place',
      chat: { max_tokens: 9, messages: [{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, { role: 'user', content: 'hi' }, { role: 'system', content: 'C' }, { role: 'user', content: 'go' }] },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9,
        system: [{ type: 'text', text: 'A' }, { type: 'text', text: 'B' }],
        messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'text', text: '<system>\nC\n</system>' }, { type: 'text', text: 'go' }] }],
      },
    },
    {
      what: 'has parallel results in one user message, first, whatever came between',
      chat: {
        max_tokens: 9, tools: [chatTool],
        messages: [
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', content: 'Looking.', tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } },
            { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '' } },
          ] },
          { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
          { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'sun' }] },
          { role: 'user', content: 'Thanks' },
        ],
      },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9, tools: [messagesTool],
        messages: [
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', content: [
            { type: 'text', text: 'Looking.' },
            { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bonn' } },
            { type: 'tool_use', id: 'call_2', name: 'weather', input: {} },
          ] },
          { role: 'user', content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: 'rain' },
            { type: 'tool_result', tool_use_id: 'call_2', content: 'sun' },
            { type: 'text', text: 'Thanks' },
          ] },
        ],
      },
    },
    {
      what: 'begins with a user message, even when the caller did not',
      chat: { max_tokens: 9, messages: [{ role: 'assistant', content: 'Hello ' }, { role: 'assistant', content: 'there \n' }] },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9,
        messages: [{ role: 'user', content: 'Continue.' }, { role: 'assistant', content: [{ type: 'text', text: 'Hello ' }, { type: 'text', text: 'there' }] }],
      },
    },
    {
      what: 'keeps arguments that are no JSON object, inside one',
      chat: { max_tokens: 9, messages: [...ask, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } }] }, { role: 'tool', tool_call_id: 'c', content: '' }] },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9,
        messages: [...ask, { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: { arguments: '{"a":' } }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c' }] }],
      },
    },
    {
      what: 'carries images and files',
      chat: {
        max_tokens: 9,
        messages: [{ role: 'user', content: [
          { type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA', detail: 'high' } },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
          { type: 'input_audio', input_audio: { data: 'CCCC', format: 'wav' } },
        ] }],
      },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9,
        messages: [{ role: 'user', content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AAAA' } },
          { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' }, title: 'a.pdf' },
          { type: 'text', text: '[A document (audio/wav) was left out: it cannot be sent to this model.]' },
        ] }],
      },
    },
    {
      what: 'asks for a JSON schema in the target\'s way',
      chat: { max_tokens: 9, messages: ask, response_format: { type: 'json_schema', json_schema: { name: 'w', schema: weather, strict: true } } },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 9, messages: ask, output_config: { format: { type: 'json_schema', schema: weather } } },
    },
    {
      what: 'asks for plain JSON in words',
      chat: { max_tokens: 9, messages: ask, response_format: { type: 'json_object' } },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 9, system: 'Answer with one valid JSON object and nothing else.', messages: ask },
    },
    {
      what: 'turns an effort into a budget that leaves room for the answer',
      chat: { max_tokens: 2_000, messages: ask, reasoning_effort: 'high', temperature: 0.2 },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 2_000, messages: ask, thinking: { type: 'enabled', budget_tokens: 1_600 } },
    },
    {
      what: 'turns an effort into adaptive thinking for newer models',
      model: 'claude-opus-4-6',
      chat: { max_tokens: 9, messages: ask, reasoning_effort: 'minimal' },
      messages: { model: 'claude-opus-4-6', max_tokens: 9, messages: ask, thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    },
    {
      what: 'is asked in words for a tool where forcing is refused',
      model: 'claude-sonnet-5-5',
      chat: { max_tokens: 9, messages: ask, tools: [chatTool], tool_choice: { type: 'function', function: { name: 'weather' } } },
      messages: { model: 'claude-sonnet-5-5', max_tokens: 9, system: 'You must call the tool "weather" now.', messages: ask, tools: [messagesTool], tool_choice: { type: 'auto' } },
    },
    {
      what: 'loses reasoning that the target did not make',
      chat: { max_tokens: 9, messages: [...ask, { role: 'assistant', reasoning_content: 'Hm', content: 'Yes' }, { role: 'user', content: 'ok' }] },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [...ask, { role: 'assistant', content: 'Yes' }, { role: 'user', content: 'ok' }] },
    },
    {
      what: 'with an allowed subset sends only that',
      chat: { max_tokens: 9, messages: ask, tools: [chatTool, { type: 'function', function: { name: 'other' } }], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'weather' } }] } } },
      messages: { model: 'claude-sonnet-4-5', max_tokens: 9, messages: ask, tools: [messagesTool], tool_choice: { type: 'any' } },
    },
    {
      what: 'in the legacy form of functions works',
      chat: { max_tokens: 9, functions: [{ name: 'f' }], function_call: 'auto', messages: [...ask, { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } }, { role: 'function', name: 'f', content: 'r' }] },
      messages: {
        model: 'claude-sonnet-4-5', max_tokens: 9, tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: { type: 'auto' },
        messages: [...ask, { role: 'assistant', content: [{ type: 'tool_use', id: 'call_function_0', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_function_0', content: 'r' }] }],
      },
    },
  ];
  for (const { what, chat, messages, model } of cases) {
    test(what, () => assert.deepEqual(chatToMessages({ model: 'auto', ...chat }, model), messages));
  }
});

describe('a Messages request to a chat target', () => {
  const chat = (rest: JsonObject): JsonObject => ({ model: 'gpt-4.1', max_completion_tokens: 9, ...rest });
  const cases: { what: string; messages: JsonObject; chat: JsonObject; dialect?: Dialect }[] = [
    {
      what: 'has its system blocks in one message, without the attribution line that is for Anthropic only',
      messages: { messages: ask, system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=1; cch=2;' }, { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } }, { type: 'text', text: 'B' }] },
      chat: chat({ messages: [{ role: 'system', content: 'A\n\nB' }, ...ask] }),
    },
    {
      what: 'has one tool message a result, images after them, and failures said in words',
      messages: {
        tools: [messagesTool], tool_choice: { type: 'any', disable_parallel_tool_use: true },
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'Weather?', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
          { role: 'assistant', content: [
            { type: 'thinking', thinking: 'Hm', signature: 's' },
            { type: 'text', text: 'Looking.' },
            { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bonn' } },
            { type: 'tool_use', id: 'toolu_2', name: 'weather', input: {} },
          ] },
          { role: 'user', content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'see' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] },
            { type: 'tool_result', tool_use_id: 'toolu_2', content: 'no such city', is_error: true },
            { type: 'text', text: 'Well?' },
          ] },
        ],
      },
      chat: chat({
        tools: [chatTool], tool_choice: 'required', parallel_tool_calls: false,
        messages: [
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', content: 'Looking.', tool_calls: [
            { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } },
            { id: 'toolu_2', type: 'function', function: { name: 'weather', arguments: '{}' } },
          ] },
          { role: 'tool', tool_call_id: 'toolu_1', content: 'see' },
          { role: 'tool', tool_call_id: 'toolu_2', content: 'Error: no such city' },
          { role: 'user', content: [
            { type: 'text', text: 'Attached to the result of tool call toolu_1:' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'text', text: 'Well?' },
          ] },
        ],
      }),
    },
    {
      what: 'carries documents: PDFs as files, text in line',
      messages: { messages: [{ role: 'user', content: [
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' }, title: 'a.pdf' },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' }, title: 'n' },
        { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      ] }] },
      chat: chat({ messages: [{ role: 'user', content: [
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
        { type: 'text', text: '<document title="n">\nGrüße\n</document>' },
        { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
      ] }] }),
    },
    {
      what: 'translates what has a counterpart and loses what has none',
      messages: { messages: ask, temperature: 0.5, top_p: 0.9, top_k: 5, stop_sequences: ['A', 'B'], metadata: { user_id: 'u' }, service_tier: 'standard_only', container: null, context_management: {} },
      chat: chat({ messages: ask, temperature: 0.5, top_p: 0.9, stop: ['A', 'B'], user: 'u' }),
    },
    {
      what: 'turns a budget into an effort',
      messages: { messages: ask, thinking: { type: 'enabled', budget_tokens: 5_000 } },
      chat: chat({ messages: ask, reasoning_effort: 'medium' }),
    },
    {
      what: 'turns thinking on for servers with a switch, with the nearest effort they know',
      dialect: { thinkingToggle: 'thinking-type', efforts: ['low', 'high', 'max'], maxTokensField: 'max_tokens' },
      messages: { messages: ask, thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
      chat: { model: 'gpt-4.1', max_tokens: 9, messages: ask, thinking: { type: 'enabled' }, reasoning_effort: 'high' },
    },
    {
      what: 'turns thinking off for servers with a switch',
      dialect: { thinkingToggle: 'thinking-type', efforts: ['low', 'high', 'max'] },
      messages: { messages: ask, thinking: { type: 'disabled' } },
      chat: chat({ messages: ask, thinking: { type: 'disabled' } }),
    },
    {
      what: 'asks for a JSON schema in the target\'s way',
      messages: { messages: ask, output_config: { format: { type: 'json_schema', schema: weather } } },
      chat: chat({ messages: ask, response_format: { type: 'json_schema', json_schema: { name: 'response', schema: weather, strict: true } } }),
    },
    {
      what: 'uses the names of the server',
      dialect: { dropFields: ['temperature', 'user'], maxTokensField: 'max_tokens', instructionRole: 'developer' },
      messages: { messages: ask, system: 'S', temperature: 0.5, metadata: { user_id: 'u' } },
      chat: { model: 'gpt-4.1', max_tokens: 9, messages: [{ role: 'developer', content: 'S' }, ...ask], temperature: 0.5, user: 'u' },
    },
    {
      what: 'sends back reasoning with tool calls, even empty, where that is demanded',
      dialect: { reasoningRequiredWithTools: true, reasoningField: 'reasoning_content' },
      messages: { messages: [...ask,
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'unsigned', signature: '' }, { type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: '1' }] },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'foreign', signature: 'sig' }, { type: 'tool_use', id: 'b', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: '2' }] },
      ] },
      chat: chat({ messages: [...ask,
        { role: 'assistant', content: null, reasoning_content: 'unsigned', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'a', content: '1' },
        { role: 'assistant', content: null, reasoning_content: '', tool_calls: [{ id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'b', content: '2' },
      ] }),
    },
    {
      what: 'names content of an unknown type instead of losing it silently',
      messages: { messages: [{ role: 'user', content: [{ type: 'hologram', data: 'x' }, { type: 'text', text: 'hi' }] }] },
      chat: chat({ messages: [{ role: 'user', content: '[Content of type "hologram" was left out: it cannot be sent to this model.]\n\nhi' }] }),
    },
  ];
  for (const { what, messages, chat: requestedModel, dialect } of cases) {
    test(what, () => assert.deepEqual(messagesToChat({ model: 'auto', max_tokens: 9, ...messages }, dialect), requestedModel));
  }
});

describe('thinking with a signature', () => {
  const signed = { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm', signature: 's' }, { type: 'redacted_thinking', data: 'r' }, { type: 'text', text: 'Yes' }] };
  const body = { model: 'auto', max_tokens: 9, messages: [...ask, signed, { role: 'user', content: 'ok' }] };

  test('of a Messages caller goes to a Messages target as it is', () => {
    const sent = anthropicMessages.encodeRequest(anthropicMessages.decodeRequest(body), target('claude-opus-4-6'));
    assert.deepEqual(sent.messages, body.messages);
  });

  test('made by one target goes only to that target', () => {
    const request = anthropicMessages.decodeRequest(body);
    for (const part of request.messages[1]?.content ?? []) if (part.type === 'thinking') part.origin = 'claude/claude-opus-4-6';
    const at = (origin: string): unknown => (anthropicMessages.encodeRequest(request, target('claude-opus-4-6', {}, origin)).messages as JsonObject[])[1]?.content;
    assert.deepEqual(at('claude/claude-opus-4-6'), signed.content);
    assert.deepEqual(at('relay/claude-opus-4-6'), 'Yes');
  });

  test('is not asked for again in a tool loop whose signed beginning had to be stripped', () => {
    const loop: JsonObject = {
      model: 'auto', max_tokens: 9_000, thinking: { type: 'enabled', budget_tokens: 2_000 },
      messages: [...ask,
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 's' }, { type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: '1' }] }],
    };
    const request = anthropicMessages.decodeRequest(loop);
    const kept = anthropicMessages.encodeRequest(request, target('claude-sonnet-4-5'));
    assert.deepEqual(kept.thinking, { type: 'enabled', budget_tokens: 2_000 });
    for (const part of request.messages[1]?.content ?? []) if (part.type === 'thinking') part.origin = 'elsewhere/model';
    assert.equal(anthropicMessages.encodeRequest(request, target('claude-sonnet-4-5')).thinking, undefined);
  });
});

describe('a streamed request', () => {
  test('asks a chat server for usage, unless it does not know how', () => {
    const request = openAiChat.decodeRequest({ messages: ask });
    const sent = (dialect: Dialect): JsonObject => openAiChat.encodeRequest(request, { ...target('m', dialect), stream: true });
    assert.deepEqual([sent({}).stream, sent({}).stream_options], [true, { include_usage: true }]);
    assert.equal(sent({ streamUsageOption: false }).stream_options, undefined);
  });
});

describe('a round trip', () => {
  const request: ConversationRequest = openAiChat.decodeRequest({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Look' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
      { role: 'assistant', content: 'Calling', tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } }, { id: 'b', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } }] },
      { role: 'tool', tool_call_id: 'a', content: 'rain' },
      { role: 'tool', tool_call_id: 'b', content: 'sun' },
      { role: 'assistant', content: 'Mixed.' },
      { role: 'user', content: 'And tomorrow?' },
    ],
    tools: [chatTool], tool_choice: { type: 'function', function: { name: 'weather' } }, parallel_tool_calls: false,
    max_tokens: 100, temperature: 0.3, stop: ['END'], user: 'u',
  });
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test('through the Messages form loses nothing', () => {
    assert.deepEqual(plain(anthropicMessages.decodeRequest(anthropicMessages.encodeRequest(request, target('claude-sonnet-4-5')))), plain(request));
  });

  test('through the chat form loses nothing', () => {
    assert.deepEqual(plain(openAiChat.decodeRequest(openAiChat.encodeRequest(request, target('gpt-4.1')))), plain(request));
  });

  test('through the chat form keeps what only chat knows', () => {
    const own = openAiChat.decodeRequest({
      messages: ask, n: 2, seed: 7, presence_penalty: 0.5, frequency_penalty: 0.25, logprobs: true, top_logprobs: 4, reasoning_effort: 'xhigh',
      verbosity: 'low', service_tier: 'flex', prompt_cache_key: 'k', response_format: { type: 'json_object' },
      tools: [{ type: 'custom', custom: { name: 'patch', format: { type: 'text' } } }], tool_choice: { type: 'custom', custom: { name: 'patch' } }, web_search_options: {},
    });
    assert.deepEqual(plain(openAiChat.decodeRequest(openAiChat.encodeRequest(own, target('gpt-4.1', { customTools: true })))), plain(own));
  });

  test('through the Messages form keeps cache breakpoints and hosted tools', () => {
    const body: JsonObject = {
      model: 'claude-sonnet-4-5', max_tokens: 100,
      system: [{ type: 'text', text: 'S', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] }],
      tools: [{ ...messagesTool, cache_control: { type: 'ephemeral' } }, { type: 'web_search_20250305', name: 'web_search', max_uses: 2 }],
    };
    assert.deepEqual(anthropicMessages.encodeRequest(anthropicMessages.decodeRequest(body), target('claude-sonnet-4-5')), body);
  });
});

describe('a request that cannot be understood', () => {
  const cases: [codec: typeof openAiChat, body: JsonObject, path: string][] = [
    [openAiChat, {}, 'messages'],
    [openAiChat, { messages: 'hi' }, 'messages'],
    [openAiChat, { messages: [7] }, 'messages[0]'],
    [openAiChat, { messages: [{ role: 'robot', content: '' }] }, 'messages[0].role'],
    [openAiChat, { messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    [openAiChat, { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, 'messages[0].content[0].image_url.url'],
    [openAiChat, { messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
    [openAiChat, { messages: ask, temperature: 'hot' }, 'temperature'],
    [openAiChat, { messages: ask, tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    [openAiChat, { messages: ask, tool_choice: 7 }, 'tool_choice'],
    [anthropicMessages, {}, 'messages'],
    [anthropicMessages, { messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    [anthropicMessages, { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }, 'messages[0].content[0].tool_use_id'],
    [anthropicMessages, { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'gopher' } }] }] }, 'messages[0].content[0].source.type'],
    [anthropicMessages, { messages: ask, tool_choice: { type: 'sometimes' } }, 'tool_choice.type'],
    [anthropicMessages, { messages: ask, thread: { type: 'continue', id: 't' } }, 'thread'],
  ];
  for (const [codec, body, path] of cases) {
    test(`is refused with its place: ${codec.protocol} ${path}`, () => {
      assert.throws(() => codec.decodeRequest(body), (error) => error instanceof RequestFormatError && error.path === path);
    });
  }
});
