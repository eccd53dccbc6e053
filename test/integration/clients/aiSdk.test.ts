import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import type { LanguageModel, ToolSet } from 'ai';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { failureStatuses, picture, placeSchema, twoArguments, twoCalls, useFourProviders, weatherSchema } from '../support/fourProviders.ts';

const four = useFourProviders();
type ProviderOptions = NonNullable<Parameters<typeof generateText>[0]['providerOptions']>;

interface Client {
  name: string;
  model: (name: string) => LanguageModel;
  /** What asks for reasoning that can be seen. */
  thinking: ProviderOptions | undefined;
  /** What every request carries: nothing is stored behind this client's back. */
  always?: ProviderOptions;
}

const key = (): { apiKey: string } => ({ apiKey: four.testRouter.token });
const clients: readonly Client[] = [
  { name: 'OpenAI provider (chat)', model: name => createOpenAI({ baseURL: `${four.testRouter.url}/v1`, ...key() }).chat(name), thinking: undefined },
  {
    name: 'OpenAI provider (responses)', model: name => createOpenAI({ baseURL: `${four.testRouter.url}/v1`, ...key() }).responses(name),
    thinking: { openai: { reasoningEffort: 'high', reasoningSummary: 'auto', forceReasoning: true, store: false } }, always: { openai: { store: false } },
  },
  {
    name: 'Anthropic provider', model: name => createAnthropic({ baseURL: `${four.testRouter.url}/v1`, ...key() })(name),
    thinking: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024, display: 'summarized' } } },
  },
  {
    name: 'Google provider', model: name => createGoogle({ baseURL: `${four.testRouter.url}/v1beta`, ...key() })(name),
    thinking: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 } } },
  },
];

/** Answers what the model asks for. */
function weather(asked: unknown[]): ToolSet {
  return {
    look_up: tool({
      description: 'Weather.', inputSchema: jsonSchema<{ place: string; day?: number }>(weatherSchema),
      execute: async (input: { place: string; day?: number }) => {
        asked.push(input);
        return input.place === 'Rome' ? 'sunny in Rome' : 'rain in Oslo';
      },
    }),
  };
}

/** The client with its default settings: it expects that its answers are stored, and sends references to them. Only the provider that stored an answer knows them. */
const storing: Client = { name: 'OpenAI provider (responses, as it comes)', model: name => createOpenAI({ baseURL: `${four.testRouter.url}/v1`, ...key() }).responses(name), thinking: undefined };
const pairs = [
  ...clients.flatMap(client => sandboxProtocols.map(target => ({ client, target }))),
  ...sandboxProtocols.filter(target => target !== 'openai-responses').map(target => ({ client: storing, target })),
];

for (const { client, target } of pairs) {
  const common = (): { model: LanguageModel; maxRetries: number; providerOptions?: ProviderOptions } => ({
    model: client.model(`${target}/m`), maxRetries: 0, ...(client.always === undefined ? {} : { providerOptions: client.always }),
  });

  describe(`the ai package's ${client.name} with a target that speaks ${target}`, () => {
    it('gets a plain answer with its usage and finish reason, from instructions and user words', async () => {
      const { text, finishReason, usage } = await generateText({ ...common(), instructions: 'Be brief.', prompt: 'hello there' });
      assert.match(text, /hello there/);
      assert.equal(finishReason, 'stop');
      assert.ok((usage.inputTokens ?? 0) > 0 && (usage.outputTokens ?? 0) > 0);
      assert.ok(JSON.stringify(four.lastBody(target)).includes('Be brief.'));
    });

    it('gets a stream word by word, with usage', async () => {
      const result = streamText({ ...common(), prompt: 'say 20 words' });
      const pieces: string[] = [];
      for await (const piece of result.textStream) pieces.push(piece);
      assert.equal(pieces.join('').split(' ').length, 20);
      assert.ok(pieces.length > 5);
      assert.equal((await result.usage).outputTokens, 20);
      assert.equal(await result.finishReason, 'stop');
    });

    it('runs parallel tool calls and goes on with their results by itself, streamed and plain', async () => {
      const streamed: unknown[] = [];
      const result = streamText({ ...common(), prompt: twoCalls, tools: weather(streamed), stopWhen: stepCountIs(3) });
      for await (const _ of result.textStream);
      assert.deepEqual(streamed, twoArguments);
      assert.match(await result.text, /sunny in Rome.*rain in Oslo/);
      const plain: unknown[] = [];
      const { text, steps } = await generateText({ ...common(), prompt: twoCalls, tools: weather(plain), stopWhen: stepCountIs(3) });
      assert.deepEqual(plain, twoArguments);
      assert.match(text, /sunny in Rome.*rain in Oslo/);
      assert.deepEqual(steps.map(step => step.finishReason), ['tool-calls', 'stop']);
    });

    it('makes a single forced tool call', async () => {
      const asked: unknown[] = [];
      const { toolCalls } = await generateText({ ...common(), prompt: 'whatever', tools: weather(asked), toolChoice: { type: 'tool', toolName: 'look_up' } });
      assert.equal(toolCalls.length, 1);
      assert.equal(asked.length, 1);
    });

    it('sends an image', async () => {
      const { text } = await generateText({ ...common(), messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this' }, { type: 'image', image: picture, mediaType: 'image/png' }] }] });
      assert.match(text, /saw 1 image/);
    });

    it('gets an answer that fits a JSON schema', async () => {
      const { output } = await generateText({ ...common(), prompt: 'where', output: Output.object({ schema: jsonSchema<{ place: string }>(placeSchema) }) });
      assert.equal(typeof output.place, 'string');
    });

    if (client.thinking !== undefined) {
      it('reads reasoning, and sends it back with tool results by itself', async () => {
        four.provider(target).script({ type: 'reject-foreign-thinking' });
        const asked: unknown[] = [];
        const result = streamText({
          ...common(), maxOutputTokens: 4000, prompt: 'call tool look_up {"place":"Rome"}', tools: weather(asked), stopWhen: stepCountIs(3),
          ...(client.thinking === undefined ? {} : { providerOptions: client.thinking }),
        });
        for await (const _ of result.textStream);
        const [first] = await result.steps;
        // Responses shows its reasoning only to who asks to see it, for which this provider has no word.
        if (!(client.name === 'Anthropic provider' && target === 'openai-responses')) assert.match(first?.reasoningText ?? '', /answers directly/);
        assert.match(await result.text, /sunny/);
      });
    }

    it('learns that an answer stopped at the limit', async () => {
      const { finishReason } = await generateText({ ...common(), prompt: 'say 50 words', maxOutputTokens: 16 });
      assert.equal(finishReason, 'length');
    });

    for (const [kind, status] of failureStatuses) {
      it(`throws ${status} for a provider's ${kind}`, () => four.failing(target, kind, async () => {
        const error = await generateText({ ...common(), prompt: 'hi' }).catch((thrown: unknown) => thrown);
        assert.ok(APICallError.isInstance(error), String(error));
        assert.equal(error.statusCode, status);
        assert.equal(error.isRetryable, status === 429);
        assert.ok(error.message !== '' && !error.message.includes('undefined'), error.message);
      }));
    }

    it('throws in the middle of a stream that breaks', async () => {
      four.provider(target).script({ type: 'cut', after: 3, how: 'close' });
      let words = 0;
      let failed: unknown;
      const result = streamText({ ...common(), prompt: 'say 30 words', onError: ({ error }) => { failed = error; } });
      await (async () => {
        for await (const part of result.fullStream) {
          if (part.type === 'text-delta') words += 1;
          if (part.type === 'error') failed = part.error;
        }
      })().catch((error: unknown) => { failed = error; });
      await four.forget();
      assert.ok(words > 0);
      assert.ok(failed !== undefined);
    });

    it('stops the provider when its caller aborts the call', async () => {
      four.provider(target).script({ type: 'stall', after: 3 });
      const already = four.provider(target).requests.length;
      const stop = new AbortController();
      const result = streamText({ ...common(), prompt: 'say 30 words', abortSignal: stop.signal });
      for await (const part of result.fullStream) if (part.type === 'text-delta') stop.abort();
      await four.sawCancellation(target, already);
      assert.equal((await four.lastReceipt()).outcome, 'cancelled');
    });
  });
}
