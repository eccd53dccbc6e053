import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import { parseJson, type JsonObject, type JsonValue } from '../../../server/base/json.ts';
import { scanObject } from '../../../server/base/objectScan.ts';
import { withCacheBreakpoints } from '../../../server/protocols/cacheBreakpoints.ts';
import type { EncodeTarget } from '../../../server/protocols/codec.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { requestText, ToolListMemory } from '../../../server/protocols/toolLists.ts';

const target: EncodeTarget = { model: 'some-model', stream: true, defaultMaxOutputTokens: 1000, dialect: {}, origin: 'provider/some-model' };

function conversation(toolPrefix = 'tool'): ConversationRequest {
  return {
    system: [{ type: 'text', text: 'Grüße "there"\n' }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'tools: [] 世界 🚂' }] }],
    tools: Array.from({ length: 12 }, (_, index) => ({
      name: `${toolPrefix}_${index}`, description: `Reads "part ${index}".\n`.repeat(12),
      parameters: { type: 'object', properties: { size: { type: 'number', maximum: 1.5e10, default: -0.25 } }, required: ['size'] },
    })),
    maxOutputTokens: 100,
  };
}

function bodyIn(protocol: ProtocolName, request = conversation()): Buffer {
  return Buffer.from(JSON.stringify(codecFor(protocol).encodeRequest(request, target)));
}

function read(memory: ToolListMemory, bytes: Buffer): JsonObject {
  const scan = scanObject(bytes);
  assert.ok(scan);
  return memory.parse(bytes, scan) as JsonObject;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const entry of Object.values(Object.freeze(value))) frozen(entry);
  return value;
}

describe('a memory of lists of tools', () => {
  const list = JSON.stringify(conversation().tools);
  const other = JSON.stringify(conversation('other').tools);

  it('gives a body as it is parsed, wherever its tools stand and however often they are named', () => {
    const memory = new ToolListMemory();
    for (const text of [
      `{"tools":${list},"model":"m"}`, `{"model":"é","tools": ${list} }`, ` {"a":{"tools":[1]},"tools":${list},"z":[1.50,1e3,"\\u00e9"]}`,
      `{"tools":[],"tools":${list}}`, `{"tools":${list},"tools":[]}`, `{"tools":${other},"m":1,"tools":${list}}`, `{"tools":null,"m":1}`, '{}',
    ]) for (let time = 0; time < 3; time++) assert.deepEqual(read(memory, Buffer.from(text)), parseJson(text), text);
  });

  it('finds the list of an earlier request by its bytes alone', () => {
    const memory = new ToolListMemory();
    const first = read(memory, Buffer.from(`{"tools":${list},"turn":1}`));
    assert.equal(read(memory, Buffer.from(`{"turn":2,"tools":${list}}`)).tools, first.tools);
    // The same length, and one character is another.
    const changed = read(memory, Buffer.from(`{"tools":${list.replace('tool_0', 'tool_x')}}`));
    assert.notEqual(changed.tools, first.tools);
    assert.equal(((changed.tools as JsonValue[])[0] as JsonObject).name, 'tool_x');
  });

  it('keeps four lists, those that were used last', () => {
    const memory = new ToolListMemory();
    const read1 = (prefix: string): JsonValue | undefined => read(memory, Buffer.from(JSON.stringify({ tools: conversation(prefix).tools }))).tools;
    const [one, two] = [read1('one'), read1('two')];
    for (const prefix of ['three', 'four']) read1(prefix);
    assert.equal(read1('one'), one);
    read1('five');
    assert.equal(read1('one'), one);
    assert.notEqual(read1('two'), two);
  });

  it('keeps its own copy of the bytes', () => {
    const memory = new ToolListMemory();
    const bytes = Buffer.from(`{"tools":${list}}`);
    const first = read(memory, bytes);
    bytes.fill(0x20);
    assert.equal(read(memory, Buffer.from(`{"tools":${list}}`)).tools, first.tools);
  });

  it('leaves a body unread that is no JSON, as parsing does', () => {
    const memory = new ToolListMemory();
    read(memory, Buffer.from(`{"tools":${list}}`));
    assert.equal(read(memory, Buffer.from(`{"tools":${list},"a":{"b" 1}}`)), undefined);
  });
});

describe('the text of a request', () => {
  it('is that of JSON.stringify', () => {
    for (const body of [{}, { a: undefined }, { tools: [] }, { 'b"': 1, 'a': undefined, 'tools': [{ name: 'é\n' }], '2': null, '1': [undefined as unknown as null] }]) {
      assert.equal(requestText(body), JSON.stringify(body));
      assert.equal(requestText(body), JSON.stringify(body));
    }
  });
});

describe('a request whose tools came before', () => {
  for (const caller of protocolNames) {
    for (const spoken of protocolNames.filter(name => name !== caller)) {
      it(`goes from ${caller} to ${spoken} as one whose tools are new, and nothing writes to them`, () => {
        const memory = new ToolListMemory();
        const bytes = bodyIn(caller);
        const translated = (body: JsonObject): string => {
          const request = codecFor(caller).decodeRequest(body);
          return requestText(codecFor(spoken).encodeRequest(spoken === 'anthropic-messages' ? withCacheBreakpoints(request, 5000) : request, target));
        };
        const expected = translated(parseJson(bytes.toString('utf8')) as JsonObject);
        frozen(read(memory, bytes).tools);
        for (let time = 0; time < 3; time++) assert.equal(translated(read(memory, bytes)), expected);
        assert.equal(translated(read(memory, bodyIn(caller, { ...conversation('other'), temperature: 0.5 }))).includes('other_3'), true);
        assert.equal(translated(read(memory, bytes)), expected);
      });
    }
  }

  it('does not get the tools that another request of the conversation brought along', () => {
    const memory = new ToolListMemory();
    const codec = codecFor('openai-responses');
    const body = parseJson(bodyIn('openai-responses').toString('utf8')) as JsonObject;
    const more = { ...body, input: [{ type: 'additional_tools', tools: [{ type: 'function', name: 'extra', parameters: {} }] }, ...(body.input as JsonValue[])] };
    const plain = Buffer.from(JSON.stringify(body));
    read(memory, plain);
    const names = (bytes: Buffer): string[] => codec.decodeRequest(read(memory, bytes)).tools.map(({ name }) => name);
    assert.equal(names(Buffer.from(JSON.stringify(more))).at(-1), 'extra');
    assert.equal(names(plain).includes('extra'), false);
  });

  it('keeps hosted tools and functions of the older form beside them', () => {
    const codec = codecFor('openai-chat');
    const body = { ...parseJson(bodyIn('openai-chat').toString('utf8')) as JsonObject, functions: [{ name: 'older' }], web_search_options: { search_context_size: 'low' } };
    const bytes = Buffer.from(JSON.stringify(body));
    const memory = new ToolListMemory();
    for (let time = 0; time < 3; time++) {
      const written = codec.encodeRequest(codec.decodeRequest(read(memory, bytes)), target);
      assert.equal((written.tools as JsonValue[]).length, 13);
      assert.deepEqual(written.web_search_options, { search_context_size: 'low' });
    }
  });
});
