import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames, type ContentPart, type ConversationRequest, type ProtocolName, type ToolCallPart, type ToolResultPart } from '../../../server/api/conversation.ts';
import { parseJson } from '../../../server/base/json.ts';
import type { EncodeTarget } from '../../../server/protocols/codec.ts';
import { codecFor } from '../../../server/protocols/registry.ts';

/** A model that each protocol's targets serve. */
const models: Readonly<Record<ProtocolName, string>> = {
  'openai-chat': 'gpt-4.1', 'openai-responses': 'gpt-6-sol', 'anthropic-messages': 'claude-sonnet-4-5', 'gemini': 'gemini-3.8-flash',
};
const codecs = protocolNames.map(protocol => ({ codec: codecFor(protocol), model: models[protocol] }));

const target = (model: string): EncodeTarget => ({ model, stream: true, defaultMaxOutputTokens: 4_096, dialect: {}, origin: `there/${model}` });

const image = 'iVBORw0KGgo=';
const pdf = 'JVBERi0xLjQ=';
const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } }, required: ['city'], additionalProperties: false };

/** What a developer's tool may send in one go: everything that all four protocols can express. */
const rich: ConversationRequest = {
  system: [{ type: 'text', text: 'You are exact.' }, { type: 'text', text: 'Use metric units.' }],
  messages: [
    { role: 'user', content: [
      { type: 'text', text: 'Grüße, 世界 🚂. What is on these?' },
      { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: image } },
      { type: 'document', mimeType: 'application/pdf', source: { kind: 'base64', data: pdf }, filename: 'plan.pdf' },
    ] },
    { role: 'assistant', content: [
      { type: 'text', text: 'Let me look.' },
      { type: 'tool-call', id: 'call_a', name: 'weather', arguments: '{"city":"Köln","days":[1,2]}' },
      { type: 'tool-call', id: 'call_b', name: 'now', arguments: '' },
    ] },
    { role: 'user', content: [
      { type: 'tool-result', callId: 'call_a', name: 'weather', content: [{ type: 'text', text: 'rain "heavy"' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: image } }] },
      { type: 'tool-result', callId: 'call_b', name: 'now', content: [{ type: 'text', text: 'clock is broken' }], isError: true },
    ] },
    { role: 'assistant', content: [{ type: 'text', text: 'It rains.' }] },
    { role: 'system', content: [{ type: 'text', text: 'Answer in German.' }] },
    { role: 'user', content: [{ type: 'text', text: 'And tomorrow?' }] },
  ],
  tools: [
    { name: 'weather', description: 'Tells the weather', parameters: schema },
    { name: 'now', description: 'Tells the time' },
    { name: 'apply_patch', description: 'Changes files', kind: 'custom', format: { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin Patch"' } },
  ],
  toolChoice: { type: 'tool', name: 'weather' },
  maxOutputTokens: 777,
  responseFormat: { type: 'json-schema', name: 'forecast', schema, strict: true },
};

/** Everything of a kind, wherever a protocol puts it. */
function partsOf(request: ConversationRequest): ContentPart[] {
  return request.messages.flatMap((message) => message.content.flatMap((part): ContentPart[] => (part.type === 'tool-result' ? [part, ...part.content] : [part])));
}

/** What must survive any translation, in a form that leaves each protocol its own ways. */
function essence(request: ConversationRequest): unknown {
  const parts = partsOf(request);
  const text = [...request.system, ...parts].map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  const media = (type: 'image' | 'document'): string[] => parts.flatMap((part) => (part.type === type && (part.type === 'image' || part.type === 'document') ? [part.source.kind === 'base64' ? part.source.data : part.source.kind] : []));
  const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call');
  const results = parts.filter((part): part is ToolResultPart => part.type === 'tool-result');
  return {
    said: ['You are exact.', 'Use metric units.', 'Grüße, 世界 🚂. What is on these?', 'Let me look.', 'rain "heavy"', 'It rains.', 'Answer in German.', 'And tomorrow?'].filter((sentence) => !text.includes(sentence)),
    images: media('image'),
    documents: media('document'),
    calls: calls.map((call) => [call.id, call.name, call.arguments === '' ? {} : parseJson(call.arguments)]),
    results: results.map((result) => [result.callId, result.name, result.content.some((part) => part.type === 'text' && part.text.includes(result.callId === 'call_a' ? 'rain' : 'clock is broken'))]),
    // A protocol without a flag for failure says it in words.
    failures: results.map((result) => result.isError === true || result.content.some((part) => part.type === 'text' && part.text.startsWith('Error: '))),
    toolNames: request.tools.map((tool) => tool.name),
    weather: request.tools[0]?.parameters,
    grammarIsKept: JSON.stringify(request.tools[2]).includes('Begin Patch'),
    toolChoice: request.toolChoice,
    maxOutputTokens: request.maxOutputTokens,
    schema: request.responseFormat?.type === 'json-schema' ? request.responseFormat.schema : undefined,
  };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const wanted = plain(essence(rich));

describe('a rich conversation', () => {
  for (const from of codecs) {
    // As the caller's own client would have written it.
    const written = from.codec.encodeRequest(rich, target(from.model));
    for (const to of codecs) {
      test(`from a ${from.codec.protocol} caller reaches a ${to.codec.protocol} target whole`, () => {
        const sent = to.codec.encodeRequest(from.codec.decodeRequest(written), target(to.model));
        assert.deepEqual(plain(essence(to.codec.decodeRequest(sent))), wanted);
      });

      test(`from a ${from.codec.protocol} caller is the same for a ${to.codec.protocol} target after every further turn, so that prompt caches stay valid`, () => {
        const longer = from.codec.encodeRequest({
          ...rich, messages: [...rich.messages, { role: 'assistant', content: [{ type: 'text', text: 'Sun.' }] }, { role: 'user', content: [{ type: 'text', text: 'Thanks' }] }],
        }, target(from.model));
        const [before, after] = [written, longer].map((body) => {
          const sent = to.codec.encodeRequest(from.codec.decodeRequest(body), target(to.model));
          return JSON.stringify(sent.messages ?? sent.input ?? sent.contents).slice(0, -1);
        });
        assert.ok(before !== undefined && after?.startsWith(before));
      });
    }
  }
});
