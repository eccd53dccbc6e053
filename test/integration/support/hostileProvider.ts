import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '../../../server/base/clock.ts';
import { seededRandom } from '../../unit/health/seededRandom.ts';

/** Where the data of a kind is hostile. */
export const families = ['list', 'usage', 'headers', 'error', 'stream'] as const;
export type Family = (typeof families)[number];

/** JSON that is no price, no count, no name and no limit, or only just is one. */
const oddJson: readonly string[] = [
  '1e300', '-1e300', '1e999', '-1', '0', '-0', '0.5', '9007199254740993', '18446744073709551615', '1e-300', 'null', 'true', '""', '"text"', '"1e300"', '"NaN"', '"Infinity"', '"-1"', '"0x10"',
  '[]', '[[]]', '{}', '"__proto__"', '"constructor"', '"\\u0000\\ud800"', '"a\\r\\nb"', '"\\u001b[31m"', `"${'long'.repeat(20_000)}"`, `${'['.repeat(2_000)}${']'.repeat(2_000)}`, `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
];
const oddHeaderValues: readonly string[] = ['', ' ', '0', '-1', '1e300', 'NaN', 'Infinity', '99999999999999999999', '1.5', '0x10', '9'.repeat(4_000), '99999999d', 'Fri, 31 Dec 9999 23:59:59 GMT', '+275760-09-13T00:00:00Z', '\u00e9\u00ff', '"default";r=0;t=999999999999999', '1s'.repeat(500), 'tomorrow'];
const headerNames: readonly string[] = [
  'retry-after', 'retry-after-ms', 'x-ratelimit-retry-after', 'ratelimit', 'ratelimit-reset', 'x-request-id', 'openai-processing-ms', 'anthropic-organization-id', 'x-should-retry',
  ...['requests', 'tokens', 'constructor', '__proto__', 'tostring', 'input-tokens', 'requests-day'].flatMap(word => [`x-ratelimit-limit-${word}`, `x-ratelimit-remaining-${word}`, `x-ratelimit-reset-${word}`]),
];
const fragments: readonly string[] = [': comment\n', ': comment', '\n', '\r', '\n\r', '\r\n\r\n', 'data:\n', 'data: {}\n\n', 'data: x\n\n', 'event: x\n', 'id: \u0001\n', 'retry: 1e300\n', 'field: v\n', 'x', '{"a":1}\n', '[', '\u{1f642}', 'data: [DONE]\n', 'data: {"choices":[]}\n\n', '\u0000'];
const texts: readonly string[] = ['<', '<!--', '<script', '&', '(', ' ', '\n', 'models/', 'a-', 'try again in 1s', 'retry ', '\\', '"', '{"error":', '\u001b[31m', 'http://', '-4-5', '%'];
const usageFields: readonly string[] = [
  'prompt_tokens', 'completion_tokens', 'total_tokens', 'cached_tokens', 'prompt_cache_hit_tokens', 'reasoning_tokens', 'input_tokens', 'output_tokens', 'cost', 'cost_in_usd_ticks', 'prompt_tokens_details', 'completion_tokens_details', 'is_byok', 'cost_details',
];

function one<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

function several<Item>(random: Random, count: number, make: () => Item): Item[] {
  return Array.from({ length: Math.floor(random() * count) }, make);
}

function odd(random: Random): string {
  return random() < 0.6 ? one(random, oddJson) : String(Math.floor(random() * 1_000));
}

const chatChunk = 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hello "}}]}\n\n';

/**
 * A provider of the chat family whose data is hostile in one way for each path `/<kind>/v1`, the same in every run: kinds
 * of one family follow each other at a distance of the number of families.
 */
export class HostileProvider {
  readonly #seed: number;
  readonly #server: Server = createServer((request, response) => this.#handle(request, response));

  constructor(seed: number) {
    this.#seed = seed;
  }

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
  }

  baseUrl(kind: number | 'good'): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${kind}/v1`;
  }

  family(kind: number): Family {
    return families[kind % families.length] ?? 'list';
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const kind = request.url?.split('/')[1] ?? 'good';
      const random = seededRandom(this.#seed + Number(kind));
      const family = kind === 'good' ? undefined : this.family(Number(kind));
      const stream = Buffer.concat(chunks).includes('"stream":true');
      response.on('error', () => undefined);
      if (request.url?.endsWith('/models') === true) response.end(family === 'list' ? hostileList(random) : '{"data":[{"id":"m"}]}');
      else if (family === 'error') hostileError(random, response);
      else if (family === 'stream' && stream) hostileStream(random, response);
      else answer(response, stream, family === 'usage' ? hostileUsage(random) : '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}', family === 'headers' ? random : undefined);
    });
  }
}

function hostileList(random: Random): string {
  const fields = ['context_length', 'max_output_tokens', 'capabilities', 'architecture', 'top_provider', 'supported_parameters', 'active', 'type', 'name'];
  const pricing = (): string => `{${['prompt', 'completion', 'request', 'input_cache_read', 'internal_reasoning'].map(name => `"${name}":${odd(random)}`).join()}}`;
  const entry = (index: number): string => `{"id":${random() < 0.1 ? one(random, oddJson) : `"m-${index}"`},"pricing":${random() < 0.8 ? pricing() : one(random, oddJson)},${fields.filter(() => random() < 0.3).map(name => `"${name}":${odd(random)},`).join('')}"x":1}`;
  const count = random() * (random() < 0.1 ? 1_000 : 60);
  const list = `[{"id":"m","pricing":${pricing()}}${Array.from({ length: count }, (_, index) => `,${entry(index)}`).join('')}]`;
  return random() < 0.1 ? one(random, oddJson) : `{"data":${list},"has_more":true,"last_id":"m"}`;
}

function hostileUsage(random: Random): string {
  const details = (): string => `{${['cached_tokens', 'cache_write_tokens', 'reasoning_tokens', 'upstream_inference_cost'].map(name => `"${name}":${odd(random)}`).join()}}`;
  if (random() < 0.1) return one(random, oddJson);
  return `{${usageFields.filter(() => random() < 0.6).map(name => `"${name}":${name.endsWith('details') ? details() : odd(random)}`).join()}}`;
}

function answer(response: ServerResponse, stream: boolean, usage: string, headers: Random | undefined): void {
  const sent: Record<string, string> = { 'content-type': stream ? 'text/event-stream' : 'application/json' };
  if (headers !== undefined) for (const name of headerNames) if (headers() < 0.4) sent[name] = one(headers, oddHeaderValues);
  const status = headers === undefined ? 200 : one(headers, [200, 200, 200, 200, 400, 404, 422, 429, 500]);
  response.writeHead(status, sent);
  if (status !== 200) response.end('{"error":{"message":"no","retry_after":1e300}}');
  else if (stream) response.end(`${chatChunk}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":${usage}}\n\ndata: [DONE]\n\n`);
  else response.end(`{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":${usage}}`);
}

function hostileError(random: Random, response: ServerResponse): void {
  const text = one(random, texts).repeat(Math.floor(random() * 20_000));
  const bodies: readonly string[] = [
    text, `<html><title>${text}</title>${text}</html>`, `{"error":{"message":${JSON.stringify(text)},"code":${odd(random)},"type":${odd(random)},"param":${odd(random)}}}`, `{"error":${one(random, oddJson)}}`,
    `{"detail":[${several(random, 50, () => `{"loc":${odd(random)},"msg":${odd(random)}}`).join()}]}`, one(random, oddJson), '', `{"error":{"details":[{"retryDelay":${odd(random)}},{"retryDelay":{"seconds":${odd(random)}}}],"retry_after":${odd(random)}}}`,
  ];
  response.writeHead(one(random, [200, 301, 400, 400, 401, 402, 403, 404, 404, 413, 422, 422, 429, 500, 599]), { 'content-type': one(random, ['application/json', 'text/html', 'text/plain', 'x']), 'retry-after': one(random, oddHeaderValues) });
  response.end(one(random, bodies));
}

/** A word, then up to 3 MB of fragments, then an end, a break or silence. */
function hostileStream(random: Random, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (random() < 0.8) response.write(chatChunk);
  const same = random() < 0.5 ? one(random, fragments) : undefined;
  const piece = Array.from({ length: 500 }, () => same ?? one(random, fragments)).join('');
  let left = Math.floor(random() * 3_000_000);
  const pour = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    if (left > 0 || response.destroyed) return;
    response.off('drain', pour);
    const end = random();
    if (end < 0.3) response.end();
    else if (end < 0.5) response.end('data: [DONE]\n\n');
    else if (end < 0.8) response.destroy();
  };
  response.on('drain', pour);
  pour();
}
