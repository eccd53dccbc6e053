import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import type { SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';

const weatherParameters = { type: 'object' as const, properties: { city: { type: 'string' as const } }, required: ['city'] };

describe('the official OpenAI client against the openai-chat sandbox', () => {
  let provider: SandboxProvider;
  let client: OpenAI;
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: weatherParameters } }];
  before(async () => {
    provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'first' });
    client = new OpenAI({ baseURL: provider.url, apiKey: 'sk-anything', maxRetries: 0 });
  });
  after(() => provider.close());

  it('answers a prompt with its name, the prompt and usage', async () => {
    const reply = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hello there' }] });
    assert.equal(reply.choices[0]?.message.content, 'Waybill sandbox first answers your prompt: "hello there".');
    assert.equal(reply.choices[0]?.finish_reason, 'stop');
    assert.deepEqual([reply.usage?.prompt_tokens, reply.usage?.completion_tokens], [6, 8]);
  });

  it('quotes the newest of the prompts an editor sends in one message after a failed turn', async () => {
    const content = '<context>x</context><userRequest>\nthe older\n</userRequest>\n<userRequest>\nthe newer\n</userRequest>';
    const reply = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] });
    assert.equal(reply.choices[0]?.message.content, 'Waybill sandbox first answers your prompt: "the newer".');
  });

  it('streams the same words one by one, and usage only when it was asked for', async () => {
    const stream = await client.chat.completions.create({ model: 'm', stream: true, stream_options: { include_usage: true }, messages: [{ role: 'user', content: 'hello there' }] });
    const words: string[] = [];
    let completionTokens: number | undefined;
    for await (const chunk of stream) {
      const word = chunk.choices[0]?.delta.content;
      if (word) words.push(word);
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    }
    assert.equal(words.join(''), 'Waybill sandbox first answers your prompt: "hello there".');
    assert.equal(words.length, completionTokens);
    const silent = await client.chat.completions.create({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
    for await (const chunk of silent) assert.equal('usage' in chunk, false);
  });

  it('calls the tools a prompt names, in parallel, and quotes their results afterwards', async () => {
    const prompt = { role: 'user' as const, content: 'call tool weather {"city":"Oslo"}\ncall tool weather {"city":"a } brace"}' };
    const stream = client.chat.completions.stream({ model: 'm', tools, messages: [prompt] });
    const message = (await stream.finalChatCompletion()).choices[0]?.message;
    const calls = message?.tool_calls ?? [];
    assert.deepEqual(calls.map((call) => call.type === 'function' && JSON.parse(call.function.arguments)), [{ city: 'Oslo' }, { city: 'a } brace' }]);
    const next = await client.chat.completions.create({
      model: 'm', tools,
      messages: [prompt, { role: 'assistant', tool_calls: calls.map(({ id, type, ...rest }) => ({ id, type, ...rest }) as (typeof calls)[number]) },
        ...calls.map((call, index) => ({ role: 'tool' as const, tool_call_id: call.id, content: `sunny ${index}` }))],
    });
    assert.match(next.choices[0]?.message.content ?? '', /"sunny 0" and "sunny 1"/);
  });

  it('calls one tool when parallel calls are off, the forced one when one is forced, and none when none may be called', async () => {
    const messages = [{ role: 'user' as const, content: 'call tool weather {}\ncall tool weather {}' }];
    const one = await client.chat.completions.create({ model: 'm', tools, messages, parallel_tool_calls: false });
    assert.equal(one.choices[0]?.message.tool_calls?.length, 1);
    const forced = await client.chat.completions.create({ model: 'm', tools, messages: [{ role: 'user', content: 'x' }], tool_choice: 'required' });
    const call = forced.choices[0]?.message.tool_calls?.[0];
    assert.equal(call?.type === 'function' && call.function.arguments, '{"city":"sandbox"}');
    const none = await client.chat.completions.create({ model: 'm', tools, messages, tool_choice: 'none' });
    assert.equal(none.choices[0]?.finish_reason, 'stop');
  });

  it('honours the token limit, stop sequences, several choices, JSON mode and a schema', async () => {
    const messages = [{ role: 'user' as const, content: 'say 20 words' }];
    const short = await client.chat.completions.create({ model: 'm', messages, max_completion_tokens: 3 });
    assert.deepEqual([short.choices[0]?.message.content, short.choices[0]?.finish_reason, short.usage?.completion_tokens], ['word1 word2 word3', 'length', 3]);
    const stopped = await client.chat.completions.create({ model: 'm', messages, stop: [' word3'] });
    assert.deepEqual([stopped.choices[0]?.message.content, stopped.choices[0]?.finish_reason], ['word1 word2', 'stop']);
    const several = await client.chat.completions.create({ model: 'm', messages, n: 3 });
    assert.equal(several.choices.length, 3);
    const json = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'answer in JSON' }], response_format: { type: 'json_object' } });
    assert.equal(typeof JSON.parse(json.choices[0]?.message.content ?? ''), 'object');
    const schema = await client.chat.completions.create({ model: 'm', messages, response_format: { type: 'json_schema', json_schema: { name: 'w', schema: weatherParameters } } });
    assert.deepEqual(JSON.parse(schema.choices[0]?.message.content ?? ''), { city: 'sandbox' });
  });

  it('shows reasoning and counts it when reasoning is asked for', async () => {
    const reply = await client.chat.completions.create({ model: 'm', reasoning_effort: 'low', messages: [{ role: 'user', content: 'think' }] });
    assert.match(JSON.stringify(reply.choices[0]?.message), /"reasoning_content":"Sandbox first read/);
    assert.ok((reply.usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0);
  });

  it('lists its model and refuses a history with an unanswered tool call', async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ['sandbox-chat']);
    await assert.rejects(client.chat.completions.create({
      model: 'm', messages: [{ role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } }] }, { role: 'user', content: 'go on' }],
    }), OpenAI.BadRequestError);
  });
});

describe('the official Anthropic client against the anthropic-messages sandbox', () => {
  let provider: SandboxProvider;
  let client: Anthropic;
  const tools = [{ name: 'weather', input_schema: weatherParameters }];
  before(async () => {
    provider = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'second' });
    client = new Anthropic({ baseURL: provider.url, apiKey: 'sk-ant-anything', maxRetries: 0 });
  });
  after(() => provider.close());

  it('answers plain and streamed with the same words and usage', async () => {
    const request = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hello there' }] };
    const plain = await client.messages.create(request);
    const streamed = await client.messages.stream(request).finalMessage();
    for (const message of [plain, streamed]) {
      assert.equal(message.content[0]?.type === 'text' && message.content[0].text, 'Waybill sandbox second answers your prompt: "hello there".');
      assert.deepEqual([message.stop_reason, message.usage.input_tokens, message.usage.output_tokens], ['end_turn', 6, 8]);
    }
  });

  it('makes tool calls with streamed arguments and quotes the results', async () => {
    const prompt = { role: 'user' as const, content: 'Please call tool weather {"city": "Bergen", "days": [1, 2]} now.' };
    const message = await client.messages.stream({ model: 'm', max_tokens: 100, tools, messages: [prompt] }).finalMessage();
    const call = message.content.find((block) => block.type === 'tool_use');
    assert.ok(call);
    assert.deepEqual([message.stop_reason, call.input], ['tool_use', { city: 'Bergen', days: [1, 2] }]);
    const next = await client.messages.create({
      model: 'm', max_tokens: 100, tools,
      messages: [prompt, { role: 'assistant', content: message.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain' }] }],
    });
    assert.ok(next.content[0]?.type === 'text' && next.content[0].text.includes('"rain"'));
  });

  it('signs its thinking, accepts it back and, when its script says so, refuses that of others', async () => {
    const request = { model: 'm', max_tokens: 2000, thinking: { type: 'enabled' as const, budget_tokens: 1024 }, messages: [{ role: 'user' as const, content: 'think' }] };
    const message = await client.messages.stream(request).finalMessage();
    const thinking = message.content[0];
    assert.ok(thinking?.type === 'thinking' && thinking.thinking !== '' && thinking.signature !== '');
    const history = (signature: string) => client.messages.create({
      ...request, messages: [...request.messages, { role: 'assistant', content: [{ ...thinking, signature }, { type: 'text', text: 'ok' }] }, { role: 'user', content: 'go on' }],
    });
    provider.script({ type: 'reject-foreign-thinking' });
    await history(thinking.signature);
    await assert.rejects(history('Zm9yZWlnbg=='), /Invalid `signature` in `thinking` block/);
    provider.script({ type: 'answer' });
  });

  it('counts tokens, lists models and says what a request lacks', async () => {
    const counted = await client.messages.countTokens({ model: 'm', messages: [{ role: 'user', content: 'hello there' }] });
    assert.equal(counted.input_tokens, 6);
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ['sandbox-messages']);
    const bare = await fetch(`${provider.url}/v1/messages`, { method: 'POST', headers: { 'anthropic-version': '2023-06-01' }, body: '{"model":"m","messages":[{"role":"user","content":"x"}]}' });
    assert.deepEqual([bare.status, ((await bare.json()) as { error: unknown }).error], [400, { type: 'invalid_request_error', message: 'max_tokens: Field required' }]);
  });

  it('reports the usage of its script, in disjoint buckets', async () => {
    provider.script([{ type: 'answer', usage: { input: 5, cacheRead: 100, cacheWrite: 20, cacheWrite1h: 3, output: 9 } }]);
    const { usage } = await client.messages.stream({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] }).finalMessage();
    assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens, usage.cache_creation?.ephemeral_1h_input_tokens, usage.output_tokens], [5, 100, 23, 3, 9]);
  });
});

describe('a sandbox provider with configured keys and models', () => {
  it('refuses other credentials in each provider\'s own shape and never repeats them whole', async () => {
    const openai = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', keys: ['sk-right-key-0001'] });
    const anthropic = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b', keys: ['sk-ant-right-0002'] });
    try {
      const wrong = new OpenAI({ baseURL: openai.url, apiKey: 'sk-wrong-key-9999', maxRetries: 0 });
      await assert.rejects(wrong.models.list(), (error: unknown) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key' && error.message.includes('****9999') && !error.message.includes('wrong-key'));
      await assert.rejects(new Anthropic({ baseURL: anthropic.url, apiKey: 'nope', maxRetries: 0 }).models.list(), Anthropic.AuthenticationError);
      await new OpenAI({ baseURL: openai.url, apiKey: 'sk-right-key-0001', maxRetries: 0 }).models.list();
      await new Anthropic({ baseURL: anthropic.url, apiKey: 'sk-ant-right-0002', maxRetries: 0 }).models.list();
    } finally {
      await Promise.all([openai.close(), anthropic.close()]);
    }
  });

  it('does not know other models', async () => {
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', models: ['one', 'two'] });
    try {
      const client = new OpenAI({ baseURL: provider.url, apiKey: 'x', maxRetries: 0 });
      await assert.rejects(client.chat.completions.create({ model: 'three', messages: [{ role: 'user', content: 'x' }] }), OpenAI.NotFoundError);
      await client.chat.completions.create({ model: 'two', messages: [{ role: 'user', content: 'x' }] });
    } finally {
      await provider.close();
    }
  });
});

describe('the official OpenAI client against the openai-responses sandbox', () => {
  let provider: SandboxProvider;
  let client: OpenAI;
  const tools = [{ type: 'function' as const, name: 'weather', parameters: weatherParameters, strict: false }];
  before(async () => {
    provider = await startSandboxProvider({ protocol: 'openai-responses', name: 'third' });
    client = new OpenAI({ baseURL: provider.url, apiKey: 'sk-anything', maxRetries: 0 });
  });
  after(() => provider.close());

  it('answers plain and streamed with the same words and usage', async () => {
    const plain = await client.responses.create({ model: 'm', input: 'hello there' });
    const streamed = await client.responses.stream({ model: 'm', input: 'hello there' }).finalResponse();
    for (const response of [plain, streamed]) {
      assert.equal(response.output_text, 'Waybill sandbox third answers your prompt: "hello there".');
      assert.deepEqual([response.status, response.usage?.input_tokens, response.usage?.output_tokens], ['completed', 6, 8]);
    }
  });

  it('calls tools in parallel, quotes their results, and refuses a call without one', async () => {
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'call tool weather {"city":"Oslo"}\ncall tool weather {"city":"Rome"}' }];
    const first = await client.responses.stream({ model: 'm', input, tools }).finalResponse();
    const calls = first.output.filter((item) => item.type === 'function_call');
    assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), [{ city: 'Oslo' }, { city: 'Rome' }]);
    const results = calls.map((call, index) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: `sunny ${index}` }));
    const second = await client.responses.create({ model: 'm', tools, input: [...input, ...calls, ...results] });
    assert.match(second.output_text, /"sunny 0" and "sunny 1"/);
    await assert.rejects(client.responses.create({ model: 'm', tools, input: [...input, ...calls] }), /No tool output found/);
  });

  it('encrypts its reasoning, accepts it back and, when its script says so, refuses that of others', async () => {
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'think' }];
    const first = await client.responses.create({ model: 'm', input, reasoning: { effort: 'low', summary: 'auto' } });
    const reasoning = first.output.find((item) => item.type === 'reasoning');
    assert.match(reasoning?.summary[0]?.text ?? '', /third read/);
    provider.script({ type: 'reject-foreign-thinking' });
    const goOn = (encrypted: string) => client.responses.create({ model: 'm', input: [...input, { type: 'reasoning', id: 'rs', summary: [], encrypted_content: encrypted }, { role: 'user', content: 'go on' }] });
    await goOn(reasoning?.encrypted_content ?? '');
    await assert.rejects(goOn('Zm9yZWlnbg=='), /encrypted reasoning content/);
    provider.script({ type: 'answer' });
  });
});

describe('the official Google client against the gemini sandbox', () => {
  let provider: SandboxProvider;
  let client: GoogleGenAI;
  const config = { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: weatherParameters }] }] };
  before(async () => {
    provider = await startSandboxProvider({ protocol: 'gemini', name: 'fourth' });
    client = new GoogleGenAI({ apiKey: 'anything', httpOptions: { baseUrl: provider.url } });
  });
  after(() => provider.close());

  it('answers plain and streamed with the same words and usage', async () => {
    const plain = await client.models.generateContent({ model: 'm', contents: 'hello there' });
    let words = '';
    let tokens: number | undefined;
    for await (const chunk of await client.models.generateContentStream({ model: 'm', contents: 'hello there' })) {
      words += chunk.text ?? '';
      tokens = chunk.usageMetadata?.candidatesTokenCount ?? tokens;
    }
    assert.equal(words, 'Waybill sandbox fourth answers your prompt: "hello there".');
    assert.equal(plain.text, words);
    assert.deepEqual([plain.usageMetadata?.promptTokenCount, plain.usageMetadata?.candidatesTokenCount, tokens], [6, 8, 8]);
  });

  it('calls tools whole and without ids, signs what it thought about, and wants as many results as calls', async () => {
    const asked = { role: 'user', parts: [{ text: 'call tool weather {"city":"Oslo"} and call tool weather {"city":"Rome"}' }] };
    const first = await client.models.generateContent({ model: 'm', contents: [asked], config: { ...config, thinkingConfig: { includeThoughts: true } } });
    const parts = first.candidates?.[0]?.content?.parts ?? [];
    const calls = parts.filter((part) => part.functionCall !== undefined);
    assert.deepEqual(calls.map((part) => [part.functionCall?.id, part.functionCall?.args]), [[undefined, { city: 'Oslo' }], [undefined, { city: 'Rome' }]]);
    assert.deepEqual(calls.map((part) => part.thoughtSignature !== undefined), [true, false]);
    const result = (output: string) => ({ functionResponse: { name: 'weather', response: { output } } });
    const second = await client.models.generateContent({ model: 'm', contents: [asked, { role: 'model', parts }, { role: 'user', parts: [result('sunny'), result('rain')] }], config });
    assert.match(second.text ?? '', /"sunny" and "rain"/);
    await assert.rejects(client.models.generateContent({ model: 'm', contents: [asked, { role: 'model', parts }, { role: 'user', parts: [result('sunny')] }], config }), /function response parts/);
  });

  it('counts tokens and lists its model', async () => {
    assert.equal((await client.models.countTokens({ model: 'm', contents: 'hello there' })).totalTokens, 6);
    const names = [];
    for await (const model of await client.models.list()) names.push(model.name);
    assert.deepEqual(names, ['models/sandbox-gemini']);
  });
});
