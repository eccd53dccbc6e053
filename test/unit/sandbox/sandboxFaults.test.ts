import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { SandboxBehaviour } from '../../../server/sandbox/sandboxBehaviour.ts';
import { sandboxErrorKinds } from '../../../server/sandbox/sandboxBehaviour.ts';
import { startSandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import type { SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import type { SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';

interface Speech {
  path: (stream: boolean) => string;
  body: (content: string, stream: boolean) => object;
  /** What only the end of a stream holds. */
  terminal: string;
  /** What the opening of a stream holds, where there is one before the first word. */
  opening: string | undefined;
  keepAlive: string;
  /** The reason an answer stopped, where it is sent before the end. */
  stop: RegExp | undefined;
}

const parameters = { type: 'object', properties: {} };
const speeches: Record<SandboxProtocol, Speech> = {
  'openai-chat': {
    path: () => '/chat/completions', terminal: '[DONE]', opening: 'assistant', keepAlive: ': keep-alive\n\n: keep-alive', stop: /"stop"/,
    body: (content, stream) => ({ model: 'm', max_tokens: 500, stream, messages: [{ role: 'user', content }], tools: [{ type: 'function', function: { name: 'f', parameters } }] }),
  },
  'openai-responses': {
    path: () => '/responses', terminal: 'response.completed', opening: 'assistant', keepAlive: ': keep-alive\n\n: keep-alive', stop: undefined,
    body: (content, stream) => ({ model: 'm', max_output_tokens: 500, stream, input: content, tools: [{ type: 'function', name: 'f', parameters }] }),
  },
  'anthropic-messages': {
    path: () => '/v1/messages', terminal: 'message_stop', opening: 'assistant', keepAlive: 'event: ping', stop: /"end_turn"/,
    body: (content, stream) => ({ model: 'm', max_tokens: 500, stream, messages: [{ role: 'user', content }], tools: [{ name: 'f', input_schema: parameters }] }),
  },
  'gemini': {
    path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, terminal: 'finishReason', opening: undefined, keepAlive: ': keep-alive\n\n: keep-alive', stop: undefined,
    body: (content) => ({ contents: [{ role: 'user', parts: [{ text: content }] }], generationConfig: { maxOutputTokens: 500 }, tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: parameters }] }] }),
  },
};

function ask(provider: SandboxProvider, content = 'say 6 words', init: { stream?: boolean; signal?: AbortSignal } = {}): Promise<Response> {
  const stream = init.stream ?? true;
  const { path, body } = speeches[provider.protocol];
  return fetch(provider.url + path(stream), {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'authorization': 'Bearer sk-secret-key-1234' },
    body: JSON.stringify(body(content, stream)),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
}

/** Reads as much of a body as comes, and how it ended. */
async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
    return { text, broken: false };
  } catch {
    return { text, broken: true };
  }
}

const refused = (error: unknown): boolean => error instanceof Error && error.cause instanceof Error && 'code' in error.cause && (error.cause.code === 'ECONNREFUSED' || error.cause.code === 'ECONNRESET');

for (const protocol of sandboxProtocols) {
  describe(`a ${protocol} sandbox whose script fails`, () => {
    let provider: SandboxProvider;
    before(async () => { provider = await startSandboxProvider({ protocol, name: 'faulty' }); });
    beforeEach(() => provider.script({ type: 'answer' }));
    after(() => provider.close());
    const { terminal, opening, keepAlive, stop } = speeches[protocol];

    const withBehaviour = async (behaviour: SandboxBehaviour, content?: string): Promise<{ response: Response; text: string; broken: boolean }> => {
      provider.script([behaviour]);
      const response = await ask(provider, content);
      return { response, ...await readAll(response) };
    };

    it('refuses connections until the script changes, then answers at the same address', async () => {
      const { url } = provider;
      provider.script({ type: 'refuse' });
      await assert.rejects(ask(provider), refused);
      provider.script({ type: 'answer' });
      assert.equal((await ask(provider)).status, 200);
      assert.equal(provider.url, url);
      provider.die();
      await assert.rejects(ask(provider), refused);
      await provider.revive();
      assert.equal((await ask(provider)).status, 200);
    });

    it('accepts a connection and leaves it unread', async () => {
      provider.script({ type: 'black-hole' });
      const { connectionCount } = provider;
      const seen = provider.requests.length;
      const socket = connect(Number(new URL(provider.url).port), '127.0.0.1');
      await new Promise((resolve) => { socket.once('connect', resolve); });
      socket.write('GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n');
      while (provider.connectionCount === connectionCount) await new Promise((resolve) => { setImmediate(resolve); });
      assert.equal(provider.requests.length, seen);
      socket.destroy();
    });

    it('takes a request, answers nothing, and notes when the client gave up', async () => {
      provider.script([{ type: 'no-answer' }]);
      const giveUp = new AbortController();
      const answer = ask(provider, 'x', { signal: giveUp.signal });
      await provider.waitForRequest((request) => request.behaviour === 'no-answer');
      giveUp.abort();
      await assert.rejects(answer);
      const seen = await provider.waitForRequest((request) => request.behaviour === 'no-answer' && request.closedEarlyAt !== undefined);
      assert.equal(seen.status, undefined);
      assert.equal(seen.finishedAt, undefined);
    });

    it('stalls where its script says: after headers, after the prelude, after two words', async () => {
      for (const [behaviour, sees, lacks] of [
        [{ type: 'silence' }, '', 'assistant'],
        [{ type: 'stall', after: 'prelude' }, opening ?? '', 'word1'],
        [{ type: 'stall', after: 2 }, 'word2', 'word3'],
        [{ type: 'keep-alives', everyMs: 5, lifecycle: true }, keepAlive, 'word1'],
      ] as const) {
        provider.script([behaviour]);
        const giveUp = new AbortController();
        const response = await ask(provider, undefined, { signal: giveUp.signal });
        assert.equal(response.status, 200);
        let text = '';
        if (sees !== '') {
          const reader = response.body?.getReader();
          while (!text.includes(sees)) text += new TextDecoder().decode((await reader?.read())?.value as Uint8Array);
        }
        assert.ok(!text.includes(lacks));
        giveUp.abort();
        await provider.waitForRequest((request) => request.behaviour === behaviour.type && request.closedEarlyAt !== undefined);
      }
    });

    it('cuts the stream by reset, by closing inside the body, and by a clean end without the terminal event', async () => {
      for (const how of ['reset', 'close', 'end'] as const) {
        const { text, broken } = await withBehaviour({ type: 'cut', after: 2, how });
        assert.equal(broken, how !== 'end', how);
        assert.ok(text.includes('word2') && !text.includes('word3') && !text.includes(terminal), how);
      }
      assert.equal(provider.requests.at(-1)?.closedEarlyAt, undefined);
      const atEnd = await withBehaviour({ type: 'cut', after: 'finish', how: 'end' });
      if (stop !== undefined) assert.match(atEnd.text, stop);
      // Gemini's reason to stop is its end.
      assert.equal(atEnd.text.includes(terminal), protocol === 'gemini');
    });

    it('cuts in the middle of a tool call\'s arguments', async () => {
      const { text } = await withBehaviour({ type: 'cut', after: 'tool-arguments', how: 'close' }, 'call tool f {"first":"half","second":"other half"}');
      // Gemini's calls come whole: there is no middle, and the cut is before the call.
      assert.equal(text.includes('first'), protocol !== 'gemini');
      assert.ok(!text.includes('other'));
    });

    it('sends an error after the prelude inside a 200, or an error object as the body of a 200', async () => {
      const inStream = await withBehaviour({ type: 'error-in-stream', error: 'overloaded' });
      assert.equal(inStream.response.status, 200);
      assert.match(inStream.text, opening === undefined ? /overloaded/ : /assistant[\s\S]*overloaded/);
      assert.ok(!inStream.text.includes('word1') && !inStream.text.includes(terminal));
      const asBody = await withBehaviour({ type: 'error-in-200', error: 'quota' });
      assert.equal(asBody.response.status, 200);
      assert.ok('error' in (JSON.parse(asBody.text) as object));
    });

    it('crawls without changing a byte of the answer', async () => {
      const { text } = await withBehaviour({ type: 'crawl', bytes: 200, everyMs: 1 });
      assert.ok(text.includes('word6') && text.includes(terminal));
    });

    it('answers with nothing in it, declines, or spoils one line only', async () => {
      const empty = await withBehaviour({ type: 'empty' });
      assert.ok(empty.text.includes(terminal) && !empty.text.includes('word1'));
      const refusal = await withBehaviour({ type: 'refusal', text: 'No.' });
      assert.match(refusal.text, /No\./);
      const spoiled = await withBehaviour({ type: 'malformed-line' });
      const lines = spoiled.text.split('\n').filter((line) => line.startsWith('data: ') && !line.includes('[DONE]'));
      const unreadable = lines.filter((line) => { try { JSON.parse(line.slice(6)); return false; } catch { return true; } });
      assert.equal(unreadable.length, 1);
      assert.ok(spoiled.text.includes('word6') && spoiled.text.includes(terminal));
    });

    it('answers with a page, another content type, a redirect, an oversize event and an oversize header', async () => {
      const page = await withBehaviour({ type: 'html' });
      assert.match(page.response.headers.get('content-type') ?? '', /text\/html/);
      const other = await withBehaviour({ type: 'content-type', contentType: 'application/pdf' });
      assert.equal(other.response.headers.get('content-type'), 'application/pdf');
      const redirect = await withBehaviour({ type: 'redirect', location: 'http://elsewhere.invalid/' });
      assert.deepEqual([redirect.response.status, redirect.response.headers.get('location')], [307, 'http://elsewhere.invalid/']);
      const big = await withBehaviour({ type: 'oversize', what: 'event', bytes: 300_000 });
      assert.ok(big.text.split('\n').some((line) => line.length > 300_000) && big.text.includes(terminal));
      await assert.rejects(withBehaviour({ type: 'oversize', what: 'header', bytes: 100_000 }));
    });

    it('writes every wait a provider can ask for', async () => {
      const waitOf = async (form: 'seconds' | 'fraction' | 'date' | 'milliseconds' | 'body') => withBehaviour({ type: 'error', error: 'rate-limit', retryAfter: { form, ms: 2500 } });
      assert.equal((await waitOf('seconds')).response.headers.get('retry-after'), '3');
      assert.equal((await waitOf('fraction')).response.headers.get('retry-after'), '2.500');
      const date = Date.parse((await waitOf('date')).response.headers.get('retry-after') ?? '');
      assert.ok(date > Date.now() && date < Date.now() + 4000);
      assert.equal((await waitOf('milliseconds')).response.headers.get('retry-after-ms'), '2500');
      const inBody = await waitOf('body');
      assert.deepEqual([inBody.response.status, inBody.response.headers.get('retry-after')], [429, null]);
      assert.match(inBody.text, /"retryDelay":"2.5s"/);
    });

    it('shapes every kind of failure, and any status, as its provider does', async () => {
      for (const error of sandboxErrorKinds) {
        const { response, text } = await withBehaviour({ type: 'error', error });
        const body = JSON.parse(text) as { type?: string; error: { type?: string; status?: string; message: string } };
        assert.ok(response.status >= 400, error);
        assert.ok(typeof body.error.message === 'string' && typeof (body.error.type ?? body.error.status) === 'string', error);
        assert.equal(body.type, protocol === 'anthropic-messages' ? 'error' : undefined);
        assert.ok(!text.includes('secret-key'), error);
      }
      const status = await withBehaviour({ type: 'status', status: 529, headers: { 'x-mark': 'yes' } });
      assert.deepEqual([status.response.status, status.response.headers.get('x-mark')], [529, 'yes']);
    });

    it('leaves usage out, or sends numbers that contradict each other', async () => {
      const missing = await withBehaviour({ type: 'answer', usage: 'missing' });
      assert.ok(!/"usage(?:Metadata)?":\{/.test(missing.text) && missing.text.includes(terminal));
      provider.script([{ type: 'answer', usage: 'inconsistent' }]);
      const body = await (await ask(provider, 'x', { stream: false })).json() as Record<string, Record<string, number | Record<string, number>>>;
      const usage = body['usage'] ?? body['usageMetadata'] ?? {};
      const part = usage['completion_tokens_details'] ?? usage['output_tokens_details'] ?? { cached: usage['cachedContentTokenCount'] };
      const whole = usage['completion_tokens'] ?? usage['output_tokens'] ?? usage['promptTokenCount'];
      assert.ok(Math.max(...Object.values(part as Record<string, number>)) > Number(whole));
    });

    it('uses up a list one request at a time and then answers well; a single behaviour stays', async () => {
      provider.script([{ type: 'status', status: 500 }, { type: 'status', status: 503 }]);
      assert.deepEqual([(await ask(provider)).status, (await ask(provider)).status, (await ask(provider)).status], [500, 503, 200]);
      provider.script({ type: 'status', status: 502 });
      assert.deepEqual([(await ask(provider)).status, (await ask(provider)).status], [502, 502]);
      const models = (): Promise<Response> => fetch(`${provider.origin}/v1/models`);
      assert.equal((await models()).status, 200);
      provider.script({ type: 'status', status: 502, scope: 'all' });
      assert.equal((await models()).status, 502);
    });

    it('breaks plain answers too', async () => {
      provider.script([{ type: 'cut', after: 'content', how: 'close' }]);
      const { text, broken } = await readAll(await ask(provider, 'say 6 words', { stream: false }));
      assert.ok(broken && text.length > 0);
      assert.throws(() => { JSON.parse(text); });
    });
  });
}

describe('the sandbox\'s remote control', () => {
  it('changes behaviour, shows requests with masked keys, stops and restarts the provider, also while it is stopped', async () => {
    const provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'remote' });
    const post = (path: string, body?: unknown, base = provider.controlUrl): Promise<Response> => fetch(`${base}/${path}`, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    try {
      assert.equal((await post('behaviour', { type: 'status', status: 503 }, `${provider.origin}/__sandbox`)).status, 200);
      assert.equal((await ask(provider)).status, 503);
      assert.match(await (await post('behaviour', { type: 'explode' })).text(), /error/);
      await post('die');
      await assert.rejects(ask(provider), refused);
      const seen = await (await fetch(`${provider.controlUrl}/requests`)).text();
      assert.match(seen, /"authorization":"\*\*\*\*1234"/);
      assert.ok(!seen.includes('secret-key'));
      await post('revive');
      assert.equal((await ask(provider)).status, 200);
      assert.equal((await fetch(`${provider.controlUrl}/requests`, { headers: { origin: 'http://a.page' } })).status, 403);
      assert.equal((await post('die', undefined, `${provider.origin}/__sandbox`)).status, 200);
    } finally {
      await provider.close();
      await provider.close();
    }
  });
});
