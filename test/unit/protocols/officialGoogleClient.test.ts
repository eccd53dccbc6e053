import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import type { GenerateContentResponse } from '@google/genai';
import type { JsonObject } from '../../../server/base/json.ts';
import { gemini } from '../../../server/protocols/gemini/codec.ts';
import { meta, recording, recordings, replay } from './replay.ts';

/** Every answer a provider gave in the recordings that ended well, read into events. */
const answers = recordings.map((name) => ({ name, ...replay(name, [recording(name)]) })).filter((answer) => answer.terminated);
const eventStream = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };
const ask = { model: 'auto', contents: 'hi' };
const ownFetch = globalThis.fetch;

/** The client takes no fetch of its own: the global one answers, and notes what was asked. */
function client(body: string, headers: Record<string, string>, status = 200): { google: GoogleGenAI; asked: { url: string; body: JsonObject }[] } {
  const asked: { url: string; body: JsonObject }[] = [];
  globalThis.fetch = async (url, init) => {
    asked.push({ url: url instanceof Request ? url.url : String(url), body: JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as JsonObject });
    return new Response(body, { status, headers });
  };
  return { google: new GoogleGenAI({ apiKey: 'local', httpOptions: { baseUrl: 'http://127.0.0.1:9' } }), asked };
}

describe('the official Google client', () => {
  afterEach(() => {
    globalThis.fetch = ownFetch;
  });

  for (const { name, events } of answers) {
    const encoder = gemini.createStreamEncoder(meta);
    const body = gemini.keepAlive + events.map((event) => encoder.encode(event) + gemini.keepAlive).join('') + encoder.end();

    test(`assembles ${name} from the stream into what the plain answer says`, async () => {
      const plain = await client(JSON.stringify(gemini.encodeResponse(events, meta)), json).google.models.generateContent(ask);
      let text = '';
      let last: GenerateContentResponse | undefined;
      const calls: unknown[] = [];
      for await (const chunk of await client(body, eventStream).google.models.generateContentStream(ask)) {
        text += chunk.text ?? '';
        calls.push(...chunk.functionCalls ?? []);
        last = chunk;
      }
      assert.equal(text, plain.text ?? '');
      assert.deepEqual(calls, plain.functionCalls ?? []);
      assert.deepEqual(last?.usageMetadata, plain.usageMetadata);
      assert.equal(last?.candidates?.[0]?.finishReason, plain.candidates?.[0]?.finishReason);
      assert.equal(last?.responseId, meta.id);
    });

    test(`keeps ${name} in the history of a chat, which can be sent again`, async () => {
      const chat = client(body, eventStream).google.chats.create({ model: 'auto' });
      for await (const chunk of await chat.sendMessageStream({ message: 'hi' })) assert.ok(chunk);
      const history = JSON.parse(JSON.stringify(chat.getHistory(true))) as JsonObject[];
      assert.deepEqual(gemini.decodeRequest({ contents: history }).messages.slice(0, 2).map((message) => message.role), ['user', 'assistant']);
    });
  }

  test('throws on an error in the stream, and on one before it, with Google\'s status', async () => {
    const encoder = gemini.createStreamEncoder(meta);
    const body = encoder.encode({ type: 'text', text: 'Half' }) + gemini.encodeStreamError({ failureClass: 'overloaded', message: 'It broke.' });
    const stream = await client(body, eventStream).google.models.generateContentStream(ask);
    await assert.rejects(async () => {
      for await (const chunk of stream) assert.equal(chunk.text, 'Half');
    }, (error) => error instanceof ApiError && error.status === 503 && error.message.includes('It broke.'));
    const encoded = gemini.encodeError({ failureClass: 'rate-limit', message: 'Slow down.' });
    await assert.rejects(client(JSON.stringify(encoded.body), json, encoded.status).google.models.generateContent(ask), (error) => error instanceof ApiError && error.status === 429);
  });

  test('is understood in all that it asks for', async () => {
    const { google, asked } = client('{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}', json);
    await google.models.generateContent({
      model: 'auto', contents: [{ role: 'user', parts: [{ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }],
      config: {
        systemInstruction: 'S', temperature: 0.5, maxOutputTokens: 7, topK: 3, seed: 1, responseLogprobs: true, logprobs: 2, stopSequences: ['E'],
        tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: Type.OBJECT, properties: { a: { type: Type.STRING } } } }] }, { googleSearch: {} }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['f'] } },
        thinkingConfig: { includeThoughts: true, thinkingBudget: 2_000 }, responseMimeType: 'application/json', responseSchema: { type: Type.OBJECT },
      },
    });
    assert.match(asked[0]?.url ?? '', /\/v1\/models\/auto:generateContent$/);
    assert.deepEqual(JSON.parse(JSON.stringify(gemini.decodeRequest(asked[0]?.body ?? {}))), {
      system: [{ type: 'text', text: 'S' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AAAA' } }] }],
      tools: [{ name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } }],
      hostedTools: [{ protocol: 'gemini', type: 'googleSearch', definition: { googleSearch: {} } }],
      toolChoice: { type: 'tool', name: 'f' }, maxOutputTokens: 7, temperature: 0.5, topK: 3, stop: ['E'], seed: 1, logprobs: { top: 2 },
      responseFormat: { type: 'json-schema', name: 'response', schema: { type: 'object' } }, reasoning: { budgetTokens: 2_000, visible: true },
    });
  });
});
