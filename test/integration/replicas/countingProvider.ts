// A provider in a process of its own, which counts what it is asked and what it says: `fork` it. Its first message is its address; see startCountingProvider.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the provider reports for one call, in its own words. */
export interface CountedUsage { readonly prompt: number; readonly cached: number; readonly completion: number }

/** One call, as the provider saw it. */
export interface CountedCall {
  /** From 0, over all calls. */
  readonly index: number;
  /** The first part of the address. */
  readonly endpoint: string;
  readonly key: string;
  readonly model: string;
  /** The text of the last message. */
  readonly text: string;
  /** The usage was sent, and the answer ended. */
  isSent: boolean;
  usage: CountedUsage;
}

export interface Counted { readonly calls: readonly CountedCall[]; /** The most calls that ran together, by endpoint. */ readonly most: Readonly<Record<string, number>> }

interface Asked { model: string; stream?: boolean; max_tokens: number; messages: { content: string }[] }

/** A call takes so long, in milliseconds. */
const answerMs = 60;
const calls: CountedCall[] = [];
const most: Record<string, number> = {};
const running: Record<string, number> = {};

/** At the endpoint `open` the prompt is another number in each call, so that its record is recognized by it; elsewhere it is less than anybody expects. */
function usageOf(endpoint: string, index: number, completion: number): CountedUsage {
  return endpoint === 'open' ? { prompt: 10_000 + index, cached: index % 5 === 0 ? 100_000 : 0, completion } : { prompt: 2, cached: 0, completion };
}

function usageJson({ prompt, cached, completion }: CountedUsage): object {
  return { prompt_tokens: prompt + cached, completion_tokens: completion, total_tokens: prompt + cached + completion, prompt_tokens_details: { cached_tokens: cached } };
}

async function answer(asked: Asked, call: CountedCall, response: ServerResponse): Promise<void> {
  const ended = once(response, 'close');
  const { model, stream = false } = asked;
  await Promise.race([sleep(answerMs), ended]);
  const common = { id: `c-${String(call.index)}`, created: 1, model };
  if (model === 'held') {
    await ended;
    return;
  }
  if (!stream) {
    const body = { ...common, object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }], usage: usageJson(call.usage) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } else {
    const event = (more: object): void => { response.write(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', ...more })}\n\n`); };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let index = 0; index < call.usage.completion; index += 1) event({ choices: [{ index: 0, delta: { content: 'yes ' }, finish_reason: null }] });
    if (model === 'cut') {
      await sleep(answerMs);
      response.destroy();
    } else if (model === 'stalled') await ended;
    else {
      event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
      event({ choices: [], usage: usageJson(call.usage) });
      response.end('data: [DONE]\n\n');
    }
  }
  await ended;
  call.isSent = response.writableFinished;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ calls, most } satisfies Counted));
    return;
  }
  const endpoint = request.url?.split('/')[1] ?? '';
  const asked = JSON.parse(await text(request)) as Asked;
  const index = calls.length;
  const call: CountedCall = { index, endpoint, key: request.headers.authorization?.replace('Bearer ', '') ?? '', model: asked.model, text: asked.messages.at(-1)?.content ?? '', isSent: false, usage: usageOf(endpoint, index, asked.max_tokens) };
  calls.push(call);
  running[endpoint] = (running[endpoint] ?? 0) + 1;
  most[endpoint] = Math.max(most[endpoint] ?? 0, running[endpoint]);
  try {
    await answer(asked, call, response);
  } finally {
    running[endpoint] -= 1;
  }
}

const server = createServer((request, response) => { serve(request, response).catch(() => { response.destroy(); }); });
await once(server.listen(0, '127.0.0.1', 4_096), 'listening');
process.send?.(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
process.once('disconnect', () => process.exit());
