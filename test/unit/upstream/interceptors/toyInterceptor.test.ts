import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { findProvider } from '../../../../server/catalog/providers.ts';
import type { AnswerSource, CallPlace, Dispatch, Interceptor, ResponseListener, UpstreamCall, UpstreamRequest } from '../../../../server/upstream/call.ts';
import { AwsLogins } from '../../../../server/upstream/interceptors/awsCredentials.ts';
import { EntraTokens } from '../../../../server/upstream/interceptors/entraAuth.ts';
import { FaultInjector } from '../../../../server/upstream/interceptors/faultInjector.ts';
import { GoogleTokens } from '../../../../server/upstream/interceptors/googleTokens.ts';
import { standardInterceptors } from '../../../../server/upstream/interceptors/standardInterceptors.ts';
import { Transport } from '../../../../server/upstream/transport.ts';

/** What a new interceptor needs: this function, and one entry in the list of interceptors. */
function recordCalls(record: string[]): Interceptor {
  return next => (place, request, listener) => {
    record.push(`${request.method} ${place.name}`);
    return next(place, request, {
      onConnected: connectMs => listener.onConnected?.(connectMs),
      onHeaders: (status, headers) => {
        record.push(`answered ${status}`);
        listener.onHeaders(status, headers);
      },
      onData: chunk => listener.onData(chunk),
      onEnd: () => listener.onEnd(),
      onError: error => {
        record.push(`failed ${error.code}`);
        listener.onError(error);
      },
    });
  };
}

/** Answers the second request for a URL from memory. */
function answerFromMemory(): Interceptor {
  const known = new Map<string, { status: number; chunks: Buffer[] }>();
  return next => (place, request, listener) => {
    const answer = known.get(request.url);
    if (answer !== undefined) return new RememberedCall(listener, answer);
    const chunks: Buffer[] = [];
    let status = 0;
    return next(place, request, {
      onHeaders: (code, headers) => {
        status = code;
        listener.onHeaders(code, headers);
      },
      onData: chunk => {
        chunks.push(chunk);
        listener.onData(chunk);
      },
      onEnd: () => {
        known.set(request.url, { status, chunks });
        listener.onEnd();
      },
      onError: error => listener.onError(error),
    });
  };
}

class RememberedCall implements UpstreamCall {
  readonly source = 'cache';
  #listener: ResponseListener | undefined;

  constructor(listener: ResponseListener, { status, chunks }: { status: number; chunks: readonly Buffer[] }) {
    this.#listener = listener;
    setImmediate(() => {
      this.#listener?.onHeaders(status, {});
      for (const chunk of chunks) this.#listener?.onData(chunk);
      this.#listener?.onEnd();
    });
  }

  abort(): void { this.#listener = undefined; }
  pause(): void { /* The whole answer is in memory already. */ }
  resume(): void { /* See pause. */ }
}

const timeouts: CallPlace['timeouts'] = { connectMs: 2000, headersMs: 2000, bufferedHeadersMs: 2000, firstTokenMs: 2000, idleMs: 2000, totalMs: 2000, minTokensPerSecond: 0 };
const place: CallPlace = { name: 'a', timeouts, protocol: 'openai-chat', provider: findProvider('openai') ?? assert.fail() };

function ask(dispatch: Dispatch, url: string): Promise<{ text: string; source: AnswerSource; failure?: string }> {
  const request: UpstreamRequest = { method: 'GET', url, headers: {}, about: { model: 'm', keyId: 'k1' } };
  return new Promise(resolve => {
    let text = '';
    const call = dispatch(place, request, {
      onHeaders: () => undefined,
      onData: chunk => { text += chunk.toString(); },
      onEnd: () => resolve({ text, source: call.source }),
      onError: error => resolve({ text, source: call.source, failure: error.code }),
    });
  });
}

describe('an interceptor of its own', () => {
  let server: Server;
  let url = '';
  let served = 0;

  before(async () => {
    server = createServer((_request, response) => {
      served += 1;
      response.end(`answer ${served}`);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
  });
  after(() => server.close());

  /** The standard interceptors with two of this test's own, the memory innermost. */
  function sending(record: string[], faultInjector = new FaultInjector()): Transport {
    return new Transport([recordCalls(record), ...standardInterceptors({ faultInjector, googleTokens: new GoogleTokens(), awsLogins: new AwsLogins(), entraTokens: new EntraTokens(), instance: 'toy' }), answerFromMemory()]);
  }

  it('sees every call, also one that another interceptor answers', async () => {
    const record: string[] = [];
    const faultInjector = new FaultInjector();
    const transport = sending(record, faultInjector);
    assert.deepEqual(await ask(transport.dispatch, url), { text: 'answer 1', source: 'provider' });
    faultInjector.begin({ id: 'd1', endpoint: 'a', fault: 'down', startedAt: Date.now(), until: Date.now() + 60_000 });
    assert.deepEqual(await ask(transport.dispatch, url), { text: '', source: 'injected', failure: 'connection-refused' });
    assert.deepEqual(record, ['GET a', 'answered 200', 'GET a', 'failed connection-refused']);
    await transport.shutdown();
  });

  it('answers from memory, and nothing is sent', async () => {
    const record: string[] = [];
    const transport = sending(record);
    const servedBefore = served;
    const first = await ask(transport.dispatch, url);
    const second = await ask(transport.dispatch, url);
    assert.deepEqual([first.source, second.source], ['provider', 'cache']);
    assert.equal(second.text, first.text);
    assert.equal(served, servedBefore + 1);
    await transport.shutdown();
  });

  it('is composed once, at construction, the first of the list outermost', async () => {
    const order: string[] = [];
    const layer = (name: string): Interceptor => next => {
      order.push(`compose ${name}`);
      return (at, request, listener) => {
        order.push(name);
        return next(at, request, listener);
      };
    };
    const transport = new Transport([layer('outer'), layer('inner')]);
    await ask(transport.dispatch, url);
    await ask(transport.dispatch, url);
    assert.deepEqual(order, ['compose inner', 'compose outer', 'outer', 'inner', 'outer', 'inner']);
    await transport.shutdown();
  });

  it('that has nothing to do adds no layer to a call: the caller gets the very call of the transport', async () => {
    const inner: UpstreamCall = { source: 'provider', abort: () => undefined, pause: () => undefined, resume: () => undefined };
    const listeners: ResponseListener[] = [];
    const end: Dispatch = (_place, _request, listener) => {
      listeners.push(listener);
      return inner;
    };
    const dispatch = standardInterceptors({ faultInjector: new FaultInjector(), googleTokens: new GoogleTokens(), awsLogins: new AwsLogins(), entraTokens: new EntraTokens(), instance: 'toy' }).reduceRight((next, interceptor) => interceptor(next), end);
    const listener: ResponseListener = { onHeaders: () => undefined, onData: () => undefined, onEnd: () => undefined, onError: () => undefined };
    assert.equal(dispatch(place, { method: 'GET', url, headers: {} }, listener), inner);
    assert.equal(listeners[0], listener);
  });

  it('is the only thing to add: a drill still comes before a login at Google', async () => {
    const faultInjector = new FaultInjector();
    let logins = 0;
    const googleTokens = new GoogleTokens(() => {
      logins += 1;
      return Promise.reject(new Error('no login'));
    });
    faultInjector.begin({ id: 'd1', endpoint: 'a', fault: 'dead-key', startedAt: Date.now(), until: Date.now() + 60_000 });
    const transport = new Transport(standardInterceptors({ faultInjector, googleTokens, awsLogins: new AwsLogins(), entraTokens: new EntraTokens(), instance: 'toy' }));
    await new Promise<void>(resolve => {
      transport.dispatch(place, { method: 'POST', url, headers: {}, login: { kind: 'google', keyFile: undefined } }, {
        onHeaders: status => assert.equal(status, 401), onData: () => undefined, onEnd: resolve, onError: () => assert.fail(),
      });
    });
    assert.equal(logins, 0);
    await transport.shutdown();
  });
});
