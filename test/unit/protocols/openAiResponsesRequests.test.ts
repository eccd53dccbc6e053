import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { RequestFormatError } from '../../../server/protocols/codec.ts';
import type { Dialect, EncodeTarget } from '../../../server/protocols/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { openAiResponses } from '../../../server/protocols/openAiResponses/codec.ts';
import { flatName } from '../../../server/protocols/openAiResponses/tools.ts';

const target = (model: string, dialect: Dialect = {}): EncodeTarget => ({ model, stream: false, defaultMaxOutputTokens: 4_096, dialect, origin: `there/${model}` });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const decode = (body: JsonObject): ConversationRequest => openAiResponses.decodeRequest({ input: 'hi', ...body });
const encode = (request: Partial<ConversationRequest>, model = 'gpt-6-sol', dialect?: Dialect): JsonObject =>
  openAiResponses.encodeRequest({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], tools: [], ...request }, target(model, dialect));

const always = { store: false, include: ['reasoning.encrypted_content'] };
const hi = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }];
const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const lark = { type: 'grammar', syntax: 'lark', definition: 'start: begin' };

/** What Codex sends, as far as it matters here. */
const codex: JsonObject = {
  model: 'auto', stream: true, store: false, parallel_tool_calls: false, tool_choice: 'auto', prompt_cache_key: 'session-1',
  include: ['reasoning.encrypted_content'], reasoning: { effort: 'medium', summary: 'auto' }, client_metadata: { a: 'b' },
  tools: [
    { type: 'function', name: 'shell', description: 'Runs', strict: false, parameters: weather },
    { type: 'custom', name: 'apply_patch', description: 'Edits files.', format: lark },
    { type: 'namespace', name: 'mcp__github', description: 'GitHub', tools: [
      { type: 'function', name: 'list', parameters: weather, strict: false },
      { type: 'custom', name: 'note', description: 'Notes' },
    ] },
    { type: 'web_search', external_web_access: false },
  ],
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be careful.' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Fix it' }] },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Plan' }], encrypted_content: 'b3BhcXVl' },
    { type: 'message', role: 'assistant', phase: 'commentary', content: [{ type: 'output_text', text: 'Looking' }] },
    { type: 'function_call', name: 'list', namespace: 'mcp__github', arguments: '{"city":"x"}', call_id: 'call_1' },
    { type: 'custom_tool_call', name: 'apply_patch', input: '*** Begin Patch', call_id: 'call_2' },
    { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'two' }, { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'high' }] },
    { type: 'custom_tool_call_output', call_id: 'call_2', output: 'Done' },
  ],
};

describe('a Responses request', () => {
  test('of Codex is read whole', () => {
    assert.deepEqual(plain(openAiResponses.decodeRequest(codex)), {
      system: [{ type: 'text', text: 'Be careful.' }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Fix it' }] },
        { role: 'assistant', content: [
          { type: 'thinking', text: 'Plan', encrypted: 'b3BhcXVl', origin: 'openai-responses' },
          { type: 'text', text: 'Looking', phase: 'commentary' },
          { type: 'tool-call', id: 'call_1', name: 'mcp__github__list', arguments: '{"city":"x"}' },
          { type: 'tool-call', id: 'call_2', name: 'apply_patch', arguments: '*** Begin Patch', kind: 'custom' },
        ] },
        { role: 'user', content: [
          { type: 'tool-result', callId: 'call_1', name: 'mcp__github__list', content: [{ type: 'text', text: 'two' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AAAA' }, detail: 'high' }] },
          { type: 'tool-result', callId: 'call_2', name: 'apply_patch', content: [{ type: 'text', text: 'Done' }], kind: 'custom' },
        ] },
      ],
      tools: [
        { name: 'shell', description: 'Runs', parameters: weather, strict: false },
        { name: 'apply_patch', description: 'Edits files.', kind: 'custom', format: lark },
        { name: 'mcp__github__list', parameters: weather, strict: false, namespace: { name: 'mcp__github', tool: 'list' } },
        { name: 'mcp__github__note', description: 'Notes', kind: 'custom', namespace: { name: 'mcp__github', tool: 'note' } },
      ],
      hostedTools: [{ protocol: 'openai-responses', type: 'web_search', definition: { type: 'web_search', external_web_access: false } }],
      toolChoice: { type: 'auto' }, parallelToolCalls: false, reasoning: { effort: 'medium', visible: true }, promptCacheKey: 'session-1',
    });
  });

  test('of Codex reaches a target that knows only functions, with its patch tool and its history', () => {
    const chat = openAiChat.encodeRequest(openAiResponses.decodeRequest(codex), target('deepseek-flash'));
    const tools = chat.tools as { type: string; function: { name: string; description: string; parameters: unknown } }[];
    assert.deepEqual(tools.map((tool) => [tool.type, tool.function.name]), [['function', 'shell'], ['function', 'apply_patch'], ['function', 'mcp__github__list'], ['function', 'mcp__github__note']]);
    assert.match(tools[1]?.function.description ?? '', /Edits files\.[^]*lark grammar:\nstart: begin/);
    assert.deepEqual(Object.keys((tools[1]?.function.parameters as { properties: object }).properties), ['input']);
    const [, , assistant, , patched] = chat.messages as JsonObject[];
    assert.deepEqual((assistant?.tool_calls as { function: unknown }[]).map((call) => call.function), [
      { name: 'mcp__github__list', arguments: '{"city":"x"}' }, { name: 'apply_patch', arguments: '{"input":"*** Begin Patch"}' },
    ]);
    assert.deepEqual(patched, { role: 'tool', tool_call_id: 'call_2', content: 'Done' });
    assert.ok(!JSON.stringify(chat).includes('b3BhcXVl'));
  });

  test('of Codex reaches a Messages target the same way', () => {
    const messages = anthropicMessages.encodeRequest(openAiResponses.decodeRequest(codex), target('claude-sonnet-4-5'));
    const [, assistant, results] = messages.messages as { content: JsonObject[] }[];
    assert.deepEqual(assistant?.content.map((block) => block.input ?? block.text), ['Looking', { city: 'x' }, { input: '*** Begin Patch' }]);
    assert.deepEqual(results?.content.map((block) => block.tool_use_id), ['call_1', 'call_2']);
    assert.equal((messages.tools as JsonObject[]).length, 4);
  });

  test('through its own form keeps reasoning, phases, free-text tools and hosted tools', () => {
    const decoded = openAiResponses.decodeRequest(codex);
    const written = openAiResponses.encodeRequest(decoded, target('gpt-6-sol'));
    assert.deepEqual((written.input as JsonObject[]).map((item) => item.type), ['message', 'reasoning', 'message', 'function_call', 'custom_tool_call', 'function_call_output', 'custom_tool_call_output']);
    assert.deepEqual((written.input as JsonObject[])[1], { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Plan' }], encrypted_content: 'b3BhcXVl' });
    assert.equal((written.input as JsonObject[])[2]?.phase, 'commentary');
    assert.deepEqual((written.tools as JsonObject[]).map((tool) => tool.type), ['function', 'custom', 'function', 'custom', 'web_search']);
    assert.deepEqual((written.tools as JsonObject[])[1]?.format, lark);
  });

  test('takes a plain string, instructions, and tools that come as items', () => {
    const request = openAiResponses.decodeRequest({ instructions: 'Be brief.', input: [
      { role: 'system', content: 'More.' }, { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'f', parameters: null, strict: null }] }, { role: 'user', content: 'hi' },
    ] });
    assert.deepEqual(plain([request.system, request.messages, request.tools]), [
      [{ type: 'text', text: 'Be brief.' }, { type: 'text', text: 'More.' }], [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], [{ name: 'f' }],
    ]);
    assert.deepEqual(decode({}).messages, [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]);
  });

  test('keeps calls of tools that the caller runs and the provider defines, with their results', () => {
    const { messages, providerState } = decode({ input: [
      { type: 'local_shell_call', id: 'lsh_1', call_id: 'call_1', status: 'completed', action: { type: 'exec', command: ['ls'] } },
      { type: 'local_shell_call_output', id: 'x', call_id: 'call_1', output: 'a.ts' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
      { type: 'mcp_call', id: 'mcp_1', name: 'ask', server_label: 's', arguments: '{}', output: 'yes' },
    ] });
    assert.equal(providerState, undefined);
    assert.deepEqual(plain(messages[0]), { role: 'assistant', content: [{ type: 'tool-call', id: 'call_1', name: 'local_shell', arguments: '{"type":"exec","command":["ls"]}' }] });
    assert.deepEqual(plain(messages[1]?.content[0]), { type: 'tool-result', callId: 'call_1', name: 'local_shell', content: [{ type: 'text', text: 'a.ts' }] });
    assert.deepEqual(messages.slice(2).map((message) => message.content[0]?.type), ['tool-call', 'tool-result']);
  });

  const fields: { what: string; body: JsonObject; read: Partial<ConversationRequest> }[] = [
    { what: 'limits, sampling and identifiers', body: { max_output_tokens: 9, temperature: 0.5, top_p: 0.9, safety_identifier: 's', user: 'u', service_tier: 'flex', truncation: 'auto', metadata: { a: 'b' } }, read: { maxOutputTokens: 9, temperature: 0.5, topP: 0.9, user: 's', serviceTier: 'flex', truncation: 'auto', metadata: { a: 'b' } } },
    { what: 'a JSON schema and verbosity', body: { text: { verbosity: 'low', format: { type: 'json_schema', name: 'n', schema: weather, strict: true } } }, read: { verbosity: 'low', responseFormat: { type: 'json-schema', name: 'n', schema: weather, strict: true } } },
    { what: 'JSON mode', body: { text: { format: { type: 'json_object' } } }, read: { responseFormat: { type: 'json' } } },
    { what: 'log probabilities', body: { include: ['message.output_text.logprobs'], top_logprobs: 3 }, read: { logprobs: { top: 3 } } },
    { what: 'reasoning without a summary', body: { reasoning: { effort: 'none', summary: null } }, read: { reasoning: { effort: 'none' } } },
    { what: 'a forced function of a namespace', body: { tool_choice: { type: 'function', name: 'list', namespace: 'mcp__github' } }, read: { toolChoice: { type: 'tool', name: 'mcp__github__list' } } },
    { what: 'a required call', body: { tool_choice: 'required' }, read: { toolChoice: { type: 'required' } } },
    {
      what: 'a subset of tools', read: { tools: [{ name: 'b' }], toolChoice: { type: 'required' } },
      body: { tools: [{ type: 'function', name: 'a' }, { type: 'function', name: 'b' }], tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'b' }] } },
    },
  ];
  for (const { what, body, read } of fields) {
    test(`is read: ${what}`, () => {
      assert.deepEqual(plain(decode(body)), { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], tools: [], ...read });
    });
  }

  const pins: { body: JsonObject; reason: RegExp }[] = [
    { body: { previous_response_id: 'resp_1' }, reason: /previous_response_id/ },
    { body: { conversation: 'conv_1' }, reason: /conversation/ },
    { body: { prompt: { id: 'p' } }, reason: /prompt/ },
    { body: { background: true }, reason: /background/ },
    { body: { tool_choice: { type: 'file_search' } }, reason: /file_search/ },
    { body: { input: [{ type: 'compaction', id: 'c', encrypted_content: 'x' }] }, reason: /input\[0\].*compaction/ },
  ];
  for (const { body, reason } of pins) {
    test(`with ${JSON.stringify(body)} says why it cannot be translated`, () => assert.match(decode(body).providerState?.reason ?? '', reason));
  }
  test('that may be stored but refers to nothing stored can be translated', () => assert.equal(decode({ store: true }).providerState, undefined));

  const wrong: { body: JsonObject; path: string }[] = [
    { body: { input: null }, path: 'input' },
    { body: { input: 7 }, path: 'input' },
    { body: { input: ['x'] }, path: 'input[0]' },
    { body: { input: [{ type: 'item_reference', id: 'msg_1' }] }, path: 'input[0]' },
    { body: { input: [{ id: 'msg_1' }] }, path: 'input[0]' },
    { body: { input: [{ role: 'robot', content: 'x' }] }, path: 'input[0].role' },
    { body: { input: [{ type: 'function_call', name: 'f' }] }, path: 'input[0].call_id' },
    { body: { tools: [{ type: 'function' }] }, path: 'tools[0].name' },
    { body: { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'custom' }] }] }, path: 'tools[0].tools[0].name' },
    { body: { tool_choice: 3 }, path: 'tool_choice' },
    { body: { temperature: 'hot' }, path: 'temperature' },
  ];
  for (const { body, path } of wrong) {
    test(`with ${JSON.stringify(body)} is refused at ${path}`, () => {
      assert.throws(() => decode(body), (error) => error instanceof RequestFormatError && error.path === path);
    });
  }
});

describe('a request to a Responses target', () => {
  const cases: { what: string; request: Partial<ConversationRequest>; body: JsonObject; model?: string; dialect?: Dialect }[] = [
    { what: 'is never stored, and asks for the reasoning it will have to send back', request: {}, body: { model: 'gpt-6-sol', input: hi, ...always } },
    { what: 'of a model that does not reason keeps its sampling and asks for no reasoning', model: 'gpt-4.1', request: { temperature: 0.5, topP: 0.9, reasoning: { effort: 'high' } }, body: { model: 'gpt-4.1', input: hi, temperature: 0.5, top_p: 0.9, store: false } },
    { what: 'of a reasoning model loses sampling, which it would refuse', request: { temperature: 0.5, topP: 0.9 }, body: { model: 'gpt-6-sol', input: hi, ...always } },
    { what: 'of a reasoning model that is not to reason keeps its sampling', request: { temperature: 0.5, reasoning: { effort: 'none' } }, body: { model: 'gpt-6-sol', input: hi, temperature: 0.5, reasoning: { effort: 'none' }, ...always } },
    { what: 'of an unknown model keeps everything', model: 'grok-4.7', request: { temperature: 0.5, reasoning: { effort: 'xhigh', visible: true } }, dialect: { efforts: ['low', 'high'] }, body: { model: 'grok-4.7', input: hi, temperature: 0.5, reasoning: { effort: 'high', summary: 'auto' }, ...always } },
    {
      what: 'says strict where the tool says it, and that it is not where it does not',
      request: { tools: [{ name: 'a', parameters: weather }, { name: 'b', strict: true }], toolChoice: { type: 'tool', name: 'b' }, parallelToolCalls: false },
      body: { model: 'gpt-6-sol', input: hi, ...always, tools: [{ type: 'function', name: 'a', parameters: weather, strict: false }, { type: 'function', name: 'b', parameters: { type: 'object', properties: {} }, strict: true }], tool_choice: { type: 'function', name: 'b' }, parallel_tool_calls: false },
    },
    { what: 'makes no choice among no tools', request: { toolChoice: { type: 'required' }, parallelToolCalls: false }, body: { model: 'gpt-6-sol', input: hi, ...always } },
    {
      what: 'drops reasoning that others made, and says that a tool failed',
      request: { messages: [
        { role: 'assistant', content: [{ type: 'thinking', text: 'a', signature: 's', origin: 'anthropic-messages' }, { type: 'thinking', text: 'b', encrypted: 'e', origin: 'elsewhere/gpt' }, { type: 'tool-call', id: 'c', name: 'f', arguments: '' }] },
        { role: 'user', content: [{ type: 'tool-result', callId: 'c', content: [{ type: 'text', text: 'no' }], isError: true }] },
      ] },
      body: { model: 'gpt-6-sol', input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }, { type: 'function_call_output', call_id: 'c', output: 'Error: no' }], ...always },
    },
    {
      what: 'of a server without free-text tools has functions',
      dialect: { customTools: false },
      request: { tools: [{ name: 'p', kind: 'custom' }], toolChoice: { type: 'tool', name: 'p' }, messages: [
        { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 'p', arguments: 'text', kind: 'custom' }] }, { role: 'user', content: [{ type: 'tool-result', callId: 'c', kind: 'custom', content: [] }] },
      ] },
      body: {
        model: 'gpt-6-sol', ...always,
        input: [{ type: 'function_call', call_id: 'c', name: 'p', arguments: '{"input":"text"}' }, { type: 'function_call_output', call_id: 'c', output: '' }],
        tools: [{ type: 'function', name: 'p', description: 'Put the whole input of this tool, as plain text, into the argument "input".', strict: false, parameters: { type: 'object', properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } }, required: ['input'], additionalProperties: false } }],
        tool_choice: { type: 'function', name: 'p' },
      },
    },
  ];
  for (const { what, request, body, model, dialect } of cases) {
    test(what, () => assert.deepEqual(plain(encode(request, model, dialect)), body));
  }
});

describe('the one name of a tool in a namespace', () => {
  test('is made of both, is legal, and short enough without being mistaken for another', () => {
    assert.equal(flatName(undefined, 'f'), 'f');
    assert.equal(flatName('functions', 'f'), 'f');
    assert.equal(flatName('mcp__x__', 'f'), 'mcp__x__f');
    assert.equal(flatName('my server', 'a.b'), 'my_server__a_b');
    const [one, other] = [flatName('n'.repeat(60), 'first_tool'), flatName('n'.repeat(60), 'other_tool')];
    assert.match(one, /^[a-zA-Z0-9_-]{64}$/);
    assert.notEqual(one, other);
  });
});
