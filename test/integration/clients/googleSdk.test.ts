import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import type { Content, GenerateContentResponse, Tool } from '@google/genai';
import { isObject } from '../../../server/base/json.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { failureStatuses, picture, placeSchema, twoArguments, twoCalls, useFourProviders, weatherSchema } from '../support/fourProviders.ts';

const four = useFourProviders();
const tools: Tool[] = [{ functionDeclarations: [{ name: 'look_up', description: 'Weather.', parametersJsonSchema: weatherSchema }] }];

function google(): GoogleGenAI {
  return new GoogleGenAI({ apiKey: four.testRouter.token, httpOptions: { baseUrl: four.testRouter.url } });
}

/** What the client hands over piece by piece, put together as its users do. */
async function assembled(stream: AsyncGenerator<GenerateContentResponse>): Promise<{ pieces: string[]; parts: NonNullable<Content['parts']>; last: GenerateContentResponse | undefined }> {
  const pieces: string[] = [];
  const parts: NonNullable<Content['parts']> = [];
  let last: GenerateContentResponse | undefined;
  for await (const chunk of stream) {
    const said = chunk.candidates?.[0]?.content?.parts ?? [];
    parts.push(...said);
    pieces.push(...said.flatMap(part => (part.text !== undefined && part.text !== '' && part.thought !== true ? [part.text] : [])));
    last = chunk;
  }
  return { pieces, parts, last };
}

for (const target of sandboxProtocols) {
  const model = `${target}/m`;

  describe(`the Google client with a target that speaks ${target}`, () => {
    it('gets a plain answer with its usage and finish reason, from instructions and user words', async () => {
      const answer = await google().models.generateContent({ model, contents: 'hello there', config: { systemInstruction: 'Be brief.' } });
      assert.match(answer.text ?? '', /hello there/);
      assert.equal(answer.candidates?.[0]?.finishReason, 'STOP');
      const usage = answer.usageMetadata;
      assert.ok((usage?.promptTokenCount ?? 0) > 0);
      assert.equal(usage?.totalTokenCount, (usage?.promptTokenCount ?? 0) + (usage?.candidatesTokenCount ?? 0));
      assert.ok(JSON.stringify(four.lastBody(target)).includes('Be brief.'));
    });

    it('gets a stream word by word, with usage at its end', async () => {
      const { pieces, last } = await assembled(await google().models.generateContentStream({ model, contents: 'say 20 words' }));
      assert.equal(pieces.join('').split(' ').length, 20);
      assert.ok(pieces.length > 5);
      assert.equal(last?.candidates?.[0]?.finishReason, 'STOP');
      assert.equal(last?.usageMetadata?.candidatesTokenCount, 20);
      assert.equal((await four.lastReceipt()).cost.certainty, 'exact');
    });

    it('streams parallel calls and sends their results back in a chat', async () => {
      const asked: Content = { role: 'user', parts: [{ text: twoCalls }] };
      const { parts, last } = await assembled(await google().models.generateContentStream({ model, contents: [asked], config: { tools } }));
      const calls = parts.flatMap(part => (part.functionCall === undefined ? [] : [part.functionCall]));
      assert.deepEqual(calls.map(call => [call.name, call.args]), twoArguments.map(one => ['look_up', one]));
      assert.equal(last?.candidates?.[0]?.finishReason, 'STOP');
      const results = calls.map((call, index) => ({
        functionResponse: { ...(call.id === undefined ? {} : { id: call.id }), name: 'look_up', response: { output: index === 0 ? 'sunny in Rome' : 'rain in Oslo' } },
      }));
      const second = await google().models.generateContent({ model, contents: [asked, { role: 'model', parts }, { role: 'user', parts: results }], config: { tools } });
      assert.match(second.text ?? '', /sunny in Rome.*rain in Oslo/);
    });

    it('makes a single forced call, and none when none may be made', async () => {
      const forced = await google().models.generateContent({
        model, contents: 'whatever', config: { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['look_up'] } } },
      });
      assert.equal(forced.functionCalls?.length, 1);
      assert.ok(isObject(forced.functionCalls[0]?.args));
      const none = await google().models.generateContent({ model, contents: twoCalls, config: { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.NONE } } } });
      assert.equal(none.functionCalls, undefined);
    });

    it('sends an image', async () => {
      const answer = await google().models.generateContent({ model, contents: [{ role: 'user', parts: [{ text: 'what is this' }, { inlineData: { mimeType: 'image/png', data: picture } }] }] });
      assert.match(answer.text ?? '', /saw 1 image/);
      assert.ok(JSON.stringify(four.lastBody(target)).includes(picture));
    });

    it('gets an answer that fits a JSON schema', async () => {
      const answer = await google().models.generateContent({ model, contents: 'where', config: { responseMimeType: 'application/json', responseJsonSchema: placeSchema } });
      assert.equal(typeof (JSON.parse(answer.text ?? '') as { place?: unknown }).place, 'string');
    });

    it('reads thoughts, and may send them back with a tool result', async () => {
      const asked: Content = { role: 'user', parts: [{ text: 'call tool look_up {"place":"Rome"}' }] };
      const config = { tools, thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 }, maxOutputTokens: 4000 };
      four.provider(target).script({ type: 'reject-foreign-thinking' });
      const { parts, last } = await assembled(await google().models.generateContentStream({ model, contents: [asked], config }));
      assert.match(parts.filter(part => part.thought === true).map(part => part.text).join(''), /answers directly/);
      assert.ok((last?.usageMetadata?.thoughtsTokenCount ?? 0) > 0);
      const call = parts.find(part => part.functionCall !== undefined)?.functionCall;
      assert.ok(call !== undefined);
      const result = { functionResponse: { ...(call.id === undefined ? {} : { id: call.id }), name: 'look_up', response: { output: 'sunny' } } };
      const second = await google().models.generateContent({ model, contents: [asked, { role: 'model', parts }, { role: 'user', parts: [result] }], config });
      assert.match(second.text ?? '', /sunny/);
    });

    it('learns why an answer stopped: at the limit, at a stop sequence', async () => {
      const limited = await google().models.generateContent({ model, contents: 'say 50 words', config: { maxOutputTokens: 5 } });
      assert.equal(limited.candidates?.[0]?.finishReason, 'MAX_TOKENS');
      const stopped = await google().models.generateContent({ model, contents: 'say 50 words', config: { stopSequences: ['word7'] } });
      assert.equal(stopped.candidates?.[0]?.finishReason, 'STOP');
      assert.ok((stopped.text ?? '').includes('word6') && !(stopped.text ?? '').includes('word7'));
    });

    it('counts tokens', async () => {
      const counted = await google().models.countTokens({ model, contents: 'say 20 words' });
      assert.ok((counted.totalTokens ?? 0) > 0);
    });

    for (const [kind, status] of failureStatuses) {
      it(`throws ${status} for a provider's ${kind}`, () => four.failing(target, kind, async () => {
        const error = await google().models.generateContent({ model, contents: 'hi' }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof ApiError, String(error));
        assert.equal(error.status, status);
        assert.ok(error.message.length > 20 && !error.message.includes('undefined'), error.message);
      }));
    }

    it('throws in the middle of a stream that breaks', async () => {
      four.provider(target).script({ type: 'cut', after: 3, how: 'close' });
      let words = 0;
      await assert.rejects(async () => {
        for await (const chunk of await google().models.generateContentStream({ model, contents: 'say 30 words' })) if (chunk.text) words += 1;
      });
      assert.ok(words > 0);
    });

    it('stops the provider when it stops reading', async () => {
      four.provider(target).script({ type: 'stall', after: 3 });
      const already = four.provider(target).requests.length;
      const stop = new AbortController();
      await assert.rejects(async () => {
        for await (const chunk of await google().models.generateContentStream({ model, contents: 'say 30 words', config: { abortSignal: stop.signal } })) if (chunk.text) stop.abort();
      });
      await four.sawCancellation(target, already);
      assert.equal((await four.lastReceipt()).outcome, 'cancelled');
    });
  });
}

describe('the Google client', () => {
  it('lists the routes and models in its own shape', async () => {
    const names: (string | undefined)[] = [];
    for await (const one of await google().models.list()) names.push(one.name);
    assert.deepEqual(names, ['models/auto', 'models/m']);
  });
});
