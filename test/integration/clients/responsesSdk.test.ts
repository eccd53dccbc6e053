import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import OpenAI from 'openai';
import { isObject } from '../../../server/base/json.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { failureStatuses, picture, placeSchema, twoArguments, twoCalls, useFourProviders, weatherSchema } from '../support/fourProviders.ts';

const four = useFourProviders();
const lookUp: OpenAI.Responses.FunctionTool = { type: 'function', name: 'look_up', description: 'Weather.', parameters: weatherSchema, strict: false };

function responses(): OpenAI.Responses {
  return new OpenAI({ baseURL: `${four.testRouter.url}/v1`, apiKey: four.testRouter.token, maxRetries: 0 }).responses;
}

function callsOf(response: OpenAI.Responses.Response): OpenAI.Responses.ResponseFunctionToolCall[] {
  return response.output.filter(item => item.type === 'function_call');
}

for (const target of sandboxProtocols) {
  const model = `${target}/m`;

  describe(`the openai client's Responses with a target that speaks ${target}`, () => {
    it('gets a plain answer with its usage, from instructions, developer and user words', async () => {
      const answer = await responses().create({ model, instructions: 'Be brief.', input: [{ role: 'developer', content: 'Be kind.' }, { role: 'user', content: 'hello there' }] });
      assert.match(answer.output_text, /hello there/);
      assert.equal(answer.status, 'completed');
      assert.ok((answer.usage?.input_tokens ?? 0) > 0);
      assert.equal(answer.usage?.total_tokens, (answer.usage?.input_tokens ?? 0) + (answer.usage?.output_tokens ?? 0));
      const sent = JSON.stringify(four.lastBody(target));
      assert.ok(sent.includes('Be brief.') && sent.includes('Be kind.'), sent);
    });

    it('gets a stream that the client itself assembles, word by word, with usage', async () => {
      const stream = responses().stream({ model, input: 'say 20 words' });
      const deltas: string[] = [];
      const types: string[] = [];
      stream.on('response.output_text.delta', event => deltas.push(event.delta));
      stream.on('event', event => types.push(event.type));
      const answer = await stream.finalResponse();
      assert.equal(answer.output_text.split(' ').length, 20);
      assert.equal(deltas.join(''), answer.output_text);
      assert.ok(deltas.length > 5);
      assert.equal(answer.usage?.output_tokens, 20);
      assert.deepEqual([types[0], types.at(-1)], ['response.created', 'response.completed']);
      assert.ok(types.includes('response.output_item.done'));
      assert.equal((await four.lastReceipt()).cost.certainty, 'exact');
    });

    it('streams parallel tool calls and sends their results back as the items it was given', async () => {
      const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: twoCalls }];
      const first = await responses().stream({ model, input, tools: [lookUp] }).finalResponse();
      const calls = callsOf(first);
      assert.deepEqual(calls.map(call => [call.name, JSON.parse(call.arguments) as unknown]), twoArguments.map(one => ['look_up', one]));
      assert.equal(new Set(calls.map(call => call.call_id)).size, 2);
      const second = await responses().create({
        model, tools: [lookUp],
        input: [...input, ...first.output.filter(item => item.type === 'function_call'), ...calls.map((call, index) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: index === 0 ? 'sunny in Rome' : 'rain in Oslo' }))],
      });
      assert.match(second.output_text, /sunny in Rome.*rain in Oslo/);
    });

    it('makes a single forced call, and none when none may be made', async () => {
      const forced = await responses().create({ model, input: 'whatever', tools: [lookUp], tool_choice: { type: 'function', name: 'look_up' } });
      assert.equal(callsOf(forced).length, 1);
      assert.ok(isObject(JSON.parse(callsOf(forced)[0]?.arguments ?? '')));
      const none = await responses().create({ model, input: twoCalls, tools: [lookUp], tool_choice: 'none' });
      assert.equal(callsOf(none).length, 0);
    });

    it('has its free-text tool called with free text, and its result understood', async () => {
      const patch = { type: 'custom' as const, name: 'apply_patch', description: 'Changes files.' };
      const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'call tool apply_patch {"input":"*** Begin Patch\\n+\\"x\\"\\n*** End Patch"}' }];
      const first = await responses().stream({ model, input, tools: [patch] }).finalResponse();
      const call = first.output.find(item => item.type === 'custom_tool_call');
      assert.equal(call?.input, '*** Begin Patch\n+"x"\n*** End Patch');
      const second = await responses().create({ model, tools: [patch], input: [...input, call, { type: 'custom_tool_call_output', call_id: call.call_id, output: 'patched' }] });
      assert.match(second.output_text, /patched/);
    });

    it('sends an image', async () => {
      const answer = await responses().create({
        model, input: [{ role: 'user', content: [{ type: 'input_text', text: 'what is this' }, { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${picture}` }] }],
      });
      assert.match(answer.output_text, /saw 1 image/);
      assert.ok(JSON.stringify(four.lastBody(target)).includes(picture));
    });

    it('gets an answer that fits a JSON schema', async () => {
      const answer = await responses().create({ model, input: 'where', text: { format: { type: 'json_schema', name: 'place', strict: true, schema: placeSchema } } });
      assert.equal(typeof (JSON.parse(answer.output_text) as { place?: unknown }).place, 'string');
    });

    it('reads reasoning, and may send all of the output back with a tool result', async () => {
      const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'call tool look_up {"place":"Rome"}' }];
      const common = { model, tools: [lookUp], reasoning: { effort: 'high' as const, summary: 'auto' as const }, store: false, include: ['reasoning.encrypted_content' as const] };
      four.provider(target).script({ type: 'reject-foreign-thinking' });
      const first = await responses().stream({ ...common, input }).finalResponse();
      const reasoning = first.output.find(item => item.type === 'reasoning');
      assert.match(reasoning?.summary.map(part => part.text).join('') ?? '', /answers directly/);
      assert.ok((first.usage?.output_tokens_details.reasoning_tokens ?? 0) > 0);
      const call = callsOf(first)[0];
      assert.ok(call !== undefined);
      const items = first.output.filter(item => item.type === 'reasoning' || item.type === 'function_call');
      const second = await responses().create({ ...common, input: [...input, ...items, { type: 'function_call_output', call_id: call.call_id, output: 'sunny' }] });
      assert.match(second.output_text, /sunny/);
    });

    it('learns that an answer stopped at the limit', async () => {
      const limited = await responses().create({ model, input: 'say 50 words', max_output_tokens: 16 });
      assert.deepEqual([limited.status, limited.incomplete_details?.reason], ['incomplete', 'max_output_tokens']);
    });

    for (const [kind, status] of failureStatuses) {
      it(`throws ${status} for a provider's ${kind}`, () => four.failing(target, kind, async () => {
        const error = await responses().create({ model, input: 'hi' }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof OpenAI.APIError, String(error));
        assert.equal(error.status, status);
        assert.ok(error.message.length > 20 && !error.message.includes('undefined'), error.message);
        if (kind === 'context-overflow') assert.equal(error.code, 'context_length_exceeded');
      }));
    }

    it('receives an error in the middle of a stream', async () => {
      four.provider(target).script({ type: 'error-in-stream', error: 'overloaded', after: 3 });
      const stream = await responses().create({ model, input: 'say 30 words', stream: true });
      let words = 0;
      let failed: string | undefined;
      // After the event the connection breaks, which this client throws as it comes.
      await assert.rejects(async () => {
        for await (const event of stream) {
          if (event.type === 'response.output_text.delta') words += 1;
          if (event.type === 'response.failed') failed = event.response.error?.code;
          assert.notEqual(event.type, 'response.completed');
        }
      });
      assert.ok(words > 0);
      assert.ok(failed !== undefined);
    });

    it('stops the provider when it stops reading', async () => {
      four.provider(target).script({ type: 'stall', after: 3 });
      const already = four.provider(target).requests.length;
      const stream = await responses().create({ model, input: 'say 30 words', stream: true });
      for await (const event of stream) if (event.type === 'response.output_text.delta') break;
      await four.sawCancellation(target, already);
      assert.equal((await four.lastReceipt()).outcome, 'cancelled');
    });

    if (target !== 'openai-responses') {
      it('gets a clear error for a stored response, which cannot be continued here', async () => {
        const error = await responses().create({ model, input: 'go on', previous_response_id: 'resp_1' }).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof OpenAI.APIError && error.status === 400, String(error));
        assert.match(error.message, /previous_response_id/);
      });
    }
  });
}
