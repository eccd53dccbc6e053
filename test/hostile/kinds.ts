import { hostileScalars, hostileTexts } from './values.ts';
import { streamKinds } from './streams.ts';

/** The part of an answer that is hostile. */
export type Place = 'model list' | 'usage' | 'headers' | 'error body' | 'stream';

/** One answer of a provider: raw, so that no layer below repairs it. */
export interface HostileAnswer {
  status: number;
  headers: readonly (readonly [string, string])[];
  /** Pieces in order. An endless body ends when the connection does, or at the provider's own bound. */
  body: Iterable<string | Buffer>;
  /** `length`: with a content-length; `close`: ended by the end of the connection, as an event stream is here. */
  framing: 'length' | 'close';
}

export interface HostileKind {
  place: Place;
  name: string;
  answer(asked: { streamed: boolean }): HostileAnswer;
}

const json = ['content-type', 'application/json'] as const;
const events = ['content-type', 'text/event-stream'] as const;

function whole(body: string, status = 200, headers: HostileAnswer['headers'] = [json]): HostileAnswer {
  return { status, headers, body: [body], framing: 'length' };
}

/** A good answer with this source in the place of its usage. */
function chatWith(usage: string, streamed: boolean, headers: HostileAnswer['headers'] = []): HostileAnswer {
  if (!streamed) return whole(`{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"four words of text"}}],"usage":${usage}}`, 200, [json, ...headers]);
  const chunk = (rest: string): string => `data: {"id":"c","object":"chat.completion.chunk","model":"m",${rest}}\n\n`;
  return {
    status: 200, headers: [events, ...headers], framing: 'close',
    body: [chunk('"choices":[{"index":0,"delta":{"role":"assistant","content":"four words of text"}}]'), chunk('"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]'), chunk(`"choices":[],"usage":${usage}`), 'data: [DONE]\n\n'],
  };
}

const goodUsage = '{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16}';

function usageKinds(): HostileKind[] {
  const shapes: [string, (value: string) => string][] = [
    ['prompt tokens', value => `{"prompt_tokens":${value},"completion_tokens":4,"total_tokens":16}`],
    ['cached tokens and cost', value => `{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":${value}},"cost":${value},"completion_tokens_details":{"reasoning_tokens":${value}}}`],
    ['the whole report', value => value],
  ];
  return shapes.flatMap(([what, source]) => hostileScalars.map((value): HostileKind => ({
    place: 'usage', name: `${what}: ${value.slice(0, 30)}`, answer: ({ streamed }) => chatWith(source(value), streamed),
  })));
}

function listKinds(): HostileKind[] {
  const list = (models: string): HostileAnswer => whole(`{"object":"list","data":[${models}]}`);
  const priced = hostileScalars.map((value): HostileKind => ({
    place: 'model list', name: `prices and limits: ${value.slice(0, 30)}`,
    answer: () => list(`{"id":"m","pricing":{"prompt":${value},"completion":${value},"input_cache_read":${value}},"context_length":${value},"max_output_tokens":${value},"top_provider":{"context_length":${value},"max_completion_tokens":${value}}},{"id":"other","pricing":${value}}`),
  }));
  const quoted = hostileScalars.slice(0, 10).map((value): HostileKind => ({
    place: 'model list', name: `prices as text: ${value.slice(0, 30)}`, answer: () => list(`{"id":"m","pricing":{"prompt":${JSON.stringify(value)},"completion":${JSON.stringify(value)}}}`),
  }));
  const named = hostileTexts.map((text, index): HostileKind => ({
    place: 'model list', name: `names, text ${index}`, answer: () => list(`{"id":"m"},{"id":${JSON.stringify(text)},"name":${JSON.stringify(text)}},{"id":${JSON.stringify(`vendor/${text}`)},"owned_by":${JSON.stringify(text)}}`),
  }));
  const odd: [string, () => HostileAnswer][] = [
    ['20,000 models', () => list(Array.from({ length: 20_000 }, (_, index) => `{"id":"model-${index}-2026-01-${index % 28}"}`).join(','))],
    ['nested 100,000 deep', () => whole('['.repeat(100_000))],
    ['cut off', () => whole('{"object":"list","data":[{"id":"m')],
    ['a page of HTML', () => whole('<html>'.repeat(50_000), 200, [['content-type', 'text/html']])],
    ['the next page is this one', () => whole('{"data":[{"id":"m"}],"has_more":true,"last_id":"m","nextPageToken":"m"}')],
    ['no list', () => whole('{"data":{"0":{"id":"m"}}}')],
  ];
  return [...priced, ...quoted, ...named, ...odd.map(([name, answer]): HostileKind => ({ place: 'model list', name, answer }))];
}

function headerKinds(): HostileKind[] {
  const names = ['retry-after', 'retry-after-ms', 'x-ratelimit-remaining-requests', 'x-ratelimit-reset-tokens', 'anthropic-ratelimit-tokens-reset', 'x-request-id'];
  const values = ['1e300', '-5', 'NaN', '9'.repeat(2_000), 'Fri, 31 Dec 9999 23:59:59 GMT', '\u00ff\u0001'.replace('\u0001', ''), '1'.repeat(12_000)];
  const kinds = values.flatMap((value, index) => [200, 429].map((status): HostileKind => ({
    place: 'headers', name: `${status}, value ${index}`,
    answer: ({ streamed }) => {
      const headers = names.map(name => [name, value] as const);
      return status === 200 ? chatWith(goodUsage, streamed, headers) : whole('{"error":{"message":"slow down","type":"rate_limit_error"}}', 429, [json, ...headers]);
    },
  })));
  const odd = ['x-ratelimit-remaining-__proto__', 'x-ratelimit-remaining-constructor', 'x-ratelimit-limit-toString', 'content-encoding'].map((name): HostileKind => ({
    place: 'headers', name, answer: ({ streamed }) => chatWith(goodUsage, streamed, [[name, '0']]),
  }));
  const many: HostileKind = { place: 'headers', name: '300 of them', answer: ({ streamed }) => chatWith(goodUsage, streamed, Array.from({ length: 300 }, (_, index) => [`x-odd-${index}`, 'v'.repeat(30)] as const)) };
  return [...kinds, ...odd, many];
}

function errorKinds(): HostileKind[] {
  const spoken = hostileTexts.map((text, index): HostileKind => ({
    place: 'error body', name: `text ${index}`,
    answer: () => whole(JSON.stringify({ error: { message: text, type: text.slice(0, 100_000), code: text.slice(0, 100_000), param: text.slice(0, 1_000) } }), [400, 401, 404, 422, 429, 500, 503][index % 7]),
  }));
  const inside = hostileTexts.map((text, index): HostileKind => ({
    place: 'error body', name: `inside of a success, text ${index}`, answer: () => whole(JSON.stringify({ error: { message: text, code: 429 } })),
  }));
  const raw = hostileTexts.slice(0, 8).map((text, index): HostileKind => ({
    place: 'error body', name: `raw text ${index}`, answer: () => whole(text, index % 2 === 0 ? 500 : 400, [['content-type', 'text/plain']]),
  }));
  return [...spoken, ...inside, ...raw];
}

/** Every kind, in a fixed order. */
export const hostileKinds: readonly HostileKind[] = [...listKinds(), ...usageKinds(), ...headerKinds(), ...errorKinds(), ...streamKinds()];
