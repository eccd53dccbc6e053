import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationRequest, Message } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { RequestFormatError } from '../../../server/protocols/codec.ts';
import type { Dialect, EncodeTarget } from '../../../server/protocols/codec.ts';
import { gemini } from '../../../server/protocols/gemini/codec.ts';

const target = (model: string, dialect: Dialect = {}): EncodeTarget => ({ model, stream: true, defaultMaxOutputTokens: 4_096, dialect, origin: `there/${model}` });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
const messages: Message[] = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }];
const decode = (body: JsonObject): ConversationRequest => gemini.decodeRequest({ contents, ...body });
const encode = (request: Partial<ConversationRequest>, model = 'gemini-3.8-flash', dialect?: Dialect): JsonObject =>
  gemini.encodeRequest({ system: [], messages, tools: [], ...request }, target(model, dialect));
const standIn = 'skip_thought_signature_validator';
const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

describe('a Gemini request', () => {
  test('is read whole, in either spelling of its fields', () => {
    const camel: JsonObject = {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ parts: [{ text: 'Look' }, { inlineData: { mimeType: 'image/png', data: 'AA-_' } }, { fileData: { mimeType: 'application/pdf', fileUri: 'gs://b/f.pdf' } }] }],
      tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parameters: { type: 'OBJECT', properties: { n: { type: 'INTEGER', nullable: true }, l: { type: 'ARRAY', items: { type: 'STRING', enum: ['a'] }, minItems: '1' } } } }] }, { googleSearch: {} }, { codeExecution: {} }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
      generationConfig: {
        maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 3, stopSequences: ['END'], seed: 1, presencePenalty: 0.1, frequencyPenalty: 0.2, candidateCount: 2,
        responseLogprobs: true, logprobs: 4, responseMimeType: 'application/json', responseSchema: { type: 'OBJECT', title: 'My answer' }, thinkingConfig: { thinkingLevel: 'HIGH', includeThoughts: true },
      },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    };
    const snake = JSON.parse(JSON.stringify(camel).replace(/"([a-z]+[A-Z]\w*)":/g, (_all, name: string) => `"${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}":`)
      .replaceAll('"min_items"', '"minItems"')) as JsonObject;
    const expected = {
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AA+/' } }, { type: 'document', mimeType: 'application/pdf', source: { kind: 'file', fileId: 'gs://b/f.pdf' } }] }],
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object', properties: { n: { type: ['integer', 'null'] }, l: { type: 'array', items: { type: 'string', enum: ['a'] }, minItems: 1 } } } }],
      hostedTools: [{ protocol: 'gemini', type: 'googleSearch', definition: { googleSearch: {} } }, { protocol: 'gemini', type: 'codeExecution', definition: { codeExecution: {} } }],
      toolChoice: { type: 'tool', name: 'f' }, maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 3, stop: ['END'], seed: 1, presencePenalty: 0.1, frequencyPenalty: 0.2, choices: 2, providerState: { reason: '2 answers at once are asked for' },
      logprobs: { top: 4 }, responseFormat: { type: 'json-schema', name: 'My_answer', schema: { type: 'object', title: 'My answer' } }, reasoning: { effort: 'high', visible: true },
    };
    assert.deepEqual(plain(gemini.decodeRequest(camel)), expected);
    assert.deepEqual(plain(gemini.decodeRequest(snake)), expected);
  });

  test('without ids has its results matched by order and name, also when they come in another order', () => {
    const { messages: read } = gemini.decodeRequest({ contents: [
      { role: 'model', parts: [{ functionCall: { name: 'f', args: { n: 1 } } }, { functionCall: { name: 'g' } }, { functionCall: { name: 'f', args: { n: 2 } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'g', response: { error: 'no' } } }, { functionResponse: { name: 'f', response: { output: 'one' } } }, { functionResponse: { name: 'f', response: { a: 1, b: 2 } } }] },
    ] });
    assert.deepEqual(plain(read), [
      { role: 'assistant', content: [{ type: 'tool-call', id: 'call_0', name: 'f', arguments: '{"n":1}' }, { type: 'tool-call', id: 'call_1', name: 'g', arguments: '' }, { type: 'tool-call', id: 'call_2', name: 'f', arguments: '{"n":2}' }] },
      { role: 'user', content: [
        { type: 'tool-result', callId: 'call_1', name: 'g', content: [{ type: 'text', text: 'no' }], isError: true },
        { type: 'tool-result', callId: 'call_0', name: 'f', content: [{ type: 'text', text: 'one' }] },
        { type: 'tool-result', callId: 'call_2', name: 'f', content: [{ type: 'text', text: '{"a":1,"b":2}' }] },
      ] },
    ]);
  });

  test('keeps every signature on its part through its own form', () => {
    const body: JsonObject = { contents: [
      ...contents,
      { role: 'model', parts: [
        { text: 'Hm', thought: true, thoughtSignature: 'a' }, { text: 'Hello', thoughtSignature: 'b' },
        { functionCall: { id: '1', name: 'f', args: {} }, thoughtSignature: 'c' }, { functionCall: { id: '2', name: 'f', args: {} } }, { text: '', thoughtSignature: 'd' },
      ] },
      { role: 'user', parts: [
        { functionResponse: { id: '1', name: 'f', response: { output: 'x' }, parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }, { functionResponse: { id: '2', name: 'f', response: { error: 'y' } } },
      ] },
    ] };
    assert.deepEqual(gemini.encodeRequest(gemini.decodeRequest(body), target('gemini-3.8-flash')), body);
  });

  test('does not take the placeholder of a signature for one', () => {
    const { messages: read } = gemini.decodeRequest({ contents: [{ role: 'model', parts: [{ functionCall: { name: 'f' }, thoughtSignature: standIn }] }] });
    assert.deepEqual(plain(read[0]?.content), [{ type: 'tool-call', id: 'call_0', name: 'f', arguments: '' }]);
  });

  test('that was refused for a signature has the placeholder on its calls, and no other signature', () => {
    const body = { contents: [{ role: 'model', parts: [{ text: 'Hm', thought: true, thoughtSignature: 'a' }, { text: 'x', thoughtSignature: 'b' }, { functionCall: { name: 'f' }, thoughtSignature: 'c' }, { functionCall: { name: 'f' } }] }] };
    assert.deepEqual(plain(gemini.withoutReasoning(body)), { contents: [{ role: 'model', parts: [{ text: 'x' }, { functionCall: { name: 'f' }, thoughtSignature: standIn }, { functionCall: { name: 'f' } }] }] });
  });

  const fields: { what: string; body: JsonObject; read: Partial<ConversationRequest> }[] = [
    { what: 'several allowed functions', body: { tools: [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }], toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a', 'c'] } } }, read: { tools: [{ name: 'a' }, { name: 'c' }], toolChoice: { type: 'required' } } },
    { what: 'validated calls', body: { toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } } }, read: { toolChoice: { type: 'auto' } } },
    { what: 'no calls', body: { toolConfig: { functionCallingConfig: { mode: 'NONE' } } }, read: { toolChoice: { type: 'none' } } },
    { what: 'a thinking budget', body: { generationConfig: { thinkingConfig: { thinkingBudget: 2_000 } } }, read: { reasoning: { budgetTokens: 2_000 } } },
    { what: 'thinking turned off', body: { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }, read: { reasoning: { effort: 'none' } } },
    { what: 'thinking left to the model', body: { generationConfig: { thinkingConfig: { thinkingBudget: -1 } } }, read: { reasoning: {} } },
    { what: 'JSON mode', body: { generationConfig: { responseMimeType: 'application/json' } }, read: { responseFormat: { type: 'json' } } },
    { what: 'a JSON schema', body: { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: weather } }, read: { responseFormat: { type: 'json-schema', name: 'response', schema: weather } } },
    { what: 'a system instruction as text', body: { systemInstruction: 'S' }, read: { system: [{ type: 'text', text: 'S' }] } },
  ];
  for (const { what, body, read } of fields) {
    test(`is read: ${what}`, () => assert.deepEqual(plain(decode(body)), { system: [], messages, tools: [], ...read }));
  }

  const pins: { body: JsonObject; reason: RegExp }[] = [
    { body: { cachedContent: 'cachedContents/1' }, reason: /cachedContent/ },
    { body: { generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }, reason: /IMAGE/ },
    { body: { continuationToken: 't' }, reason: /continuationToken/ },
  ];
  for (const { body, reason } of pins) {
    test(`with ${JSON.stringify(body)} says why it cannot be translated`, () => assert.match(decode(body).providerState?.reason ?? '', reason));
  }

  const wrong: { body: JsonObject; path: string }[] = [
    { body: { contents: null }, path: 'contents' },
    { body: { contents: [7] }, path: 'contents[0]' },
    { body: { contents: [{ role: 'robot', parts: [] }] }, path: 'contents[0].role' },
    { body: { contents: [{ parts: [{ functionCall: {} }] }] }, path: 'contents[0].parts[0].functionCall.name' },
    { body: { contents: [{ parts: [{ inlineData: { mimeType: 'image/png' } }] }] }, path: 'contents[0].parts[0].inlineData.data' },
    { body: { tools: [{ functionDeclarations: [{}] }] }, path: 'tools[0].functionDeclarations[0].name' },
    { body: { toolConfig: { functionCallingConfig: { mode: 'SOME' } } }, path: 'toolConfig.functionCallingConfig.mode' },
    { body: { generationConfig: { temperature: 'hot' } }, path: 'generationConfig.temperature' },
  ];
  for (const { body, path } of wrong) {
    test(`with ${JSON.stringify(body)} is refused at ${path}`, () => {
      assert.throws(() => decode(body), (error) => error instanceof RequestFormatError && error.path === path);
    });
  }
});

describe('a request to a Gemini target', () => {
  const call = (id: string, name = 'f'): Message['content'][number] => ({ type: 'tool-call', id, name, arguments: '{"a":1}' });
  const result = (callId: string, text: string): Message['content'][number] => ({ type: 'tool-result', callId, content: [{ type: 'text', text }] });
  const loop: Message[] = [
    ...messages,
    { role: 'assistant', content: [{ type: 'thinking', text: 'x', signature: 's', origin: 'anthropic-messages' }, { type: 'text', text: 'Looking' }, call('1'), call('2', 'g')] },
    { role: 'user', content: [result('2', 'two'), { type: 'text', text: 'Go on' }, result('1', 'one')] },
  ];
  const answered = (withSignature: boolean, withParts: JsonObject = {}): JsonObject[] => [
    { role: 'user', parts: [{ text: 'hi' }] },
    { role: 'model', parts: [{ text: 'Looking' }, { functionCall: { id: '1', name: 'f', args: { a: 1 } }, ...(withSignature ? { thoughtSignature: standIn } : {}) }, { functionCall: { id: '2', name: 'g', args: { a: 1 } } }] },
    { role: 'user', parts: [{ functionResponse: { id: '1', name: 'f', response: { output: 'one' }, ...withParts } }, { functionResponse: { id: '2', name: 'g', response: { output: 'two' } } }] },
    { role: 'user', parts: [{ text: 'Go on' }] },
  ];

  const cases: { what: string; request: Partial<ConversationRequest>; body: JsonObject; model?: string; dialect?: Dialect }[] = [
    { what: 'names no model and no streaming, which are in the path', request: {}, body: { contents } },
    { what: 'has the results of a step together, in the order of its calls, and a stand-in for the signature of another maker\'s call', request: { messages: loop }, body: { contents: answered(true) } },
    { what: 'needs no stand-in before Gemini 3', model: 'gemini-2.5-pro', request: { messages: loop }, body: { contents: answered(false) } },
    {
      what: 'keeps its own signatures, also those that came apart from their call',
      request: { messages: [...messages, { role: 'assistant', content: [{ type: 'thinking', text: '', signature: 'own', origin: 'gemini' }, call('1')] }, { role: 'user', content: [result('1', 'one')] }] },
      body: { contents: [...contents, { role: 'model', parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } }, thoughtSignature: 'own' }] }, { role: 'user', parts: [{ functionResponse: { id: '1', name: 'f', response: { output: 'one' } } }] }] },
    },
    {
      what: 'has an image of a result beside it where older models cannot have it inside', model: 'gemini-2.5-flash',
      request: { messages: [...messages, { role: 'assistant', content: [call('1')] }, { role: 'user', content: [{ type: 'tool-result', callId: '1', content: [{ type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AAAA' } }] }] }] },
      body: { contents: [
        ...contents, { role: 'model', parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } } }] },
        { role: 'user', parts: [{ functionResponse: { id: '1', name: 'f', response: { output: 'The result is attached.' } } }] },
        { role: 'user', parts: [{ text: 'Attached to the result of f:' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      ] },
    },
    {
      what: 'has later instructions marked, begins with the user, and says what it cannot be shown',
      request: { messages: [{ role: 'assistant', content: [{ type: 'text', text: 'Hello' }] }, { role: 'system', content: [{ type: 'text', text: 'Now' }] }, { role: 'user', content: [{ type: 'image', source: { kind: 'url', url: 'https://x.test/a.png' } }, { type: 'image', source: { kind: 'file', fileId: 'file-1' } }] }] },
      body: { contents: [
        { role: 'user', parts: [{ text: 'Continue.' }] }, { role: 'model', parts: [{ text: 'Hello' }] },
        { role: 'user', parts: [{ text: '<system>\nNow\n</system>' }, { text: '[An image was left out: it cannot be sent to this model.] It is at https://x.test/a.png' }, { text: '[An image was left out: it cannot be sent to this model.]' }] },
      ] },
    },
    {
      what: 'has tools, their choice and hosted tools of its own',
      request: { tools: [{ name: 'f', description: 'd', parameters: weather }, { name: 'g', parameters: { type: 'object', properties: {} } }], toolChoice: { type: 'tool', name: 'f' }, hostedTools: [{ protocol: 'gemini', type: 'googleSearch', definition: { googleSearch: {} } }, { protocol: 'openai-responses', type: 'web_search', definition: {} }] },
      body: { contents, tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: weather }, { name: 'g' }] }, { googleSearch: {} }], toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } } },
    },
    {
      what: 'has all of generationConfig',
      request: { system: [{ type: 'text', text: 'S' }], maxOutputTokens: 9, temperature: 3, topP: 0.5, topK: 4, stop: ['1', '2', '3', '4', '5', '6'], seed: 1, presencePenalty: 0.1, frequencyPenalty: 0.2, choices: 2, logprobs: { top: 3 }, responseFormat: { type: 'json-schema', name: 'n', schema: weather }, serviceTier: 'default' },
      body: {
        contents, systemInstruction: { parts: [{ text: 'S' }] }, serviceTier: 'standard',
        generationConfig: { maxOutputTokens: 9, temperature: 2, topP: 0.5, topK: 4, stopSequences: ['1', '2', '3', '4', '5'], seed: 1, presencePenalty: 0.1, frequencyPenalty: 0.2, candidateCount: 2, responseLogprobs: true, logprobs: 3, responseMimeType: 'application/json', responseJsonSchema: weather },
      },
    },
  ];
  for (const { what, request, body, model, dialect } of cases) {
    test(what, () => assert.deepEqual(plain(encode(request, model, dialect)), body));
  }

  test('asks in words for a schema beside tools where older models refuse both', () => {
    const body = encode({ tools: [{ name: 'f' }], responseFormat: { type: 'json-schema', name: 'n', schema: weather } }, 'gemini-2.5-pro');
    assert.equal(body.generationConfig, undefined);
    assert.match(JSON.stringify(body.systemInstruction), /city/);
  });

  const thinking: [model: string, reasoning: ConversationRequest['reasoning'], written: unknown, dialect?: Dialect][] = [
    ['gemini-3.8-flash', { effort: 'minimal' }, { thinkingLevel: 'MINIMAL', includeThoughts: true }],
    ['gemini-3.8-flash', { effort: 'none', visible: true }, { thinkingLevel: 'MINIMAL' }],
    ['gemini-3-pro-preview', { effort: 'medium' }, { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { effort: 'medium', visible: true }, { thinkingLevel: 'MEDIUM', includeThoughts: true }],
    ['gemini-4-argon', { effort: 'none' }, { thinkingLevel: 'LOW' }],
    ['gemini-4-argon', { budgetTokens: 50_000 }, { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['gemini-4-argon', { effort: 'low' }, { thinkingLevel: 'HIGH', includeThoughts: true }, { efforts: ['high'] }],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-pro', { effort: 'none' }, { thinkingBudget: 128 }],
    ['gemini-2.5-pro', { effort: 'max', visible: false }, { thinkingBudget: 32_768, includeThoughts: false }],
    ['gemini-2.5-flash', { budgetTokens: 2_000 }, { thinkingBudget: 2_000, includeThoughts: true }],
    ['gemini-2.0-flash', { effort: 'high' }, undefined],
    ['gemini-flash-latest', {}, undefined],
    ['gemma-3-27b-it', { effort: 'high' }, undefined],
  ];
  for (const [model, reasoning, written, dialect] of thinking) {
    test(`has ${model} think as ${JSON.stringify(reasoning)} asks`, () => {
      assert.deepEqual((encode({ reasoning }, model, dialect).generationConfig as JsonObject | undefined)?.thinkingConfig, written);
    });
  }
});
