import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as exact from '../../../../server/base/exactJson.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../../server/base/json.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { send } from './sentToTarget.ts';

const user = { role: 'user', content: 'hi' };
const at = (value: JsonValue | undefined, ...path: (string | number)[]): JsonValue | undefined => path.reduce<JsonValue | undefined>((found, step) => {
  if (Array.isArray(found)) return typeof step === 'number' ? found.at(step) : undefined;
  return isObject(found) ? found[step] : undefined;
}, value);

describe('a role that the target does not know', () => {
  const body = { model: 'm', messages: [{ role: 'developer', content: 'Be brief.' }, user] };

  for (const [provider, model] of [['deepseek', 'deepseek-v4-pro'], ['mistral', 'mistral-medium-3.5'], ['ollama', 'qwen'], ['openai-compatible', 'm1']] as const) {
    test(`developer is sent to ${provider} as system`, () => {
      const { body: sent, changes, passThrough } = send(provider, model, 'openai-chat', body);
      assert.deepEqual([at(sent, 'messages', 0, 'role'), at(sent, 'messages', 1, 'role')], ['system', 'user']);
      assert.deepEqual(changes, ['the role developer was sent as system']);
      assert.equal(passThrough, true);
    });
  }

  test('OpenAI gets the bytes as they are, with the name of the model', () => {
    const { text, changes } = send('openai', 'gpt-4.1', 'openai-chat', body);
    assert.equal(text, JSON.stringify({ ...body, model: 'gpt-4.1' }));
    assert.deepEqual(changes, []);
  });

  test('an item of Responses is changed as well', () => {
    const { body: sent } = send('xai', 'grok-4.7', 'openai-responses', { model: 'm', input: [{ type: 'message', role: 'developer', content: 'Be brief.' }, { type: 'message', role: 'user', content: 'hi' }] });
    assert.equal(at(sent, 'input', 0, 'role'), 'system');
  });
});

describe('ids of tool calls that the target does not take', () => {
  const id = 'functions.get_weather:0';
  const chat = {
    model: 'm', messages: [user, { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }] }, { role: 'tool', tool_call_id: id, content: 'mild' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
  };
  const messages = {
    model: 'm', max_tokens: 10,
    messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'mild' }] }],
  };

  test('Claude gets the same plain id for a call and its result, from a caller of Chat and from one of Messages', () => {
    const sent = [send('anthropic', 'claude-sonnet-4-6', 'openai-chat', chat), send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', messages)].map(({ body }) => [at(body, 'messages', 1, 'content', 0, 'id'), at(body, 'messages', 2, 'content', 0, 'tool_use_id')]);
    for (const [call, result] of sent) {
      assert.match(String(call), /^[a-zA-Z0-9_-]{1,64}$/);
      assert.equal(call, result);
    }
    assert.equal(sent[0]?.[0], sent[1]?.[0]);
  });

  test('a call in the history of a caller of Messages has a fit id also without its result', () => {
    const half = { ...messages, messages: messages.messages.slice(0, 2) };
    const { body, changes } = send('anthropic', 'claude-haiku-4-5', 'anthropic-messages', half);
    assert.match(String(at(body, 'messages', 1, 'content', 0, 'id')), /^[a-zA-Z0-9_-]{1,64}$/);
    assert.deepEqual(changes, ['ids of tool calls were replaced']);
  });

  test('ids of other things do not count, and their bytes go through', () => {
    const fitting = JSON.stringify({ ...messages, model: 'claude-haiku-4-5' }).replaceAll(id, 'toolu_1').replace('"input":{}', '"input":{"id":"src/a.ts", "n":1.0}');
    assert.equal(send('anthropic', 'claude-haiku-4-5', 'anthropic-messages', fitting).text, fitting);
  });

  test('different ids stay different', () => {
    const ids = ['a.b', 'a:b', 'a b', `${'x'.repeat(80)}.1`, `${'x'.repeat(80)}.2`];
    const sent = ids.map(one => at(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', JSON.parse(JSON.stringify(messages).replaceAll(id, one)) as JsonObject).body, 'messages', 1, 'content', 0, 'id'));
    assert.equal(new Set(sent).size, ids.length);
  });

  test('Mistral gets nine letters and digits from a caller of its own protocol', () => {
    const { body } = send('mistral', 'mistral-medium-3.5', 'openai-chat', chat);
    assert.match(String(at(body, 'messages', 1, 'tool_calls', 0, 'id')), /^[a-zA-Z0-9]{9}$/);
    assert.equal(at(body, 'messages', 1, 'tool_calls', 0, 'id'), at(body, 'messages', 2, 'tool_call_id'));
  });

  test('OpenAI gets at most 40 characters', () => {
    const { body } = send('openai', 'gpt-4.1', 'openai-chat', JSON.parse(JSON.stringify(chat).replaceAll(id, 'c'.repeat(64))) as JsonObject);
    assert.equal(String(at(body, 'messages', 2, 'tool_call_id')).length, 40);
  });

  test('an id that fits stays, and the bytes go through', () => {
    const fitting = JSON.stringify({ ...messages, model: 'claude-sonnet-4-6' }).replaceAll(id, 'toolu_01A09q90qw90lq917835lq9');
    assert.equal(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', fitting).text, fitting);
  });
});

describe('schemas of tools', () => {
  const messagesTool = (input_schema: JsonObject): JsonObject => ({ model: 'm', max_tokens: 10, messages: [user], tools: [{ name: 'f', input_schema }] });
  const chatTool = (parameters: JsonObject): JsonObject => ({ model: 'm', messages: [user], tools: [{ type: 'function', function: { name: 'f', parameters } }] });
  const union = { anyOf: [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { type: 'object', properties: { b: { type: 'number' } }, required: ['b'] }] };

  test('an object without properties gets them for OpenAI, in both of its protocols and from any caller', () => {
    const wanted = { type: 'object', properties: {} };
    assert.deepEqual(at(send('openai', 'gpt-4.1', 'anthropic-messages', messagesTool({ type: 'object' })).body, 'tools', 0, 'function', 'parameters'), wanted);
    assert.deepEqual(at(send('openai', 'gpt-5.6-sol', 'anthropic-messages', messagesTool({ type: 'object' })).body, 'tools', 0, 'parameters'), wanted);
    assert.deepEqual(at(send('openai', 'gpt-4.1', 'openai-chat', chatTool({ type: 'object' })).body, 'tools', 0, 'function', 'parameters'), wanted);
    assert.deepEqual(at(send('openai', 'gpt-4.1', 'openai-chat', chatTool({})).body, 'tools', 0, 'function', 'parameters'), wanted);
  });

  test('a union at the top becomes one object, for OpenAI and for Claude', () => {
    const wanted = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } };
    assert.deepEqual(at(send('openai', 'gpt-4.1', 'openai-chat', chatTool(union)).body, 'tools', 0, 'function', 'parameters'), wanted);
    assert.deepEqual(at(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', messagesTool(union)).body, 'tools', 0, 'input_schema'), wanted);
  });

  test('what every branch requires stays required, and a reference at the top is resolved', () => {
    const schema = { $ref: '#/$defs/args', $defs: { args: { type: 'object', properties: { a: { type: 'string' } }, oneOf: [{ required: ['a', 'b'] }, { required: ['a'] }] } } };
    const sent = at(send('openai', 'gpt-4.1', 'openai-chat', chatTool(schema)).body, 'tools', 0, 'function', 'parameters');
    assert.deepEqual([at(sent, 'type'), at(sent, 'required'), at(sent, '$ref'), at(sent, 'oneOf')], ['object', ['a'], undefined, undefined]);
  });

  test('a list of tools that fits goes through, also the second time', () => {
    const fitting = JSON.stringify({ ...chatTool({ type: 'object', properties: { a: { type: 'string' } } }), model: 'gpt-4.1' });
    for (let times = 0; times < 2; times += 1) assert.equal(send('openai', 'gpt-4.1', 'openai-chat', fitting).text, fitting);
  });

  test('Kimi gets tools without strict', () => {
    const { body } = send('moonshot', 'kimi-k3', 'openai-chat', { model: 'm', messages: [user], tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: { type: 'object', properties: {} } } }] });
    assert.equal(at(body, 'tools', 0, 'function', 'strict'), undefined);
  });
});

describe('names of tools', () => {
  const long = `mcp__${'a'.repeat(70)}__read`;

  test('a name that is too long for the target is replaced, in history too, and given back', () => {
    const { body, names, changes } = send('openai', 'gpt-4.1', 'anthropic-messages', {
      model: 'm', max_tokens: 10, tools: [{ name: long, input_schema: { type: 'object', properties: {} } }], tool_choice: { type: 'tool', name: long },
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: long, input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'x' }] }],
    });
    const sent = String(at(body, 'tools', 0, 'function', 'name'));
    assert.match(sent, /^[a-zA-Z0-9_-]{1,64}$/);
    assert.equal(at(body, 'messages', 1, 'tool_calls', 0, 'function', 'name'), sent);
    assert.equal(at(body, 'tool_choice', 'function', 'name'), sent);
    assert.equal(names(sent), long);
    assert.deepEqual(changes, ['names of tools were replaced']);
  });

  test("Gemini's dots reach Claude as another character, and a digit in front reaches Gemini behind one", () => {
    const dotted = send('anthropic', 'claude-sonnet-4-6', 'gemini', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], tools: [{ functionDeclarations: [{ name: 'files.read', parameters: { type: 'OBJECT', properties: {} } }] }] });
    assert.match(String(at(dotted.body, 'tools', 0, 'name')), /^files_read_[0-9a-f]{8}$/);
    assert.equal(dotted.names(String(at(dotted.body, 'tools', 0, 'name'))), 'files.read');
    const digit = send('gemini', 'gemini-3.8-flash', 'openai-chat', { model: 'm', messages: [user], tools: [{ type: 'function', function: { name: '3d_view', parameters: { type: 'object', properties: {} } } }] });
    const sent = String(at(digit.body, 'tools', 0, 'functionDeclarations', 0, 'name'));
    assert.match(sent, /^_3d_view_/);
    assert.equal(digit.names(sent), '3d_view');
  });
});

describe('an answer in JSON', () => {
  const schema = { type: 'object', properties: { town: { type: 'string' } } };

  test('DeepSeek is asked for a schema in words, in JSON mode', () => {
    for (const { body } of [
      send('deepseek', 'deepseek-v4-pro', 'openai-chat', { model: 'm', messages: [user], response_format: { type: 'json_schema', json_schema: { name: 'town', schema } } }),
      send('deepseek', 'deepseek-v4-pro', 'openai-responses', { model: 'm', input: 'a town', text: { format: { type: 'json_schema', name: 'town', schema } } }),
    ]) {
      assert.deepEqual(body.response_format, { type: 'json_object' });
      assert.match(String(at(body, 'messages', 0, 'content')), /JSON schema:\n\{"type":"object","properties":\{"town"/);
    }
  });

  test('JSON mode gets the word JSON where the prompt has none', () => {
    const without = send('openai', 'gpt-4.1', 'openai-chat', { model: 'm', messages: [{ role: 'system', content: 'Be brief.' }, user], response_format: { type: 'json_object' } });
    assert.match(String(at(without.body, 'messages', 0, 'content')), /^Be brief\.\n\nAnswer with one valid JSON object/);
    const text = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'as json, please' }], response_format: { type: 'json_object' } });
    assert.equal(send('openai', 'gpt-4.1', 'openai-chat', text).text, text);
  });
});

describe('images', () => {
  const jpeg = '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP';
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYA';
  const messages = (media_type: string, data: string): JsonObject => ({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type, data } }] }] });
  const chat = (url: string): JsonObject => ({ model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });

  test('a synonym becomes the registered name, and the bytes win over the label', () => {
    assert.equal(at(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', messages('image/jpg', jpeg)).body, 'messages', 0, 'content', 0, 'source', 'media_type'), 'image/jpeg');
    assert.equal(at(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', messages('image/jpeg', png)).body, 'messages', 0, 'content', 0, 'source', 'media_type'), 'image/png');
    assert.equal(at(send('anthropic', 'claude-sonnet-4-6', 'openai-chat', chat(`data:image/jpg;base64,${jpeg}`)).body, 'messages', 0, 'content', 0, 'source', 'media_type'), 'image/jpeg');
    assert.equal(at(send('openai', 'gpt-4.1', 'openai-chat', chat(`data:image/png;base64,${jpeg}`)).body, 'messages', 0, 'content', 0, 'image_url', 'url'), `data:image/jpeg;base64,${jpeg}`);
    assert.equal(at(send('gemini', 'gemini-3.8-flash', 'gemini', { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/jpg', data: jpeg } }] }] }).body, 'contents', 0, 'parts', 0, 'inlineData', 'mimeType'), 'image/jpeg');
  });

  test('a type that the target does not take is named in words', () => {
    const { body, changes } = send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', messages('image/bmp', 'Qk02AAAA'));
    assert.match(String(at(body, 'messages', 0, 'content', 0, 'text')), /image of type image\/bmp was left out/);
    assert.deepEqual(changes, ['an image of type image/bmp was left out']);
  });

  test('an image with the right type goes through', () => {
    const text = JSON.stringify({ ...messages('image/png', png), model: 'claude-sonnet-4-6' });
    assert.equal(send('anthropic', 'claude-sonnet-4-6', 'anthropic-messages', text).text, text);
  });
});

describe('a conversation that ends with the assistant', () => {
  const ends = { role: 'assistant', content: 'One, two' };

  test('a new Claude is asked to go on, from every caller', () => {
    for (const [protocol, body] of [
      ['openai-chat', { model: 'm', messages: [user, ends] }],
      ['anthropic-messages', { model: 'm', max_tokens: 10, messages: [user, ends] }],
      ['openai-responses', { model: 'm', input: [user, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'One, two' }] }] }],
      ['gemini', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }, { role: 'model', parts: [{ text: 'One, two' }] }] }],
    ] as const) {
      const sent = at(send('anthropic', 'claude-opus-5', protocol, body as unknown as JsonObject).body, 'messages');
      assert.equal(at(sent, -1, 'role'), 'user', protocol);
      assert.equal(at(sent, -2, 'role'), 'assistant', protocol);
    }
  });

  test('an older Claude continues its message, and Mistral gets the mark of a prefix', () => {
    const text = JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 10, messages: [user, ends] });
    assert.equal(send('anthropic', 'claude-haiku-4-5', 'anthropic-messages', text).text, text);
    assert.equal(at(send('mistral', 'mistral-medium-3.5', 'openai-chat', { model: 'm', messages: [user, ends] }).body, 'messages', 1, 'prefix'), true);
  });
});

describe('parameters', () => {
  test('a limit reaches a server under the only name it knows, lowered to what the model can write', () => {
    const { text, changes } = send('deepseek', 'deepseek-v4-pro', 'openai-chat', { model: 'm', max_completion_tokens: 900, messages: [user] }, 500);
    assert.equal(text, '{"model":"deepseek-v4-pro","messages":[{"role":"user","content":"hi"}],"max_tokens":500}');
    assert.deepEqual(changes, ['max_completion_tokens was sent as max_tokens', 'the output limit was lowered to 500']);
    assert.equal(send('openai', 'gpt-5.5', 'openai-chat', { model: 'm', max_tokens: 900, messages: [user] }).body.max_completion_tokens, 900);
  });

  test('what a platform fixes or refuses is left out of the bytes, and everything else stays as it is written', () => {
    assert.equal(
      send('moonshot', 'kimi-k3', 'openai-chat', '{"temperature" : 0.2, "model":"m" , "top_p":1.0,"n":1, "messages":[{"role":"user","content":"hi","extra":12345678901234567890}],"presence_penalty":0.5}').text,
      '{ "model":"kimi-k3" , "messages":[{"role":"user","content":"hi","extra":12345678901234567890}]}',
    );
    assert.equal(send('mistral', 'mistral-medium-3.5', 'openai-chat', '{"model":"m","messages":[],"seed":7,"store":false,"user":"u"}').text, '{"model":"mistral-medium-3.5","messages":[],"random_seed":7}');
  });

  test('models that reason get no sampling, and an effort that they know', () => {
    assert.equal(send('openai', 'gpt-5.5', 'openai-chat', { model: 'm', messages: [user], temperature: 0.2 }).body.temperature, undefined);
    assert.equal(send('openai', 'gpt-5.5', 'openai-chat', { model: 'm', messages: [user], temperature: 0.2, reasoning_effort: 'none' }).body.temperature, 0.2);
    assert.equal(send('openai', 'gpt-4.1', 'openai-chat', { model: 'm', messages: [user], temperature: 0.2 }).body.temperature, 0.2);
    assert.equal(send('deepseek', 'deepseek-v4-pro', 'openai-chat', { model: 'm', messages: [user], reasoning_effort: 'minimal' }).body.reasoning_effort, 'low');
  });

  test("a generation of Claude gets its own form of thinking, sampling and choice from another generation's caller", () => {
    const body = { model: 'm', max_tokens: 9000, messages: [user] };
    const newer = send('anthropic', 'claude-opus-5-5', 'anthropic-messages', { ...body, temperature: 0.5, thinking: { type: 'enabled', budget_tokens: 4000 }, tool_choice: { type: 'any' }, tools: [{ name: 'f', input_schema: { type: 'object' } }] }).body;
    assert.deepEqual([newer.temperature, newer.thinking, newer.output_config, newer.tool_choice], [undefined, { type: 'adaptive' }, { effort: 'medium' }, { type: 'auto' }]);
    assert.match(String(newer.system), /must call at least one/);
    const older = send('anthropic', 'claude-haiku-4-5', 'anthropic-messages', { ...body, thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }).body;
    assert.deepEqual([older.thinking, older.output_config], [{ type: 'enabled', budget_tokens: 7200 }, undefined]);
  });

  test('reasoning that a provider demands beside calls is there for a history that was made elsewhere', () => {
    const { body } = send('deepseek', 'deepseek-v4-pro', 'openai-chat', {
      model: 'm', messages: [user, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'c', content: 'x' }],
    });
    assert.equal(at(body, 'messages', 1, 'reasoning_content'), '');
  });
});

describe('numbers', () => {
  const input = '{"id":1234567890123456789,"ratio":1.0,"many":1e3,"small":-0,"long":0.12345678901234567890}';

  test('in arguments stay as they are written, through every translation', () => {
    const messages = `{"model":"m","max_tokens":10,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"c.1","name":"f","input":${input}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c.1","content":"x"}]}],"temperature":1.0}`;
    assert.ok(send('anthropic', 'claude-sonnet-4-5', 'anthropic-messages', messages).text.includes(input), 'rewritten for its own protocol');
    const gemini = `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":${input}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"}}}]}],"generationConfig":{"temperature":1.0}}`;
    for (const [protocol, body] of [['anthropic-messages', messages], ['gemini', gemini]] as const) {
      const codec = codecFor(protocol) ?? assert.fail();
      const { parseSettled } = exact;
      const decoded = parseSettled(body);
      const call = codec.decodeRequest(isObject(decoded) ? decoded : assert.fail()).messages[1]?.content[0];
      assert.equal(call?.type === 'tool-call' ? call.arguments : undefined, input, protocol);
    }
    const chat = JSON.stringify({ model: 'm', messages: [user, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: input } }] }, { role: 'tool', tool_call_id: 'c', content: 'x' }] });
    assert.ok(send('anthropic', 'claude-sonnet-4-6', 'openai-chat', chat).text.includes(`"input":${input}`));
    assert.ok(send('gemini', 'gemini-3.8-flash', 'openai-chat', chat).text.includes(`"args":${input}`));
  });
});

describe('a field that the target lacks', () => {
  const chat = { model: 'm', messages: [user], n: 1, logprobs: true, top_logprobs: 2, user: 'u', frequency_penalty: 0.5 };

  /** What was left out, once each, whether the request was translated or passed through. */
  const dropped: readonly (readonly [provider: string, model: string, caller: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini', body: JsonObject, changes: readonly string[]])[] = [
    ['minimax', 'MiniMax-M2', 'openai-chat', chat, ['n was left out']],
    ['mistral', 'mistral-medium-3.5', 'openai-chat', chat, ['user was left out', 'logprobs was left out', 'top_logprobs was left out']],
    ['mistral', 'mistral-medium-3.5', 'anthropic-messages', { model: 'm', max_tokens: 9, messages: [user], metadata: { user_id: 'u' } }, ['user was left out']],
    ['mistral', 'mistral-medium-3.5', 'openai-responses', { model: 'm', input: 'hi', safety_identifier: 'u' }, ['user was left out']],
    ['cerebras', 'gpt-oss-120b', 'gemini', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], generationConfig: { frequencyPenalty: 0.5, presencePenalty: 0.5 } }, ['frequency_penalty was left out', 'presence_penalty was left out']],
    ['bedrock', 'claude-sonnet-4.5', 'openai-chat', { model: 'm', messages: [user], service_tier: 'auto' }, ['service_tier was left out']],
  ];
  for (const [provider, model, caller, body, wanted] of dropped) {
    test(`is left out for ${provider} and named once, from a caller of ${caller}`, () => {
      const { changes } = send(provider, model, caller, body);
      assert.deepEqual([...changes].sort(), [...wanted].sort());
    });
  }
});
