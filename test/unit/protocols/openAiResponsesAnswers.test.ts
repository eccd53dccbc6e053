import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';
import type { ConversationEvent, ToolDefinition } from '../../../server/api/conversation.ts';
import { failureClasses } from '../../../server/api/failure.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import type { ResponseMeta } from '../../../server/protocols/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { openAiResponses } from '../../../server/protocols/openAiResponses/codec.ts';
import { meta, recording, recordings, replay } from './replay.ts';

type Sent = JsonObject & { type: string; sequence_number: number; output_index?: number; item?: JsonObject; response?: JsonObject };

/** Every answer a provider gave in the recordings that ended well, read into events. */
const answers = recordings.map((name) => ({ name, ...replay(name, [recording(name)]) })).filter((answer) => answer.terminated);

function written(events: readonly ConversationEvent[], ownMeta: ResponseMeta = meta): string {
  const encoder = openAiResponses.createStreamEncoder(ownMeta);
  return openAiResponses.keepAlive + events.map((event) => encoder.encode(event) + openAiResponses.keepAlive).join('') + encoder.end();
}

/** The events on the wire; each must carry its name twice and be numbered without a gap. */
function sent(text: string): Sent[] {
  const events = [...text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, name, data]) => {
    const event = JSON.parse(data ?? '') as Sent;
    assert.equal(event.type, name);
    return event;
  });
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_event, index) => index));
  return events;
}

function client(body: string, headers: Record<string, string>, status = 200): OpenAI {
  return new OpenAI({ apiKey: 'local', baseURL: 'http://127.0.0.1:9/v1', maxRetries: 0, fetch: async () => new Response(body, { status, headers }) });
}

const eventStream = { 'content-type': 'text/event-stream' };
const ask = { model: 'auto', input: 'hi' };
const call = (index: number, id: string, name: string, text: string): ConversationEvent[] => [
  { type: 'tool-call-start', index, id, name }, { type: 'tool-call-arguments', index, text: text.slice(0, 5) }, { type: 'tool-call-arguments', index, text: text.slice(5) }, { type: 'tool-call-end', index },
];

describe('the official OpenAI client, asking for a response', () => {
  for (const { name, events } of answers) {
    test(`assembles ${name} from the stream into what the plain answer says`, async () => {
      const streamed = await client(written(events), eventStream).responses.stream(ask).finalResponse();
      const plain = await client(JSON.stringify(openAiResponses.encodeResponse(events, meta)), { 'content-type': 'application/json' }).responses.create(ask);
      assert.equal(streamed.status, plain.status);
      assert.equal(streamed.output_text, plain.output_text);
      assert.deepEqual(streamed.usage, plain.usage);
      const shape = (of: OpenAI.Responses.Response): unknown => of.output.map((item) => {
        const { parsed_arguments: _parsed, ...rest } = item as OpenAI.Responses.ResponseFunctionToolCall & { parsed_arguments?: unknown };
        return 'content' in rest ? { ...rest, content: JSON.stringify(rest.content).replaceAll(',"parsed":null', '') } : rest;
      });
      assert.deepEqual(shape(streamed), shape(plain));
    });

    test(`takes from the items of ${name} what the response as a whole says`, () => {
      const events_ = sent(written(events));
      const done = events_.filter((event) => event.type === 'response.output_item.done').sort((one, other) => (one.output_index ?? 0) - (other.output_index ?? 0)).map((event) => event.item);
      const last = events_.at(-1);
      assert.match(last?.type ?? '', /^response\.(completed|incomplete)$/);
      assert.deepEqual(last?.response?.output, done);
      assert.equal(last?.response?.id, meta.id);
      assert.deepEqual(last?.response, { ...openAiResponses.encodeResponse(events, meta) });
      assert.deepEqual(events_.slice(0, 2).map((event) => event.type), ['response.created', 'response.in_progress']);
    });
  }

  test('sees a failed response with the code that Codex acts upon', async () => {
    const encoder = openAiResponses.createStreamEncoder(meta);
    const error = { failureClass: 'rate-limit' as const, message: 'Slow down.', retryAfterMs: 1_500 };
    const body = encoder.encode({ type: 'text', text: 'Half' }) + (encoder.fail?.(error) ?? '');
    assert.equal(sent(body).at(-1)?.type, 'response.failed');
    const final = await client(body, eventStream).responses.stream(ask).finalResponse();
    assert.equal(final.status, 'failed');
    assert.deepEqual(final.error, { code: 'rate_limit_exceeded', message: 'Slow down. Please try again in 1.5s.' });
  });
});

describe('a response as a stream', () => {
  test('has the whole grammar of a message', () => {
    const names = sent(written([{ type: 'start' }, { type: 'thinking', text: 'Hm' }, { type: 'thinking-end', encrypted: 'e' }, { type: 'text', text: 'Hi' }, { type: 'refusal', text: 'No' }, { type: 'finish', reason: 'end' }])).map((event) => event.type.replace('response.', ''));
    assert.deepEqual(names, [
      'created', 'in_progress',
      'output_item.added', 'reasoning_summary_part.added', 'reasoning_summary_text.delta', 'reasoning_summary_text.done', 'reasoning_summary_part.done', 'output_item.done',
      'output_item.added', 'content_part.added', 'output_text.delta', 'output_text.done', 'content_part.done', 'content_part.added', 'refusal.delta', 'refusal.done', 'content_part.done', 'output_item.done',
      'completed',
    ]);
  });

  test('gives calls back under the names and in the form in which the caller declared the tools', () => {
    const tools: ToolDefinition[] = [{ name: 'apply_patch', kind: 'custom' }, { name: 'mcp__gh__list', namespace: { name: 'mcp__gh', tool: 'list' } }];
    const events: ConversationEvent[] = [...call(0, 'c1', 'apply_patch', '{"input":"*** Begin\\nPatch"}'), ...call(1, 'c2', 'mcp__gh__list', '{"a":1}'), { type: 'finish', reason: 'tool-calls' }];
    const output = openAiResponses.encodeResponse(events, { ...meta, tools }).output;
    assert.deepEqual(output, [
      { id: 'ctc_resp_1_0', type: 'custom_tool_call', status: 'completed', call_id: 'c1', name: 'apply_patch', input: '*** Begin\nPatch' },
      { id: 'fc_resp_1_1', type: 'function_call', status: 'completed', call_id: 'c2', name: 'list', namespace: 'mcp__gh', arguments: '{"a":1}' },
    ]);
    const deltas = sent(written(events, { ...meta, tools })).filter((event) => event.type === 'response.custom_tool_call_input.delta');
    assert.deepEqual(deltas.map((event) => event.delta), ['*** Begin\nPatch']);
  });

  test('gives a free-text call back to a chat caller in its own form as well', () => {
    const tools: ToolDefinition[] = [{ name: 'patch', kind: 'custom' }];
    const response = openAiChat.encodeResponse([...call(0, 'c1', 'patch', '{"input":"text"}'), { type: 'finish', reason: 'tool-calls' }], { ...meta, tools });
    assert.match(JSON.stringify(response), /"tool_calls":\[\{"id":"c1","type":"custom","custom":\{"name":"patch","input":"text"\}\}\]/);
  });

  test('never hands over a call whose end was not seen', () => {
    const events: ConversationEvent[] = [...call(0, 'c1', 'f', '{"a":1}'), ...call(1, 'c2', 'g', '{"a":1}').slice(0, -1), { type: 'finish', reason: 'length' }];
    const last = sent(written(events)).at(-1);
    assert.equal(last?.type, 'response.incomplete');
    assert.deepEqual(last?.response?.incomplete_details, { reason: 'max_output_tokens' });
    assert.deepEqual((last?.response?.output as JsonObject[]).map((item) => item.call_id), ['c1']);
    assert.equal(sent(written(events)).filter((event) => event.type === 'response.output_item.done').length, 1);
  });

  test('keeps what was encrypted for this protocol and nothing that others signed', () => {
    const reasoning = (end: ConversationEvent): unknown => openAiResponses.encodeResponse([{ type: 'thinking', text: 'Hm' }, end, { type: 'text', text: 'x' }], meta).output;
    assert.match(JSON.stringify(reasoning({ type: 'thinking-end', encrypted: 'mine', origin: 'openai-responses' })), /"encrypted_content":"mine"/);
    assert.doesNotMatch(JSON.stringify(reasoning({ type: 'thinking-end', signature: 'theirs', origin: 'anthropic-messages' })), /theirs|encrypted_content/);
  });

  const endings: [events: ConversationEvent[], status: string, reason: string | undefined][] = [
    [[{ type: 'text', text: 'x' }], 'completed', undefined],
    [[{ type: 'text', text: 'x' }, { type: 'finish', reason: 'stop-sequence' }], 'completed', undefined],
    [[{ type: 'text', text: 'x' }, { type: 'finish', reason: 'context-full' }], 'incomplete', 'max_output_tokens'],
    [[{ type: 'finish', reason: 'refusal' }], 'incomplete', 'content_filter'],
    [[{ type: 'refusal', text: 'No.' }, { type: 'finish', reason: 'refusal' }], 'completed', undefined],
  ];
  for (const [events, status, reason] of endings) {
    test(`ends ${status}${reason === undefined ? '' : ` (${reason})`} after ${JSON.stringify(events.at(-1))}`, () => {
      const response = openAiResponses.encodeResponse(events, meta);
      assert.equal(response.status, status);
      assert.deepEqual(response.incomplete_details, reason === undefined ? null : { reason });
    });
  }
});

describe('an error to a Responses caller', () => {
  test('before the stream is what a chat caller gets', () => {
    for (const failureClass of failureClasses) assert.deepEqual(openAiResponses.encodeError({ failureClass, message: 'm' }), openAiChat.encodeError({ failureClass, message: 'm' }));
  });

  const codes: Record<string, string> = {
    'context-overflow': 'context_length_exceeded', quota: 'insufficient_quota', 'rate-limit': 'rate_limit_exceeded', overloaded: 'server_is_overloaded', server: 'server_error',
    auth: 'invalid_prompt', 'bad-request': 'invalid_prompt', 'model-not-found': 'model_not_found',
  };
  for (const failureClass of failureClasses.filter((name) => codes[name] !== undefined)) {
    test(`in a stream has code ${codes[failureClass]} for ${failureClass}`, () => {
      const text = openAiResponses.encodeStreamError({ failureClass, message: 'm', exchangeId: 'x1' });
      const { response } = JSON.parse(text.replace(/^event: response\.failed\ndata: /, '')) as { response: { id: string; status: string; error: { code: string } } };
      assert.deepEqual([response.id, response.status, response.error.code], ['x1', 'failed', codes[failureClass]]);
    });
  }
});

describe('a plain Responses answer', () => {
  const read = (body: JsonObject): unknown => JSON.parse(JSON.stringify(openAiResponses.decodeResponse(body, {})));
  test('that failed is an error', () => {
    assert.deepEqual(read({ id: 'r', status: 'failed', output: [], error: { code: 'server_error', message: 'Broke.' } }), [{ type: 'error', error: { code: 'server_error', message: 'Broke.' } }]);
  });
  test('without any output is an error', () => {
    assert.deepEqual(read({ id: 'r' }), [{ type: 'error', error: { type: 'invalid_response', message: 'The provider answered without any output.' } }]);
  });
  test('is read like its stream', () => {
    const wire = openAiResponses.encodeResponse(replay('responsesTools', [recording('responsesTools')]).events, meta);
    assert.deepEqual(openAiResponses.encodeResponse(openAiResponses.decodeResponse(wire, {}), meta), wire);
  });
  test('with figures that cannot be true says so', () => {
    assert.match(JSON.stringify(read({ output: [], usage: { input_tokens: 5, input_tokens_details: { cached_tokens: 9 }, output_tokens: 1 } })), /"contradictory":true/);
  });
  test('of xAI says what it cost', () => {
    assert.match(JSON.stringify(read({ output: [], usage: { input_tokens: 5, output_tokens: 1, cost_in_usd_ticks: 37_756_000 } })), /"reportedCostMicroUsd":3776/);
  });
});
