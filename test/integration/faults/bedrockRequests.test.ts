import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { protocolNames, type ContentPart, type ConversationRequest, type Message } from '../../../server/api/conversation.ts';
import { answerText, startBedrock, type BedrockSimulator } from '../support/bedrock/simulator.ts';
import { bodyOf, headersOf, pathOf, readCallerAnswer } from '../support/codecCaller.ts';
import { rawRequest } from '../support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const models = ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-pro-v1:0', 'openai.gpt-oss-120b-1:0', 'mistral.mistral-large-2402-v1:0', 'us.meta.llama3-3-70b-instruct-v1:0', 'deepseek.r1-v1:0'];
const seeds = Number(process.env.WAYBILL_BEDROCK_REQUESTS ?? 400);
const key = 'ABSKQmVkcm9ja0FQSUtleS1hYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5';
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A row of numbers that follows from its seed. */
function chance(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 % 4_294_967_296;
  return below => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor(state / 4_294_967_296 * below);
  };
}

/**
 * A request with whatever histories of other providers hold: odd ids and names, cut turns, media, blank texts, choices of tools.
 * @param own it is one that Claude's own API takes, because it goes there in the caller's bytes
 */
function requestOf(seed: number, own: boolean): ConversationRequest {
  const pick = chance(seed);
  const one = <Value>(...values: Value[]): Value => values[pick(values.length)] as Value;
  const names = ['find', 'mcp__server__a_tool_with_a_name_that_is_longer_than_sixty_four_characters_in_all', own ? 'files_read' : 'files.read', 'run-it'];
  const tools = Array.from({ length: pick(4) }, (_none, index) => ({ name: names[index] ?? 'find', description: one('', ' ', 'finds'), parameters: one<Record<string, unknown>>({}, { type: 'object' }, { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }, { oneOf: [{ type: 'object' }, { type: 'object' }] }) }));
  let calls = 0;
  let waiting: { id: string; name: string }[] = [];
  const messages: Message[] = [];
  const text = (): ContentPart => ({ type: 'text', text: one('hello', ' ', '', 'line\nline', 'ends in space ') });
  for (let turn = pick(7); turn >= 0; turn -= 1) {
    const content: ContentPart[] = [];
    if (waiting.length > 0) {
      for (const call of waiting) if (own || pick(8) > 0) content.push({ type: 'tool-result', callId: call.id, name: call.name, content: one<ContentPart[]>([], [{ type: 'text', text: 'done' }], [{ type: 'text', text: ' ' }]) as never, isError: pick(3) === 0 });
      waiting = [];
    }
    if (pick(3) > 0 || content.length === 0) content.push(text());
    if (pick(5) === 0) content.push({ type: 'image', mimeType: one('image/png', 'image/jpg', 'image/bmp'), source: { kind: 'base64', data: png } });
    if (pick(9) === 0) content.push({ type: 'document', mimeType: one('application/pdf', 'text/plain'), filename: one('My  report (v2).final.pdf', 'a_b.txt'), source: { kind: 'base64', data: 'JVBERi0=' } });
    messages.push({ role: 'user', content });
    if (turn === 0) break;
    const said: ContentPart[] = pick(3) > 0 ? [text()] : [];
    for (let call = pick(3); call > 0 && tools.length > 0; call -= 1) {
      calls += 1;
      const made = { id: one(`call_${calls}`, `call.${calls}|odd/${'x'.repeat(70)}`, `toolu_${calls}`), name: tools[pick(tools.length)]?.name ?? 'find' };
      waiting.push(made);
      said.push({ type: 'tool-call', ...made, arguments: one('', '{}', '{"a":"b","n":12345678901234567890}') });
    }
    if (said.length > 0) messages.push({ role: 'assistant', content: said });
  }
  return {
    system: pick(2) === 0 ? [] : [{ type: 'text', text: one('be brief', ' '), cache: one(undefined, '5m', '1h') }],
    messages, tools: pick(6) === 0 ? [] : tools,
    ...(tools.length > 0 && pick(2) === 0 ? { toolChoice: one<NonNullable<ConversationRequest['toolChoice']>>({ type: 'auto' }, { type: 'none' }, { type: 'required' }, { type: 'tool', name: tools[0]?.name ?? 'find' }) } : {}),
    ...(pick(2) === 0 ? { temperature: one(0, 0.7, 1, 1.8) } : {}), ...(pick(3) === 0 ? { topP: 0.9 } : {}), ...(pick(4) === 0 ? { stop: ['END', ' '] } : {}),
    ...(pick(4) === 0 ? { reasoning: { effort: one('low', 'medium', 'high') } } : {}), ...(pick(5) === 0 ? { user: 'someone@example.test' } : {}),
    ...(pick(4) === 0 ? { parallelToolCalls: false } : {}), ...(pick(5) === 0 ? { responseFormat: { type: 'json' } } : {}), maxOutputTokens: 200 + pick(1000),
  };
}

describe('any request to any model of Amazon Bedrock', () => {
  let bedrock: BedrockSimulator;
  let router: TestRouter;

  before(async () => {
    bedrock = await startBedrock();
    bedrock.apiKeys.add(key);
    router = await startTestRouter({
      endpoints: { aws: { provider: 'bedrock', baseUrl: bedrock.url, keys: ['${KEY}'], probe: { enabled: false }, models: Object.fromEntries(models.map(model => [model, { images: true, tools: true, contextWindow: 1_000_000 }])) } },
      environment: { KEY: key },
    });
  });
  after(async () => {
    await router.close();
    await bedrock.close();
  });

  for (const model of models) {
    for (const caller of protocolNames) {
      test(`${model}, ${caller} caller: is refused by nothing that a rule could avoid`, async () => {
        const refused: string[] = [];
        for (let seed = 0; seed < seeds / protocolNames.length / models.length; seed += 1) {
          const stream = seed % 2 === 0;
          const request = requestOf(seed * 97 + models.indexOf(model) * 13 + protocolNames.indexOf(caller), caller === 'anthropic-messages' && model.includes('claude'));
          const asked = bedrock.calls.length;
          const body = bodyOf({ caller, model: `aws/${model}`, request, stream });
          const { status, text } = await rawRequest({ url: router.url + pathOf(caller, `aws/${model}`, stream), headers: headersOf(caller, router.token), body: JSON.stringify(body) });
          const answer = readCallerAnswer(caller, status, text, stream && status === 200);
          // A blank stop string is refused by Claude there, so the answer is stopped on its way back.
          const whole = answer.text === answerText || (request.stop?.includes(' ') === true && answer.text === answerText.slice(0, answerText.indexOf(' ')));
          if (!whole || bedrock.calls.length !== asked + 1) refused.push(`${seed}: ${status} ${text.slice(0, 400)} ${JSON.stringify(body).slice(0, 1500)}`);
        }
        assert.deepEqual(refused.slice(0, 2), []);
      });
    }
  }
});
