import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProtocolName } from '../../../../server/api/conversation.ts';
import type { DrillFault, RunningDrill } from '../../../../server/api/drill.ts';
import { WaybillError } from '../../../../server/base/failure.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../../server/sandbox/sandboxProvider.ts';
import { drillFailure, FaultInjector } from '../../../../server/upstream/interceptors/faultInjector.ts';
import { fetchText } from '../../../../server/upstream/fetchText.ts';
import { responseFailure } from '../../../../server/upstream/failures/responseFailure.ts';
import type { AnswerSource, CallPlace, ResponseListener, UpstreamCall, UpstreamRequest } from '../../../../server/upstream/call.ts';
import { faultInjection } from '../../../../server/upstream/interceptors/faultInjection.ts';
import { Transport } from '../../../../server/upstream/transport.ts';

const timeouts: CallPlace['timeouts'] = { connectMs: 2000, headersMs: 5000, bufferedHeadersMs: 5000, firstTokenMs: 5000, idleMs: 5000, totalMs: 10_000, minTokensPerSecond: 0 };
const model = 'm';
const about = { model, keyId: 'k1' };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function place(protocol: ProtocolName = 'openai-chat'): CallPlace {
  const provider = findProvider('sandbox');
  assert.ok(provider !== undefined);
  return { name: 'a', timeouts, protocol, provider };
}

/** A transport with one drill of the endpoint `a`. */
function drilling(fault: DrillFault, changes: Partial<RunningDrill> = {}): { transport: Transport; drills: FaultInjector; drill: RunningDrill } {
  const drills = new FaultInjector();
  const drill: RunningDrill = { id: 'd1', endpoint: 'a', fault, startedAt: Date.now(), until: Date.now() + 60_000, ...changes };
  drills.begin(drill);
  const transport = new Transport([faultInjection(drills)]);
  closers.push(() => transport.shutdown());
  return { transport, drills, drill };
}

async function provider(protocol: ProtocolName = 'openai-chat'): Promise<SandboxProvider> {
  const started = await startSandboxProvider({ protocol, name: 'a' });
  closers.push(() => started.close());
  return started;
}

/** A server of the test's own, for answers the sandbox does not give. */
async function server(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const made: Server = createServer(answer);
  await new Promise<void>(resolve => made.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise(resolve => {
    made.closeAllConnections();
    made.close(resolve);
  }));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const paths: Record<ProtocolName, string> = {
  'openai-chat': '/chat/completions', 'openai-responses': '/responses', 'anthropic-messages': '/v1/messages', 'gemini': '/v1beta/models/m:streamGenerateContent?alt=sse',
};
function bodyOf(protocol: ProtocolName, stream: boolean, prompt: string): object {
  switch (protocol) {
    case 'openai-responses': return { model, stream, input: prompt };
    case 'gemini': return { contents: [{ role: 'user', parts: [{ text: prompt }] }] };
    case 'openai-chat':
    case 'anthropic-messages': return { model, stream, max_tokens: 500, messages: [{ role: 'user', content: prompt }] };
  }
}
function chat(url: string, protocol: ProtocolName = 'openai-chat', stream = true, prompt = 'say 40 words'): UpstreamRequest {
  const body = Buffer.from(JSON.stringify(bodyOf(protocol, stream, prompt)));
  const path = protocol === 'gemini' && !stream ? '/v1beta/models/m:generateContent' : paths[protocol];
  return {
    method: 'POST', url: url + path, body: [body], about,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...(protocol === 'anthropic-messages' ? { 'anthropic-version': '2023-06-01' } : {}) },
  };
}

interface Received { status?: number; headersAt?: number; text: string; chunks: number; ended: boolean; error?: WaybillError; source?: AnswerSource }

/** Sends a request and collects its answer to the end. */
function listen(transport: Transport, at: CallPlace, request: UpstreamRequest, onChunk?: (call: UpstreamCall, received: Received) => void): Promise<Received> {
  return new Promise(resolve => {
    const received: Received = { text: '', chunks: 0, ended: false };
    const listener: ResponseListener = {
      onHeaders: status => { received.status = status; received.headersAt = performance.now(); },
      onData: chunk => {
        received.text += chunk.toString('utf8');
        received.chunks += 1;
        onChunk?.(call, received);
      },
      onEnd: () => { received.ended = true; resolve(received); },
      onError: error => { received.error = error; resolve(received); },
    };
    const call = transport.dispatch(at, request, listener);
    received.source = call.source;
  });
}

describe('a drilled endpoint that is down', () => {
  it('refuses the connection without one being made, for requests and probes alike', async () => {
    const a = await provider();
    const { transport } = drilling('down');
    const received = await listen(transport, place(), chat(a.url));
    assert.equal(received.error?.failureClass, 'network');
    assert.equal(received.error?.code, 'connection-refused');
    assert.match(received.error?.message ?? '', /^Fire drill: a refused the connection\.$/);
    assert.equal(received.source, 'injected');
    await assert.rejects(fetchText(transport, place(), { method: 'GET', url: `${a.url}/models`, headers: {} }, 1000), /Fire drill/);
    assert.equal(a.connectionCount, 0);
  });

  it('leaves other endpoints alone, and its own once it is over', async () => {
    const a = await provider();
    const { transport, drills, drill } = drilling('down');
    const other = await listen(transport, { ...place(), name: 'b' }, chat(a.url));
    assert.equal(other.ended, true);
    assert.equal(other.source, 'provider');
    drills.end(drill.id);
    assert.equal((await listen(transport, place(), chat(a.url))).ended, true);
  });

  it('is over when the clock is set back, instead of lasting for as much longer', () => {
    let now = 1_000_000_000;
    const drills = new FaultInjector({ now: () => now });
    drills.begin({ id: 'd1', endpoint: 'a', fault: 'down', startedAt: now, until: now + 60_000 });
    assert.equal(drills.matching('a', about)?.id, 'd1');
    now -= 3_600_000;
    assert.equal(drills.matching('a', about), undefined);
  });

  it('ends at its time even when no call ended it', async () => {
    const a = await provider();
    let now = 1000;
    const drills = new FaultInjector({ now: () => now });
    drills.begin({ id: 'd1', endpoint: 'a', fault: 'down', startedAt: 0, until: 2000 });
    const transport = new Transport([faultInjection(drills)]);
    closers.push(() => transport.shutdown());
    assert.equal((await listen(transport, place(), chat(a.url))).error?.failureClass, 'network');
    now = 2000;
    assert.equal((await listen(transport, place(), chat(a.url))).ended, true);
  });

  it('calls no listener after it was aborted', async () => {
    const { transport } = drilling('down');
    let said = 0;
    const call = transport.dispatch(place(), chat('http://127.0.0.1:1'), { onHeaders: () => (said += 1), onData: () => (said += 1), onEnd: () => (said += 1), onError: () => (said += 1) });
    call.abort();
    await sleep(5);
    assert.equal(said, 0);
  });

  it('concerns one model or one key only, where it is said so', async () => {
    const a = await provider();
    const { transport } = drilling('down', { model: 'other' });
    assert.equal((await listen(transport, place(), chat(a.url))).ended, true, 'another model is served');
    assert.equal((await listen(transport, place(), { ...chat(a.url), about: { model: 'other', keyId: 'k1' } })).error?.failureClass, 'network');
    const oneKey = drilling('dead-key', { keyId: 'k2' }).transport;
    assert.equal((await listen(oneKey, place(), chat(a.url))).ended, true, 'another key is good');
    assert.equal((await listen(oneKey, place(), { ...chat(a.url), about: { model, keyId: 'k2' } })).status, 401);
    assert.equal((await fetchText(oneKey, place(), { method: 'GET', url: `${a.url}/models`, headers: {}, about: { keyId: 'k2' } }, 1000)).status, 401, 'a probe with the dead key sees it');
  });
});

describe('a drilled refusal', () => {
  for (const protocol of ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const) {
    for (const [fault, failureClass, status] of [['rate-limit', 'rate-limit', 429], ['dead-key', 'auth', 401]] as const) {
      it(`is read as ${failureClass} by the classifier everything else goes through (${protocol}), and nothing is sent`, async () => {
        const a = await provider(protocol);
        const { transport } = drilling(fault);
        const headers: Record<string, string | string[] | undefined> = {};
        const received = await new Promise<{ status: number; body: string }>((resolve, reject) => {
          let body = '';
          let code = 0;
          transport.dispatch(place(protocol), chat(a.url, protocol), {
            onHeaders: (given, sent) => { code = given; Object.assign(headers, sent); },
            onData: chunk => (body += chunk.toString()), onEnd: () => resolve({ status: code, body }), onError: reject,
          });
        });
        assert.equal(received.status, status);
        const { provider: known } = place(protocol);
        assert.ok(known !== undefined);
        const error = responseFailure(received.status, headers, received.body, { endpoint: 'a', provider: known, keyName: 'work', model }, Date.now());
        assert.equal(error.failureClass, failureClass);
        if (status === 429) assert.equal(error.retryAfterMs, 30_000);
        assert.match(received.body, /fire drill/);
        const drilled = drillFailure(error);
        assert.match(drilled.message, /^Fire drill: a (?:limits the rate of requests \(429\): Rate limit reached \(a fire drill of Waybill\)|rejected key work \(401\))\.$/);
        assert.equal(drilled.helpUrl, undefined, 'no link asks the user to replace a key');
        assert.equal(drillFailure(drilled), drilled);
        assert.equal(a.connectionCount, 0);
      });
    }
  }

  it('is known by its data: a failure that was worded otherwise gets the prefix once, and one that only sounds so gets it too', () => {
    const reworded = new WaybillError('connection-refused', 'network', 'Nothing listens there, by order of a drill.', { injected: true });
    assert.equal(drillFailure(reworded), reworded);
    const named = drillFailure(new WaybillError('provider-server', 'server', 'Fire drill: is the name of this endpoint, which failed.'));
    assert.equal(named.message, 'Fire drill: Fire drill: is the name of this endpoint, which failed.');
    assert.equal(drillFailure(named), named);
  });

  it('loses the advice of its failure, and nothing of a sentence that only looks like advice', () => {
    const quoted = new WaybillError('provider-server', 'server', 'a failed (500): out of memory; restart the node.', { advice: 'wait' });
    assert.equal(quoted.message, 'a failed (500): out of memory; restart the node; wait.');
    assert.equal(drillFailure(quoted).message, 'Fire drill: a failed (500): out of memory; restart the node.');
  });

  it('asks for no longer pause than the drill lasts', () => {
    const drills = new FaultInjector({ now: () => 10_000 });
    const drill: RunningDrill = { id: 'd1', endpoint: 'a', fault: 'rate-limit', startedAt: 0, until: 14_200 };
    assert.equal(drills.refusal(drill, 'openai-chat').headers['retry-after'], '5');
  });
});

describe('a drilled endpoint that is slow', () => {
  it('sends the request and holds the whole answer back until the time has passed', async () => {
    const a = await provider();
    const { transport } = drilling('slow', { slowMs: 120 });
    const sentAt = performance.now();
    const received = await listen(transport, place(), chat(a.url));
    assert.equal(a.requests.length, 1);
    assert.equal(received.status, 200);
    assert.ok((received.headersAt ?? 0) - sentAt >= 119);
    assert.match(received.text, /\[DONE\]/);
    assert.equal(received.source, 'altered');
  });

  it('delivers what it holds when the drill ends', async () => {
    const a = await provider();
    const { transport, drills, drill } = drilling('slow', { slowMs: 60_000 });
    const listening = listen(transport, place(), chat(a.url));
    await a.waitForRequest(request => request.finishedAt !== undefined);
    drills.end(drill.id);
    const received = await listening;
    assert.equal(received.ended, true);
    assert.match(received.text, /\[DONE\]/);
  });

  it('is aborted at once while it holds an answer back', async () => {
    const a = await provider();
    a.script({ type: 'stall', after: 4 });
    const { transport, drills, drill } = drilling('slow', { slowMs: 60_000 });
    let said = 0;
    const call = transport.dispatch(place(), chat(a.url), { onHeaders: () => (said += 1), onData: () => (said += 1), onEnd: () => (said += 1), onError: () => (said += 1) });
    await a.waitForRequest(() => true);
    call.abort();
    await a.waitForRequest(request => request.closedEarlyAt !== undefined);
    drills.end(drill.id);
    assert.equal(said, 0);
  });

  it('keeps to a listener that pauses, and gives everything in order', async () => {
    const text = 'x'.repeat(3_000_000);
    const url = await server((_request, response) => { response.end(text); });
    const { transport } = drilling('slow', { slowMs: 30 });
    const received = await listen(transport, place(), { method: 'GET', url, headers: {}, about }, (call, { chunks }) => {
      if (chunks % 3 !== 1) return;
      call.pause();
      setTimeout(() => call.resume(), 2);
    });
    assert.equal(received.ended, true);
    assert.equal(received.text.length, text.length);
  });

  it('reports a connection that cannot be made without delay', async () => {
    const { transport } = drilling('slow', { slowMs: 60_000 });
    const received = await listen(transport, place(), chat('http://127.0.0.1:9'));
    assert.equal(received.error?.failureClass, 'network');
  });
});

describe('a drilled endpoint that cuts its answers', () => {
  for (const protocol of ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const) {
    it(`breaks a stream off after its first words and before its end (${protocol})`, async () => {
      const a = await provider(protocol);
      const { transport } = drilling('cut');
      const received = await listen(transport, place(protocol), chat(a.origin + (protocol.startsWith('openai') ? '/v1' : ''), protocol));
      assert.equal(a.requests.length, 1);
      assert.equal(received.status, 200);
      assert.equal(received.error?.code, 'stream-cut');
      assert.equal(received.error?.failureClass, 'server');
      assert.match(received.text, /(?:text|content|delta)/);
      assert.doesNotMatch(received.text, /\[DONE\]|response\.completed|message_stop|"finishReason"/);
      assert.equal(received.ended, false);
    });

    it(`gives only the beginning of a plain answer (${protocol})`, async () => {
      const a = await provider(protocol);
      const request = chat(a.origin + (protocol.startsWith('openai') ? '/v1' : ''), protocol, false);
      const { transport } = drilling('cut');
      const received = await listen(transport, place(protocol), request);
      assert.equal(received.error?.code, 'stream-cut');
      assert.ok(received.text.length > 0);
      assert.throws(() => JSON.parse(received.text));
      assert.equal(received.ended, false);
    });
  }

  it('breaks an answer off that comes in one piece and is shorter than the words it waits for', async () => {
    const event = (content: object): string => `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, ...content }] })}\n\n`;
    const url = await server((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${event({ delta: { role: 'assistant', content: 'Yes.' } })}${event({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`);
    });
    const { transport } = drilling('cut');
    const received = await listen(transport, place(), chat(url));
    assert.match(received.text, /Yes\./);
    assert.match(received.text, /\n\n$/, 'what is passed on are whole events');
    assert.doesNotMatch(received.text, /finish_reason|DONE/);
    assert.equal(received.error?.code, 'stream-cut');
  });

  it('passes a refusal of the provider on as it is, and lets probes through', async () => {
    const a = await provider();
    a.script({ type: 'status', status: 500 });
    const { transport } = drilling('cut');
    const received = await listen(transport, place(), chat(a.url));
    assert.equal(received.status, 500);
    assert.equal(received.ended, true);
    a.script({ type: 'answer' });
    assert.equal((await fetchText(transport, place(), { method: 'GET', url: `${a.url}/models`, headers: {}, about: { keyId: 'k1' } }, 2000)).status, 200);
  });

  it('stops the provider at the cut', async () => {
    const url = await server((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"a":'.padEnd(2000));
      const timer = setInterval(() => { response.write('"b"'.padEnd(2000)); }, 5);
      response.on('close', () => clearInterval(timer));
    });
    const { transport } = drilling('cut');
    const sized = await server((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '4000' });
      response.write('x'.repeat(3000));
    });
    const received = await listen(transport, place(), chat(sized));
    assert.equal(received.text.length, 2000);
    assert.equal(received.error?.code, 'stream-cut');
    let pieces = 0;
    const call = transport.dispatch(place(), chat(url), { onHeaders: () => undefined, onData: () => (pieces += 1), onEnd: () => undefined, onError: () => undefined });
    while (pieces < 2) await sleep(5);
    call.abort();
  });
});
