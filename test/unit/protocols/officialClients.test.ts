import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import type { ProtocolCodec } from '../../../server/protocols/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { meta, recording, recordings, replay } from './replay.ts';

/** Every answer a provider gave in the recordings that ended well, read into events. */
const answers = recordings
  .map((name) => ({ name, ...replay(name, [recording(name)]) }))
  .filter((answer) => answer.terminated);

const interleaved: ConversationEvent[] = replay('chatTools', [recording('chatTools')]).events;

function streamed(codec: ProtocolCodec, events: readonly ConversationEvent[]): string {
  const encoder = codec.createStreamEncoder(meta);
  return codec.keepAlive + events.map((event) => encoder.encode(event) + codec.keepAlive).join('') + encoder.end();
}

function respond(body: string, status: number, headers: Record<string, string>): typeof fetch {
  return async () => new Response(body, { status, headers });
}

function openAiClient(fetching: typeof fetch): OpenAI {
  return new OpenAI({ apiKey: 'local', baseURL: 'http://127.0.0.1:9/v1', fetch: fetching, maxRetries: 0 });
}

function anthropicClient(fetching: typeof fetch): Anthropic {
  return new Anthropic({ apiKey: 'local', baseURL: 'http://127.0.0.1:9', fetch: fetching, maxRetries: 0 });
}

const eventStream = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };
const ask = [{ role: 'user' as const, content: 'hi' }];

describe('the official OpenAI client', () => {
  for (const { name, events } of answers) {
    test(`assembles ${name} from the stream into what the plain answer says`, async () => {
      const client = openAiClient(respond(streamed(openAiChat, events), 200, eventStream));
      const completion = await client.chat.completions.stream({ model: 'auto', messages: ask, stream_options: { include_usage: true } }).finalChatCompletion();
      const plain = await openAiClient(respond(JSON.stringify(openAiChat.encodeResponse(events, meta)), 200, json))
        .chat.completions.create({ model: 'auto', messages: ask });
      assert.equal(completion.choices[0]?.finish_reason, plain.choices[0]?.finish_reason);
      assert.equal(completion.choices[0]?.message.content ?? '', plain.choices[0]?.message.content ?? '');
      assert.deepEqual(completion.usage ?? undefined, plain.usage);
      const calls = (of: OpenAI.ChatCompletion): unknown[] => (of.choices[0]?.message.tool_calls ?? [])
        .map((call) => (call.type === 'function' ? [call.id, call.function.name, JSON.parse(call.function.arguments) as unknown] : []));
      // A call that a limit cut off is visible in a stream as it comes; a plain answer never contains it.
      if (plain.choices[0]?.finish_reason !== 'length') assert.deepEqual(calls(completion), calls(plain));
    });
  }

  test('sees each of several interleaved calls whole, and {} for a call without arguments', async () => {
    const client = openAiClient(respond(streamed(openAiChat, interleaved), 200, eventStream));
    const completion = await client.chat.completions.stream({ model: 'auto', messages: ask }).finalChatCompletion();
    assert.deepEqual(
      completion.choices[0]?.message.tool_calls?.map((call) => (call.type === 'function' ? [call.id, call.function.name, call.function.arguments] : [])),
      [['call_a', 'read', '{"path":"a.ts"}'], ['call_b', 'list', '{"dir":"src"}'], ['call_c', 'now', '{}']],
    );
  });

  test('throws on an error in the stream', async () => {
    const encoder = openAiChat.createStreamEncoder(meta);
    const body = encoder.encode({ type: 'text', text: 'Half' }) + openAiChat.encodeStreamError({ failureClass: 'server', message: 'It broke.' });
    const stream = await openAiClient(respond(body, 200, eventStream)).chat.completions.create({ model: 'auto', messages: ask, stream: true });
    await assert.rejects(async () => {
      for await (const chunk of stream) assert.ok(chunk.choices.length <= 1);
    }, (error) => error instanceof OpenAI.APIError && error.message.includes('It broke.'));
  });

  test('gets the right class of error, and asks again only where that can help', async () => {
    const cases = [
      { failureClass: 'context-overflow', kind: OpenAI.BadRequestError, requests: 1 },
      { failureClass: 'auth', kind: OpenAI.InternalServerError, requests: 1 },
      { failureClass: 'quota', kind: OpenAI.RateLimitError, requests: 1 },
      { failureClass: 'model-not-found', kind: OpenAI.NotFoundError, requests: 1 },
      { failureClass: 'overloaded', kind: OpenAI.InternalServerError, requests: 2 },
    ] as const;
    for (const { failureClass, kind, requests } of cases) {
      const { status, headers, body } = openAiChat.encodeError({ failureClass, message: 'No.', retryAfterMs: 1 });
      let seen = 0;
      const client = openAiClient(async () => {
        seen += 1;
        return new Response(JSON.stringify(body), { status, headers: { ...json, ...headers } });
      });
      await assert.rejects(client.chat.completions.create({ model: 'auto', messages: ask }, { maxRetries: 1 }), kind);
      assert.equal(seen, requests, failureClass);
    }
  });
});

describe('the official Anthropic client', () => {
  for (const { name, events } of answers) {
    test(`assembles ${name} from the stream into what the plain answer says`, async () => {
      const client = anthropicClient(respond(streamed(anthropicMessages, events), 200, eventStream));
      const message = await client.messages.stream({ model: 'auto', max_tokens: 10, messages: ask }).finalMessage();
      const plain = await anthropicClient(respond(JSON.stringify(anthropicMessages.encodeResponse(events, meta)), 200, json))
        .messages.create({ model: 'auto', max_tokens: 10, messages: ask });
      assert.equal(message.stop_reason, plain.stop_reason);
      if (plain.stop_reason !== 'max_tokens') assert.deepEqual(JSON.parse(JSON.stringify(message.content)), JSON.parse(JSON.stringify(plain.content)));
      assert.equal(message.usage.input_tokens, plain.usage.input_tokens);
      assert.equal(message.usage.output_tokens, plain.usage.output_tokens);
      assert.equal(message.usage.cache_read_input_tokens, plain.usage.cache_read_input_tokens);
    });
  }

  test('sees interleaved calls one block after the other', async () => {
    const client = anthropicClient(respond(streamed(anthropicMessages, interleaved), 200, eventStream));
    const stream = client.messages.stream({ model: 'auto', max_tokens: 10, messages: ask });
    let open: number | undefined;
    let next = 0;
    stream.on('streamEvent', (event) => {
      if (event.type === 'content_block_start') {
        assert.equal(open, undefined);
        assert.equal(event.index, next);
        open = event.index;
        next += 1;
      } else if (event.type === 'content_block_delta') assert.equal(event.index, open);
      else if (event.type === 'content_block_stop') {
        assert.equal(event.index, open);
        open = undefined;
      }
    });
    const message = await stream.finalMessage();
    assert.equal(message.stop_reason, 'tool_use');
    assert.deepEqual(
      message.content.map((block) => (block.type === 'tool_use' ? [block.id, block.name, block.input] : [])),
      [['call_a', 'read', { path: 'a.ts' }], ['call_b', 'list', { dir: 'src' }], ['call_c', 'now', {}]],
    );
  });

  test('keeps thinking and its signature', async () => {
    const { events } = replay('messagesThinkingTools', [recording('messagesThinkingTools')]);
    const client = anthropicClient(respond(streamed(anthropicMessages, events), 200, eventStream));
    const message = await client.messages.stream({ model: 'auto', max_tokens: 10, messages: ask }).finalMessage();
    assert.deepEqual(message.content.slice(0, 2), [
      { type: 'thinking', thinking: 'Let me see', signature: 'c2lnbmVk' },
      { type: 'redacted_thinking', data: 'b3BhcXVl' },
    ]);
  });

  test('throws on an error in the stream', async () => {
    const encoder = anthropicMessages.createStreamEncoder(meta);
    const body = encoder.encode({ type: 'text', text: 'Half' }) + anthropicMessages.encodeStreamError({ failureClass: 'overloaded', message: 'It broke.' });
    const stream = anthropicClient(respond(body, 200, eventStream)).messages.stream({ model: 'auto', max_tokens: 10, messages: ask });
    await assert.rejects(stream.finalMessage(), (error) => error instanceof Anthropic.APIError && error.type === 'overloaded_error');
  });

  test('gets the right class of error, and asks again only where that can help', async () => {
    const cases = [
      { failureClass: 'context-overflow', kind: Anthropic.BadRequestError, requests: 1 },
      { failureClass: 'auth', kind: Anthropic.InternalServerError, requests: 1 },
      { failureClass: 'rate-limit', kind: Anthropic.RateLimitError, requests: 2 },
      { failureClass: 'overloaded', kind: Anthropic.InternalServerError, requests: 2 },
    ] as const;
    for (const { failureClass, kind, requests } of cases) {
      const { status, headers, body } = anthropicMessages.encodeError({ failureClass, message: 'No.', retryAfterMs: 1 });
      let seen = 0;
      const client = anthropicClient(async () => {
        seen += 1;
        return new Response(JSON.stringify(body), { status, headers: { ...json, ...headers } });
      });
      await assert.rejects(client.messages.create({ model: 'auto', max_tokens: 1, messages: ask }, { maxRetries: 1 }), kind);
      assert.equal(seen, requests, failureClass);
    }
  });
});
