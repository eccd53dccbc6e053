import { sandboxProtocols, type SandboxProtocol } from '../../server/sandbox/wires/sandboxWire.ts';
import { isObject, type JsonObject, type JsonValue } from '../../server/base/json.ts';
import { seededRandom } from '../unit/support/seededRandom.ts';

/** The providers of a chaos run, one for each protocol; a route has three of them. */
export const providerNames = ['a', 'b', 'c', 'd'] as const;
export type ProviderName = (typeof providerNames)[number];
export const protocolOf: Readonly<Record<ProviderName, SandboxProtocol>> = {
  a: 'openai-chat', b: 'anthropic-messages', c: 'gemini', d: 'openai-responses',
};

/** A route of three targets, and what it does with a stream that breaks after its first words. */
export interface ChaosRoute { name: string; targets: readonly ProviderName[]; afterCommit: 'error' | 'resume'; hedged: boolean }

/** Each rotation of three providers: with the protocol's error event, resumed, and resumed with hedging. */
export const chaosRoutes: readonly ChaosRoute[] = (['abc', 'bcd', 'cda', 'dab'] as const).flatMap((letters): ChaosRoute[] => {
  const targets = providerNames.filter(name => letters.includes(name)).sort((one, other) => letters.indexOf(one) - letters.indexOf(other));
  return [
    { name: letters, targets, afterCommit: 'error', hedged: false },
    { name: `${letters}-resumed`, targets, afterCommit: 'resume', hedged: false },
    { name: `${letters}-hedged`, targets, afterCommit: 'resume', hedged: true },
  ];
});

/** One request of the run; seed and number determine it. */
export interface ChaosRequest {
  nonce: string;
  protocol: SandboxProtocol;
  stream: boolean;
  wants: 'text' | 'call';
  words: number;
  /** Bytes of history before the prompt. */
  historyBytes: number;
  route: ChaosRoute;
  /** The caller goes away after so long, in milliseconds. */
  cancelAfterMs: number | undefined;
}

export function chaosRequest(seed: number, number: number): ChaosRequest {
  const random = seededRandom(seed * 1_000_003 + number * 7919);
  // The first random numbers of neighbouring seeds are similar.
  for (let index = 0; index < 8; index++) random();
  const pick = <T>(list: readonly [T, ...T[]] | readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return {
    nonce: `q${number}`,
    protocol: pick(sandboxProtocols),
    stream: random() < 0.65,
    wants: random() < 0.2 ? 'call' : 'text',
    words: 4 + Math.floor(random() * 14),
    historyBytes: random() < 0.06 ? 100_000 : 0,
    route: pick(chaosRoutes),
    cancelAfterMs: random() < 0.02 ? 1 + Math.floor(random() * 200) : undefined,
  };
}

const toolName = 'look_up';
const toolSchema = { type: 'object', properties: { place: { type: 'string' }, day: { type: 'integer' } }, required: ['place', 'day'] };

/** The whole text of a provider for a request. Every word names the provider, so a word of another one is detected. */
export function rightText(provider: string, nonce: string, words: number): string {
  return `${provider} answers ${nonce}: ${Array.from({ length: words }, (_, index) => `${provider}${index + 1}`).join(' ')} ends ${nonce}.`;
}

/** The one call a provider makes for a request. */
export function rightCall(provider: string, nonce: string, words: number): { name: string; arguments: { place: string; day: number } } {
  return { name: toolName, arguments: { place: `where ${provider} sends ${nonce}, on the hill over the river, behind the ${words} old trees`, day: words } };
}

export function promptOf({ nonce, words, wants }: Pick<ChaosRequest, 'nonce' | 'words' | 'wants'>): string {
  return `Chaos ${nonce} wants a ${wants} of ${words}.`;
}

/** Reads what `promptOf` wrote out of any text. */
export function readPrompt(text: string): Pick<ChaosRequest, 'nonce' | 'words' | 'wants'> | undefined {
  const found = /Chaos (q\d+) wants a (text|call) of (\d+)\./.exec(text);
  return found === null ? undefined : { nonce: found[1] ?? '', wants: found[2] === 'call' ? 'call' : 'text', words: Number(found[3]) };
}

/** All texts of a body, wherever they stand. */
export function* textsOf(value: JsonValue | undefined): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const entry of value) yield* textsOf(entry);
  else if (isObject(value)) for (const entry of Object.values(value)) yield* textsOf(entry);
}

/** Path of a call. */
export function pathOf({ protocol, route, stream }: ChaosRequest): string {
  switch (protocol) {
    case 'openai-chat': return '/v1/chat/completions';
    case 'openai-responses': return '/v1/responses';
    case 'anthropic-messages': return '/v1/messages';
    case 'gemini': return `/v1beta/models/${route.name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  }
}

export function headersOf({ protocol, nonce }: ChaosRequest, token: string): Record<string, string> {
  const own = { 'content-type': 'application/json', 'x-waybill-conversation': nonce };
  switch (protocol) {
    case 'openai-chat': case 'openai-responses': return { ...own, authorization: `Bearer ${token}` };
    case 'anthropic-messages': return { ...own, 'x-api-key': token, 'anthropic-version': '2023-06-01' };
    case 'gemini': return { ...own, 'x-goog-api-key': token };
  }
}

/** The body as a client of the protocol writes it. */
export function bodyOf(request: ChaosRequest): JsonObject {
  const { protocol, route, stream, wants, historyBytes } = request;
  const prompt = promptOf(request);
  const sentence = 'The quick brown fox reads the whole of a long file before it jumps. ';
  const history = historyBytes === 0 ? undefined : sentence.repeat(Math.ceil(historyBytes / sentence.length));
  const turns = [...(history === undefined ? [] : [['user', history], ['assistant', 'Read.']]), ['user', prompt]] as [string, string][];
  const description = 'Looks a place up.';
  switch (protocol) {
    case 'openai-chat': return {
      model: route.name, messages: turns.map(([role, content]) => ({ role, content })), max_tokens: 2000,
      ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      ...(wants === 'call' ? { tools: [{ type: 'function', function: { name: toolName, description, parameters: toolSchema } }] } : {}),
    };
    case 'openai-responses': return {
      model: route.name, input: turns.map(([role, content]) => ({ role, content })), max_output_tokens: 2000, store: false,
      ...(stream ? { stream: true } : {}),
      ...(wants === 'call' ? { tools: [{ type: 'function', name: toolName, description, parameters: toolSchema, strict: false }] } : {}),
    };
    case 'anthropic-messages': return {
      model: route.name, messages: turns.map(([role, content]) => ({ role, content })), max_tokens: 2000,
      ...(stream ? { stream: true } : {}),
      ...(wants === 'call' ? { tools: [{ name: toolName, description, input_schema: toolSchema }] } : {}),
    };
    case 'gemini': return {
      contents: turns.map(([role, text]) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text }] })), generationConfig: { maxOutputTokens: 2000 },
      ...(wants === 'call' ? { tools: [{ functionDeclarations: [{ name: toolName, description, parametersJsonSchema: toolSchema }] }] } : {}),
    };
  }
}
