import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import type { JsonObject, JsonValue } from '../../../server/base/json.ts';
import { isObject } from '../../../server/base/json.ts';
import { RequestFormatError } from '../../../server/protocols/codec.ts';
import type { ProtocolCodec } from '../../../server/protocols/codec.ts';
import { gemini } from '../../../server/protocols/gemini/codec.ts';
import { openAiResponses } from '../../../server/protocols/openAiResponses/codec.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { seededRandom } from './replay.ts';

const codecs = protocolNames.map(codecFor);

/** Requests that use most of what their protocol has. */
const requests: readonly { codec: ProtocolCodec; body: JsonObject }[] = [
  { codec: openAiResponses, body: {
    instructions: 'S', previous_response_id: 'r', temperature: 1, top_logprobs: 2, max_output_tokens: 9, include: ['message.output_text.logprobs'], metadata: { a: 'b' },
    reasoning: { effort: 'low', summary: 'auto' }, text: { verbosity: 'low', format: { type: 'json_schema', name: 'n', schema: { type: 'object' } } },
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }, { type: 'custom', name: 'p', format: { type: 'grammar', syntax: 'lark', definition: 'x' } }, { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'g' }] }, { type: 'web_search' }],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'hi' }, { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' }, { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' }] },
      { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 't' }], encrypted_content: 'e' },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' }, { type: 'custom_tool_call', call_id: 'c2', name: 'p', input: 'x' }, { type: 'shell_call', call_id: 'c3', action: { commands: ['ls'] } },
      { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'r' }] }, { type: 'custom_tool_call_output', call_id: 'c2', output: 'r' }, { type: 'shell_call_output', call_id: 'c3', output: [{ stdout: 'a' }] },
      { type: 'message', role: 'assistant', phase: 'final_answer', content: [{ type: 'output_text', text: 'x', annotations: [] }, { type: 'refusal', refusal: 'n' }] }, { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'h' }] },
    ],
  } },
  { codec: gemini, body: {
    systemInstruction: { parts: [{ text: 'S' }] },
    contents: [
      { role: 'user', parts: [{ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }, { fileData: { fileUri: 'gs://a', mimeType: 'application/pdf' } }] },
      { role: 'model', parts: [{ text: 't', thought: true, thoughtSignature: 's' }, { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 's' }, { executableCode: { code: 'x' } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'r' }, parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true, enum: ['x'] } }, anyOf: [{ type: 'NULL' }] } }] }, { googleSearch: {} }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    generationConfig: { temperature: 1, topK: 2, stopSequences: ['x'], responseLogprobs: true, logprobs: 1, responseMimeType: 'application/json', responseSchema: { type: 'OBJECT', title: 't' }, responseModalities: ['TEXT'], thinkingConfig: { thinkingLevel: 'LOW', includeThoughts: true, thinkingBudget: 5 } },
  } },
];

const oddities: readonly JsonValue[] = [null, true, false, -1, 1e308, '', 'x', '\ud800', '__proto__', [], {}, [[]], [null], { type: 'x' }, 'data:', 'text', 'none'];

/** Every place in a JSON value, as the object or list that holds it and its key there. */
function placesIn(value: JsonValue): { holder: JsonObject | JsonValue[]; key: string | number }[] {
  if (Array.isArray(value)) return value.flatMap((entry, key) => [{ holder: value, key }, ...placesIn(entry)]);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, entry]) => [{ holder: value, key }, ...(entry === undefined ? [] : placesIn(entry))]);
}

function put(place: { holder: JsonObject | JsonValue[]; key: string | number }, value: JsonValue): void {
  if (Array.isArray(place.holder)) place.holder[Number(place.key)] = value;
  else place.holder[place.key] = value;
}

describe('a request with values of any type', () => {
  for (const { codec, body } of requests) {
    test(`of ${codec.protocol} is read and written for every target, or refused with the place that is wrong`, () => {
      const random = seededRandom(0xbad);
      const at = (length: number): number => Math.floor(random() * length);
      let accepted = 0;
      for (let round = 0; round < 4_000; round += 1) {
        const damaged = JSON.parse(JSON.stringify(body)) as JsonObject;
        for (let change = 0; change <= at(3); change += 1) {
          const places = placesIn(damaged);
          const place = places[at(places.length)];
          const oddity = oddities[at(oddities.length)];
          if (place !== undefined && oddity !== undefined) put(place, structuredClone(oddity));
        }
        try {
          const request = codec.decodeRequest(damaged);
          accepted += 1;
          for (const target of codecs) {
            JSON.stringify(target.encodeRequest(request, { model: 'gemini-3.8-flash', stream: true, defaultMaxOutputTokens: 9, dialect: {}, origin: 'a/b' }));
          }
        } catch (error) {
          if (!(error instanceof RequestFormatError)) throw error;
          assert.notEqual(error.path, '');
        }
      }
      assert.ok(accepted > 500, `${accepted} accepted`);
    });
  }
});
