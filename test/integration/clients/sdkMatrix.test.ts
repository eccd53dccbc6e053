import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { isObject } from '../../../server/base/json.ts';
import type { SandboxErrorKind } from '../../../server/sandbox/sandboxBehaviour.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { picture, twoCalls, useFourProviders, weatherSchema } from '../support/fourProviders.ts';

const targets = sandboxProtocols;
const four = useFourProviders();
const lastReceipt = (): ReturnType<typeof four.lastReceipt> => four.lastReceipt();

function openai(options: { token?: string } = {}): OpenAI {
  return new OpenAI({ baseURL: `${four.testRouter.url}/v1`, apiKey: options.token ?? four.testRouter.token, maxRetries: 0 });
}

function anthropic(options: { token?: string } = {}): Anthropic {
  return new Anthropic({ baseURL: four.testRouter.url, apiKey: options.token ?? four.testRouter.token, maxRetries: 0 });
}

for (const target of targets) {
  const model = `${target}/m`;

  describe(`the openai client with a target that speaks ${target}`, () => {
    it('gets a plain answer with its usage and stop reason, from system, developer and user words', async () => {
      const answer = await openai().chat.completions.create({
        model, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'developer', content: 'Be kind.' }, { role: 'user', content: 'hello there' }],
      });
      const choice = answer.choices[0];
      assert.match(choice?.message.content ?? '', /hello there/);
      assert.equal(choice?.finish_reason, 'stop');
      assert.ok((answer.usage?.prompt_tokens ?? 0) > 0 && (answer.usage?.completion_tokens ?? 0) > 0);
      assert.equal(answer.usage?.total_tokens, (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0));
      const sent = JSON.stringify(four.lastBody(target));
      assert.ok(sent.includes('Be brief.') && sent.includes('Be kind.'), sent);
    });

    it('gets a stream word by word, with a usage chunk when it asked for one', async () => {
      const stream = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 20 words' }], stream: true, stream_options: { include_usage: true } });
      let text = '';
      let pieces = 0;
      let usage: OpenAI.CompletionUsage | undefined;
      let finish: string | null | undefined;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        pieces += chunk.choices[0]?.delta.content ? 1 : 0;
        finish = chunk.choices[0]?.finish_reason ?? finish;
        usage = chunk.usage ?? usage;
      }
      assert.equal(text.trim().split(' ').length, 20);
      assert.ok(pieces > 5, `${pieces} pieces`);
      assert.equal(finish, 'stop');
      assert.equal(usage?.completion_tokens, 20);
    });

    it('gets no usage chunk it did not ask for, while the ledger has the usage', async () => {
      const stream = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 12 words' }], stream: true });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      assert.ok(chunks.every(chunk => chunk.usage === undefined || chunk.usage === null));
      assert.ok(chunks.every(chunk => chunk.choices.length === 1), 'a chunk without choices came through');
      const receipt = await lastReceipt();
      assert.equal(receipt.usage.outputTokens, 12);
      assert.equal(receipt.cost.certainty, 'exact');
    });

    it('streams parallel tool calls piece by piece and sends their results back', async () => {
      const tools: OpenAI.ChatCompletionTool[] = [{ type: 'function', function: { name: 'look_up', description: 'Weather.', parameters: weatherSchema } }];
      const asked: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: twoCalls }];
      const first = await openai().chat.completions.stream({ model, messages: asked, tools }).finalChatCompletion();
      const message = first.choices[0]?.message;
      assert.equal(first.choices[0]?.finish_reason, 'tool_calls');
      const calls = (message?.tool_calls ?? []).filter(call => call.type === 'function');
      assert.deepEqual(calls.map(call => [call.function.name, JSON.parse(call.function.arguments) as unknown]), [
        ['look_up', { place: 'Rome', day: 3 }], ['look_up', { place: 'Oslo on the fjord, in the rain', day: 4 }],
      ]);
      assert.equal(new Set(calls.map(call => call.id)).size, 2);
      const second = await openai().chat.completions.create({
        model, tools,
        messages: [...asked, { role: 'assistant', content: null, tool_calls: calls.map(({ id, type, function: called }) => ({ id, type, function: { name: called.name, arguments: called.arguments } })) },
          ...calls.map((call, index) => ({ role: 'tool' as const, tool_call_id: call.id, content: index === 0 ? 'sunny in Rome' : 'rain in Oslo' }))],
      });
      assert.match(second.choices[0]?.message.content ?? '', /sunny in Rome.*rain in Oslo/);
      assert.equal(second.choices[0]?.finish_reason, 'stop');
    });

    it('makes a single forced tool call in a plain answer', async () => {
      const answer = await openai().chat.completions.create({
        model, messages: [{ role: 'user', content: 'whatever' }], tools: [{ type: 'function', function: { name: 'look_up', parameters: weatherSchema } }],
        tool_choice: { type: 'function', function: { name: 'look_up' } },
      });
      const calls = answer.choices[0]?.message.tool_calls ?? [];
      assert.equal(calls.length, 1);
      assert.ok(calls[0]?.type === 'function' && isObject(JSON.parse(calls[0].function.arguments)));
      assert.equal(answer.choices[0]?.finish_reason, 'tool_calls');
    });

    it('sends an image', async () => {
      const answer = await openai().chat.completions.create({
        model, messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } }] }],
      });
      assert.match(answer.choices[0]?.message.content ?? '', /saw 1 image/);
      assert.ok(JSON.stringify(four.lastBody(target)).includes(picture));
    });

    it('gets an answer that fits a JSON schema', async () => {
      const answer = await openai().chat.completions.create({
        model, messages: [{ role: 'user', content: 'where' }],
        response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema: { ...weatherSchema, additionalProperties: false } } },
      });
      const value = JSON.parse(answer.choices[0]?.message.content ?? '') as { place?: unknown };
      assert.equal(typeof value.place, 'string');
    });

    it('reads reasoning where the target gives some', async () => {
      const stream = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'think about it' }], reasoning_effort: 'high', stream: true, max_completion_tokens: 4000 });
      let reasoning = '';
      let text = '';
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta as { reasoning_content?: string; content?: string | null } | undefined;
        reasoning += delta?.reasoning_content ?? '';
        text += delta?.content ?? '';
      }
      // Responses shows reasoning only when asked, for which a chat caller has no word.
      if (target !== 'openai-responses') assert.match(reasoning, /answers directly/);
      assert.match(text, /think about it/);
      assert.ok(((await lastReceipt()).usage.reasoningTokens ?? 0) > 0);
    });

    it('learns why an answer stopped: at the limit, at a stop sequence', async () => {
      const limited = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 50 words' }], max_completion_tokens: 5 });
      assert.equal(limited.choices[0]?.finish_reason, 'length');
      const stopped = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 50 words' }], stop: ['word7'] });
      assert.equal(stopped.choices[0]?.finish_reason, 'stop');
      assert.ok(!(stopped.choices[0]?.message.content ?? '').includes('word7'));
    });

    const classes: readonly [SandboxErrorKind, new (...args: never[]) => Error, number][] = [
      ['bad-request', OpenAI.BadRequestError, 400], ['context-overflow', OpenAI.BadRequestError, 400], ['content-policy', OpenAI.BadRequestError, 400],
      ['model-not-found', OpenAI.NotFoundError, 404], ['rate-limit', OpenAI.RateLimitError, 429], ['quota', OpenAI.RateLimitError, 429],
      ['auth', OpenAI.InternalServerError, 502], ['server', OpenAI.InternalServerError, 503], ['overloaded', OpenAI.InternalServerError, 503],
    ];
    for (const [kind, expected, status] of classes) {
      it(`throws ${expected.name} for a provider's ${kind}`, async () => {
        four.provider(target).script({ type: 'error', error: kind, retryAfter: { form: 'seconds', ms: 60_000 } });
                const error = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof OpenAI.APIError && error instanceof expected, String(error));
        assert.equal(error.status, status);
        assert.ok(error.message.length > 20 && !error.message.includes('undefined'), error.message);
        if (kind === 'context-overflow') assert.equal(error.code, 'context_length_exceeded');
        if (kind === 'quota') assert.equal(error.code, 'insufficient_quota');
        await four.forget();
      });
    }

    it('throws in the middle of a stream that breaks', async () => {
      four.provider(target).script({ type: 'cut', after: 3, how: 'close' });
      const stream = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 30 words' }], stream: true });
      let words = 0;
      await assert.rejects(async () => {
        for await (const chunk of stream) if (chunk.choices[0]?.delta.content) words += 1;
      }, OpenAI.APIError);
      assert.ok(words > 0);
    });

    it('stops the provider when it stops reading', async () => {
      four.provider(target).script({ type: 'stall', after: 3 });
      const already = four.provider(target).requests.length;
      const stream = await openai().chat.completions.create({ model, messages: [{ role: 'user', content: 'say 30 words' }], stream: true });
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      await four.provider(target).waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
      const receipt = await lastReceipt();
      assert.equal(receipt.outcome, 'cancelled');
      assert.ok((receipt.usage.outputTokens ?? 0) > 0);
    });
  });

  describe(`the anthropic client with a target that speaks ${target}`, () => {
    it('gets a plain answer with its usage and stop reason, from system and user words', async () => {
      const answer = await anthropic().messages.create({ model, max_tokens: 500, system: 'Be brief.', messages: [{ role: 'user', content: 'hello there' }] });
      assert.match(answer.content[0]?.type === 'text' ? answer.content[0].text : '', /hello there/);
      assert.equal(answer.stop_reason, 'end_turn');
      assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
      assert.ok(JSON.stringify(four.lastBody(target)).includes('Be brief.'));
    });

    it('gets a stream that the client itself assembles, with usage', async () => {
      const deltas: string[] = [];
      const answer = await anthropic().messages.stream({ model, max_tokens: 500, messages: [{ role: 'user', content: 'say 20 words' }] })
        .on('text', delta => deltas.push(delta)).finalMessage();
      assert.equal(deltas.join('').trim().split(' ').length, 20);
      assert.ok(deltas.length > 5);
      assert.equal(answer.stop_reason, 'end_turn');
      assert.equal(answer.usage.output_tokens, 20);
      const receipt = await lastReceipt();
      assert.equal(receipt.usage.outputTokens, 20);
      assert.equal(receipt.cost.certainty, 'exact');
    });

    it('streams parallel tool calls piece by piece and sends their results back', async () => {
      const tools: Anthropic.Tool[] = [{ name: 'look_up', description: 'Weather.', input_schema: weatherSchema }];
      const first = await anthropic().messages.stream({ model, max_tokens: 500, tools, messages: [{ role: 'user', content: twoCalls }] }).finalMessage();
      assert.equal(first.stop_reason, 'tool_use');
      const calls = first.content.filter(block => block.type === 'tool_use');
      assert.deepEqual(calls.map(call => [call.name, call.input]), [['look_up', { place: 'Rome', day: 3 }], ['look_up', { place: 'Oslo on the fjord, in the rain', day: 4 }]]);
      const second = await anthropic().messages.create({
        model, max_tokens: 500, tools,
        messages: [
          { role: 'user', content: twoCalls }, { role: 'assistant', content: first.content },
          { role: 'user', content: calls.map((call, index) => ({ type: 'tool_result', tool_use_id: call.id, content: index === 0 ? 'sunny in Rome' : [{ type: 'text', text: 'rain in Oslo' }] })) },
        ],
      });
      assert.match(second.content[0]?.type === 'text' ? second.content[0].text : '', /sunny in Rome.*rain in Oslo/);
    });

    it('makes a single forced tool call in a plain answer', async () => {
      const answer = await anthropic().messages.create({
        model, max_tokens: 500, tools: [{ name: 'look_up', input_schema: weatherSchema }], tool_choice: { type: 'tool', name: 'look_up', disable_parallel_tool_use: true },
        messages: [{ role: 'user', content: 'whatever' }],
      });
      const calls = answer.content.filter(block => block.type === 'tool_use');
      assert.equal(calls.length, 1);
      assert.ok(isObject(calls[0]?.input));
      assert.equal(answer.stop_reason, 'tool_use');
    });

    it('sends an image', async () => {
      const answer = await anthropic().messages.create({
        model, max_tokens: 500,
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } }, { type: 'text', text: 'what is this' }] }],
      });
      assert.match(answer.content[0]?.type === 'text' ? answer.content[0].text : '', /saw 1 image/);
      assert.ok(JSON.stringify(four.lastBody(target)).includes(picture));
    });

    it('reads thinking, and may send it back with a tool result', async () => {
      const asked: Anthropic.MessageParam[] = [{ role: 'user', content: 'call tool look_up {"place":"Rome"}' }];
      const common = { model, max_tokens: 4000, thinking: { type: 'enabled' as const, budget_tokens: 1024, display: 'summarized' as const }, tools: [{ name: 'look_up', input_schema: weatherSchema }] };
      const first = await anthropic().messages.stream({ ...common, messages: asked }).finalMessage();
      const thinking = first.content.find(block => block.type === 'thinking');
      assert.match(thinking?.thinking ?? '', /answers directly/);
      const call = first.content.find(block => block.type === 'tool_use');
      assert.ok(call !== undefined);
      const second = await anthropic().messages.create({
        ...common, messages: [...asked, { role: 'assistant', content: first.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] }],
      });
      assert.ok(second.content.some(block => block.type === 'text' && block.text.includes('sunny')));
    });

    it('gets an answer that fits a JSON schema', async () => {
      const answer = await anthropic().messages.create({
        model, max_tokens: 500, messages: [{ role: 'user', content: 'where' }],
        output_config: { format: { type: 'json_schema', schema: { ...weatherSchema, additionalProperties: false } } },
      });
      const value = JSON.parse(answer.content[0]?.type === 'text' ? answer.content[0].text : '') as { place?: unknown };
      assert.equal(typeof value.place, 'string');
    });

    it('learns why an answer stopped: at the limit, at a stop sequence', async () => {
      const limited = await anthropic().messages.create({ model, max_tokens: 5, messages: [{ role: 'user', content: 'say 50 words' }] });
      assert.equal(limited.stop_reason, 'max_tokens');
      const stopped = await anthropic().messages.create({ model, max_tokens: 500, stop_sequences: ['word7'], messages: [{ role: 'user', content: 'say 50 words' }] });
      // Chat and Gemini do not say that it was a stop sequence; Responses has none, so Waybill stops the answer itself.
      assert.equal(stopped.stop_reason, target === 'anthropic-messages' || target === 'openai-responses' ? 'stop_sequence' : 'end_turn');
      assert.ok(!JSON.stringify(stopped.content).includes('word7'));
    });

    const classes: readonly [SandboxErrorKind, new (...args: never[]) => Error, number][] = [
      ['bad-request', Anthropic.BadRequestError, 400], ['context-overflow', Anthropic.BadRequestError, 400], ['content-policy', Anthropic.BadRequestError, 400],
      ['model-not-found', Anthropic.NotFoundError, 404], ['rate-limit', Anthropic.RateLimitError, 429], ['quota', Anthropic.APIError, 402],
      ['auth', Anthropic.InternalServerError, 502], ['server', Anthropic.InternalServerError, 503], ['overloaded', Anthropic.InternalServerError, 529],
    ];
    for (const [kind, expected, status] of classes) {
      it(`throws ${expected.name} for a provider's ${kind}`, async () => {
        four.provider(target).script({ type: 'error', error: kind, retryAfter: { form: 'seconds', ms: 60_000 } });
                const error = await anthropic().messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof Anthropic.APIError && error instanceof expected, String(error));
        assert.equal(error.status, status);
        if (kind === 'context-overflow') assert.match(error.message, /prompt is too long/);
        await four.forget();
      });
    }

    it('throws in the middle of a stream that breaks', async () => {
      four.provider(target).script({ type: 'cut', after: 3, how: 'close' });
      const stream = anthropic().messages.stream({ model, max_tokens: 500, messages: [{ role: 'user', content: 'say 30 words' }] });
      let words = 0;
      stream.on('text', () => (words += 1));
      await assert.rejects(stream.finalMessage(), Anthropic.APIError);
      assert.ok(words > 0);
    });

    it('stops the provider when it stops reading', async () => {
      four.provider(target).script({ type: 'stall', after: 3 });
      const already = four.provider(target).requests.length;
      const stream = anthropic().messages.stream({ model, max_tokens: 500, messages: [{ role: 'user', content: 'say 30 words' }] });
      stream.on('text', () => stream.abort());
      await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
      await four.provider(target).waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
      assert.equal((await lastReceipt()).outcome, 'cancelled');
    });
  });
}

describe('both clients', () => {
  it('list the routes and models', async () => {
    const ids: string[] = [];
    for await (const one of openai().models.list()) ids.push(one.id);
    assert.deepEqual(ids, ['auto', 'm']);
    const names: string[] = [];
    for await (const one of anthropic().models.list()) names.push(one.id);
    assert.deepEqual(names, ['auto', 'm']);
    assert.equal((await openai().models.retrieve('auto')).id, 'auto');
    assert.equal((await anthropic().models.retrieve('m')).id, 'm');
  });

  it('throw an authentication error for a wrong token, and the sentence names the token and no provider', async () => {
    const chat = await openai({ token: 'wrong' }).chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
    assert.ok(chat instanceof OpenAI.AuthenticationError);
    assert.match(chat.message, /token/);
    const messages = await anthropic({ token: 'wrong' }).messages.create({ model: 'auto', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
    assert.ok(messages instanceof Anthropic.AuthenticationError);
    assert.match(messages.message, /token/);
  });

  it('throw a not-found error for a name that means nothing, with the nearest names', async () => {
    const chat = await openai().chat.completions.create({ model: 'autoo', messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
    assert.ok(chat instanceof OpenAI.NotFoundError);
    assert.match(chat.message, /did you mean "auto"/);
    const messages = await anthropic().messages.create({ model: 'autoo', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }).catch((thrown: unknown) => thrown);
    assert.ok(messages instanceof Anthropic.NotFoundError);
  });

  it('fail over to the other protocol without an error, and keep fields that Waybill does not know', async () => {
    await four.forget();
    for (const target of ['openai-chat', 'openai-responses'] as const) four.provider(target).script({ type: 'error', error: 'server' });
    const answer = await openai().chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'over you go' }] });
    assert.match(answer.choices[0]?.message.content ?? '', /anthropic-messages answers/);
    four.provider('openai-chat').script({ type: 'answer' });
    const unknown = { model: 'openai-chat/m', messages: [{ role: 'user' as const, content: 'hi' }], brand_new_field: { deep: [1, 2.50, null] } };
    await openai().chat.completions.create(unknown);
    // The simulated provider does not know the field either: it gets it, refuses it, and answers without it.
    const bodies = four.provider('openai-chat').requests.slice(-2).map(({ body }) => (body as Record<string, unknown>)['brand_new_field']);
    assert.deepEqual(bodies, [{ deep: [1, 2.5, null] }, undefined]);
    assert.equal(four.lastBody('openai-chat')['model'], 'm');
  });
});
