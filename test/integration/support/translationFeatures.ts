import type { ContentPart, ConversationRequest, ProtocolName } from '../../../server/api/conversation.ts';
import { isObject, parseJson } from '../../../server/base/json.ts';
import { completeCalls } from '../../../server/protocols/events.ts';
import { bodyOf, converse, headersOf, type Asked, type CallerAnswer } from './codecCaller.ts';
import { picture, placeSchema, twoCalls, weatherSchema, type FourProviders } from './fourProviders.ts';
import { rawRequest } from './rawClient.ts';

/** One caller in front of one target. */
export interface Pair { four: FourProviders; caller: ProtocolName; target: ProtocolName }

/** Something a conversation may use; `play` says whether it came through, `leftOut` why it is not expected to. */
export interface Feature {
  title: string;
  play(pair: Pair): Promise<boolean>;
  leftOut?(caller: ProtocolName, target: ProtocolName): string | undefined;
}

type Options = Partial<Pick<Asked, 'stream' | 'edit' | 'signal' | 'onChunk'>>;

function ask({ four, caller, target }: Pair, request: Partial<ConversationRequest>, options: Options = {}): Promise<CallerAnswer> {
  return converse(four.testRouter, { caller, model: `${target}/m`, stream: false, request: { system: [], messages: [], tools: [], ...request }, ...options });
}

const user = (...content: (string | ContentPart)[]): ConversationRequest['messages'] =>
  [{ role: 'user', content: content.map(part => (typeof part === 'string' ? { type: 'text', text: part } : part)) }];
const tools: ConversationRequest['tools'] = [{ name: 'look_up', description: 'Weather.', parameters: weatherSchema }];
const sent = ({ four, target }: Pair): string => JSON.stringify(four.lastBody(target));
const image: ContentPart = { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: picture } };
const pdf = Buffer.from('%PDF-1.4 nothing').toString('base64');
const hosted: Readonly<Record<ProtocolName, Record<string, unknown>>> = {
  'openai-chat': { type: 'provider_search' }, 'openai-responses': { type: 'web_search' },
  'anthropic-messages': { type: 'web_search_20260318', name: 'web_search' }, 'gemini': { googleSearch: {} },
};
const either = (name: ProtocolName, reason: string) => (caller: ProtocolName, target: ProtocolName): string | undefined => (caller === name || target === name ? reason : undefined);

/** A turn with a call whose result is `content`. */
function withResult(content: Extract<ContentPart, { type: 'tool-result' }>['content'], isError?: boolean): Partial<ConversationRequest> {
  return {
    tools,
    messages: [
      ...user('weather?'), { role: 'assistant', content: [{ type: 'tool-call', id: 'call_1', name: 'look_up', arguments: '{"place":"Rome"}' }] },
      { role: 'user', content: [{ type: 'tool-result', callId: 'call_1', name: 'look_up', content, isError }] },
    ],
  };
}

const words: readonly Feature[] = [
  { title: 'plain answer', play: async pair => (await ask(pair, { messages: user('hello') })).text.includes('answers your prompt: "hello"') },
  {
    title: 'streamed answer, piece by piece',
    play: async pair => {
      const reply = await ask(pair, { messages: user('say 20 words') }, { stream: true });
      return reply.complete && reply.text.split(' ').length === 20 && reply.events.filter(event => event.type === 'text').length > 5;
    },
  },
  {
    title: 'system prompt',
    play: async pair => {
      await ask(pair, { system: [{ type: 'text', text: 'Be brief.' }], messages: user('hi') });
      return sent(pair).includes('Be brief.');
    },
  },
  {
    title: 'later instruction',
    play: async pair => {
      await ask(pair, { messages: [...user('hi'), { role: 'assistant', content: [{ type: 'text', text: 'Hello.' }] }, { role: 'system', content: [{ type: 'text', text: 'Now be brief.' }] }, ...user('go on')] });
      return sent(pair).includes('Now be brief.');
    },
  },
];

const calling: readonly Feature[] = [
  {
    title: 'one tool, forced',
    play: async pair => completeCalls((await ask(pair, { messages: user('x'), tools, toolChoice: { type: 'tool', name: 'look_up' } })).answer).length === 1,
  },
  { title: 'no tool, forbidden', play: async pair => completeCalls((await ask(pair, { messages: user(twoCalls), tools, toolChoice: { type: 'none' } })).answer).length === 0 },
  {
    title: 'parallel tools, streamed',
    play: async pair => {
      const reply = await ask(pair, { messages: user(twoCalls), tools }, { stream: true });
      return completeCalls(reply.answer).map(call => (parseJson(call.arguments) as { place: string }).place[0]).join('') === 'RO' && reply.answer.finish?.reason === 'tool-calls';
    },
  },
  {
    title: 'at most one tool a turn',
    play: async pair => completeCalls((await ask(pair, { messages: user(twoCalls), tools, parallelToolCalls: false })).answer).length === 1,
    leftOut: either('gemini', 'Gemini has no such wish'),
  },
  {
    title: 'arguments, piece by piece',
    play: async pair => (await ask(pair, { messages: user('call tool look_up {"place":"Rome on the Tiber, in the rain","day":3}'), tools }, { stream: true })).events.filter(event => event.type === 'tool-call-arguments').length > 1,
    leftOut: either('gemini', 'Gemini sends calls whole'),
  },
  { title: 'tool result', play: async pair => (await ask(pair, withResult([{ type: 'text', text: 'sunny' }]))).text.includes('"sunny"') },
  {
    title: 'tool result that is an error',
    play: async pair => {
      await ask(pair, withResult([{ type: 'text', text: 'broken' }], true));
      return /"is_error":true|"error":"(?:Error: )?broken"|Error: broken/.test(sent(pair));
    },
  },
  {
    title: 'image in a tool result',
    play: async pair => {
      await ask(pair, withResult([{ type: 'text', text: 'a map' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: picture } }]));
      return sent(pair).includes(picture);
    },
  },
  {
    title: 'free-text tool',
    play: async pair => {
      const reply = await ask(pair, { messages: user('call tool apply_patch {"input":"*** Begin Patch"}'), tools: [{ name: 'apply_patch', kind: 'custom' }] }, { stream: true });
      return completeCalls(reply.answer).some(call => call.kind === 'custom' && call.arguments === '*** Begin Patch');
    },
    leftOut: caller => (caller === 'anthropic-messages' || caller === 'gemini' ? 'the caller has no such tools' : undefined),
  },
  {
    title: 'tool the provider runs',
    play: async pair => {
      const reply = await ask(pair, { messages: user('hi'), hostedTools: [{ protocol: pair.caller, type: 'search', definition: hosted[pair.caller] }] });
      return reply.status === 200 && /provider_search|web_search|googleSearch/.test(sent(pair));
    },
    leftOut: (caller, target) => (caller === target ? undefined : 'only its own provider can run it; the receipt names it'),
  },
];

const media: readonly Feature[] = [
  { title: 'image', play: async pair => (await ask(pair, { messages: user('look', image) })).text.includes('saw 1 image') && sent(pair).includes(picture) },
  {
    title: 'image by address',
    play: async pair => {
      await ask(pair, { messages: user('look', { type: 'image', source: { kind: 'url', url: 'https://example.test/a.png' } }) });
      return sent(pair).includes('https://example.test/a.png') && !sent(pair).includes('It is at https');
    },
    leftOut: either('gemini', 'Gemini fetches no addresses; the model reads where the image is'),
  },
  {
    title: 'PDF',
    play: async pair => {
      await ask(pair, { messages: user('read', { type: 'document', mimeType: 'application/pdf', filename: 'a.pdf', source: { kind: 'base64', data: pdf } }) });
      return sent(pair).includes(pdf);
    },
  },
];

const shaped: readonly Feature[] = [
  {
    title: 'answer by a JSON schema',
    play: async pair => {
      const reply = await ask(pair, { messages: user('where'), responseFormat: { type: 'json-schema', name: 'place', schema: placeSchema, strict: true } });
      const value = parseJson(reply.text);
      return isObject(value) && typeof value['place'] === 'string';
    },
  },
  {
    title: 'JSON without a schema',
    play: async pair => {
      await ask(pair, { messages: user('where'), responseFormat: { type: 'json' } });
      return /json_object|application\/json/.test(sent(pair));
    },
    leftOut: either('anthropic-messages', 'Messages has no such mode; it is asked for in words'),
  },
  { title: 'output limit', play: async pair => (await ask(pair, { messages: user('say 50 words'), maxOutputTokens: 16 })).answer.finish?.reason === 'length' },
  {
    title: 'stop strings',
    play: async pair => {
      const reply = await ask(pair, { messages: user('say 50 words'), stop: ['word7'] }, { stream: true });
      return reply.complete && reply.text.includes('word6') && !reply.text.includes('word7');
    },
    leftOut: caller => (caller === 'openai-responses' ? 'Responses has none' : undefined),
  },
  {
    title: 'temperature',
    play: async pair => {
      await ask(pair, { messages: user('hi'), temperature: 0.25 });
      return sent(pair).includes('"temperature":0.25');
    },
  },
  {
    title: 'seed',
    play: async pair => {
      await ask(pair, { messages: user('hi'), seed: 4711 });
      return sent(pair).includes('"seed":4711');
    },
    leftOut: (caller, target) => either('anthropic-messages', 'Messages has none')(caller, target) ?? either('openai-responses', 'Responses has none')(caller, target),
  },
  {
    title: 'log probabilities',
    play: async pair => {
      const reply = await ask(pair, { messages: user('hello'), logprobs: {} }, { stream: true });
      return (reply.answer.logprobs?.length ?? 0) > 3;
    },
    leftOut: either('anthropic-messages', 'Messages has none'),
  },
  {
    title: 'several answers at once',
    play: async pair => {
      const reply = await ask(pair, { messages: user('hi'), choices: 2 });
      const body = parseJson(reply.raw);
      const list = isObject(body) ? body['choices'] ?? body['candidates'] : undefined;
      return Array.isArray(list) && list.length === 2;
    },
    leftOut: (caller, target) => (caller === 'openai-responses' || caller === 'anthropic-messages' ? 'the caller has no such wish' : caller === target ? undefined : 'refused with this reason: answers are translated one at a time'),
  },
];

const thinking: readonly Feature[] = [
  {
    title: 'reasoning, shown',
    play: async pair => {
      const reply = await ask(pair, { messages: user('think'), reasoning: { effort: 'high', budgetTokens: 2048, visible: true }, maxOutputTokens: 4000 }, { stream: true });
      return reply.answer.parts.some(part => part.type === 'thinking' && part.text.includes('answers directly'));
    },
    leftOut: (caller, target) => (caller === 'openai-chat' && target === 'openai-responses' ? 'Responses shows it on demand only, which Chat cannot make' : undefined),
  },
  {
    title: 'reasoning, sent back to its maker',
    play: async pair => {
      const asked: Partial<ConversationRequest> = { tools, reasoning: { effort: 'high', budgetTokens: 2048, visible: true }, maxOutputTokens: 4000, messages: user('call tool look_up {"place":"Rome"}') };
      const first = await ask(pair, asked, { stream: true });
      const said = first.answer.parts.map((part): ContentPart => {
        if (part.type !== 'tool-call') return part;
        const { id, name, arguments: text, signature, origin } = part;
        return { type: 'tool-call', id, name, arguments: text, signature, origin };
      });
      const call = completeCalls(first.answer)[0];
      if (call === undefined) return false;
      await ask(pair, { ...asked, messages: [...asked.messages ?? [], { role: 'assistant', content: said }, { role: 'user', content: [{ type: 'tool-result', callId: call.id, name: 'look_up', content: [{ type: 'text', text: 'sunny' }] }] }] }, { stream: true });
      return sent(pair).includes(Buffer.from('sandbox:').toString('base64').slice(0, 10));
    },
    leftOut: (caller, target) => {
      if (target === 'openai-chat') return 'Chat signs no reasoning';
      if (caller === 'openai-chat') return 'Chat has no place for what is signed';
      return caller === target ? undefined : 'what one protocol signs has no place in another';
    },
  },
  {
    title: 'foreign reasoning, kept away',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'reject-foreign-thinking' });
      const foreign: ContentPart = { type: 'thinking', text: 'Hm.', signature: 'Zm9yZWlnbg==', encrypted: 'Zm9yZWlnbg==', itemId: 'rs_1', origin: pair.caller };
      const reply = await ask(pair, { reasoning: { effort: 'high', budgetTokens: 2048 }, maxOutputTokens: 4000, messages: [...user('hi'), { role: 'assistant', content: [foreign, { type: 'text', text: 'Hello.' }] }, ...user('go on')] });
      return reply.status === 200;
    },
  },
];

const ends: readonly Feature[] = [
  {
    title: 'usage: fresh, cached, reasoning',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'answer', usage: { input: 10, cacheRead: 20, output: 9, reasoning: 3 } });
      const { usage } = (await ask(pair, { messages: user('hi') }, { stream: true })).answer;
      return usage.inputTokens === 10 && usage.cacheReadTokens === 20 && usage.outputTokens === 9 && usage.reasoningTokens === 3;
    },
  },
  {
    title: 'usage: written to a cache',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'answer', usage: { input: 10, cacheWrite: 5, output: 9 } });
      return (await ask(pair, { messages: user('hi') }, { stream: true })).answer.usage.cacheWriteTokens === 5;
    },
    leftOut: either('gemini', 'Gemini reports none'),
  },
  {
    title: 'refusal',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'refusal' });
      const reply = await ask(pair, { messages: user('hi') });
      return reply.answer.finish?.reason === 'refusal' || reply.events.some(event => event.type === 'refusal');
    },
    leftOut: (caller, target) => (caller === 'gemini' && target.startsWith('openai') ? 'Gemini has no word for a model that declines; its words come as text' : undefined),
  },
  {
    title: 'error before the answer',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'error', error: 'bad-request' });
      const reply = await ask(pair, { messages: user('hi') });
      return reply.status === 400 && reply.answer.error !== undefined;
    },
  },
  {
    title: 'error in mid-stream',
    play: async pair => {
      pair.four.provider(pair.target).script({ type: 'error-in-stream', error: 'server', after: 3 });
      const reply = await ask(pair, { messages: user('say 20 words') }, { stream: true });
      await pair.four.forget();
      return reply.text.includes('word') && reply.answer.error !== undefined && !reply.complete;
    },
  },
  {
    title: 'cancellation',
    play: async pair => {
      const provider = pair.four.provider(pair.target);
      provider.script({ type: 'stall', after: 3 });
      const already = provider.requests.length;
      const stop = new AbortController();
      await ask(pair, { messages: user('say 20 words') }, { stream: true, signal: stop.signal, onChunk: () => stop.abort() }).catch(() => undefined);
      await pair.four.sawCancellation(pair.target, already);
      return true;
    },
  },
];

const around: readonly Feature[] = [
  {
    title: 'stored answer, continued',
    play: async pair => {
      const already = pair.four.provider(pair.target).requests.length;
      await ask(pair, { messages: user('go on') }, { edit: body => { if (pair.caller === 'openai-responses') body.previous_response_id = 'resp_1'; } });
      return pair.four.provider(pair.target).requests.length > already && sent(pair).includes('resp_1');
    },
    leftOut: (caller, target) => (caller !== 'openai-responses' ? 'the caller stores none' : caller === target ? undefined : 'refused with this reason: another provider does not have it'),
  },
  {
    title: 'cache breakpoints',
    play: async pair => {
      await ask(pair, { system: [{ type: 'text', text: 'Know this. '.repeat(4000), ...(pair.caller === 'anthropic-messages' ? { cache: '5m' as const } : {}) }], messages: user('hi') });
      return sent(pair).includes('cache_control');
    },
    leftOut: (_caller, target) => (target === 'anthropic-messages' ? undefined : 'the provider caches by itself'),
  },
  {
    title: 'token count',
    play: async ({ four, caller, target }) => {
      const model = `${target}/m`;
      const body = bodyOf({ caller, model, stream: false, request: { system: [], messages: user('how many'), tools: [] } });
      const path = caller === 'gemini' ? `/v1beta/models/${encodeURIComponent(model)}:countTokens` : caller === 'anthropic-messages' ? '/v1/messages/count_tokens' : '/v1/responses/input_tokens';
      if (caller === 'openai-chat') return false;
      const answer = await rawRequest({ url: four.testRouter.url + path, headers: headersOf(caller, four.testRouter.token), body: JSON.stringify(body) });
      return answer.status === 200 && /[1-9]/.test(answer.text);
    },
    leftOut: caller => (caller === 'openai-chat' ? 'Chat has no such call' : undefined),
  },
];

/** The rows of the published table, in its order. */
export const features: readonly Feature[] = [...words, ...calling, ...media, ...shaped, ...thinking, ...ends, ...around];
