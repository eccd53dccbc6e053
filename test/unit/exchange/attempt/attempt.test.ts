import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import { WaybillError } from '../../../../server/base/failure.ts';
import type { FailureCode } from '../../../../server/base/failureCodes.ts';
import type { ResponseHeaders } from '../../../../server/base/headers/responseHeaders.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import type { EndpointConfig, Timeouts } from '../../../../server/config/config.ts';
import { UpstreamAttempt, type AttemptOptions, type AttemptOwner } from '../../../../server/exchange/attempt/attempt.ts';
import type { AttemptEnd } from '../../../../server/exchange/attempt/machine.ts';
import type { AttemptOrigin } from '../../../../server/exchange/attempt/origin.ts';
import { openAiChat } from '../../../../server/protocols/openAiChat/codec.ts';
import type { Dispatcher, ResponseListener, UpstreamCall } from '../../../../server/upstream/call.ts';
import { mockClock } from './mockClock.ts';

const timeouts: Timeouts = { connectMs: 60_000, headersMs: 60_000, bufferedHeadersMs: 60_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000, minTokensPerSecond: 0 };
const provider = findProvider('openai');
assert.ok(provider !== undefined);
const endpoint = { name: 'relay', protocol: 'openai-chat', provider, timeouts } as unknown as EndpointConfig;
const target = { target: 'relay/m', endpoint: 'relay', model: 'm', upstreamModel: 'm' };
const origin = { target, endpoint, timeouts } as unknown as AttemptOrigin;

/** Logs in short form, in order, what an attempt reports and what it does to its call. */
class Owner implements AttemptOwner {
  readonly log: string[] = [];
  end: AttemptEnd | undefined;
  /** What the caller returns for bytes and events: false when it is slow. */
  ready = true;
  /** Called with each report, before it returns. */
  during: (report: string) => void = () => { /* nothing */ };

  onAnswering(): void { this.#note('answering'); }
  onArrive(): void { this.#note('arrive'); }
  onCommit(): void { this.#note('commit'); }
  onBegin(_attempt: UpstreamAttempt, headers: Readonly<Record<string, string>>): void { this.#note(`begin ${Object.keys(headers).join(',')}`.trim()); }
  onBytes(chunk: Buffer): boolean { this.#note(`bytes ${textOf(chunk)}`); return this.ready; }
  onEvents(events: readonly ConversationEvent[]): boolean { this.#note(`events ${events.map(event => event.type).join(',')}`); return this.ready; }
  onBuffered(body: Buffer): void { this.#note(`body ${body.toString()}`); }
  onDone(_attempt: UpstreamAttempt, end: AttemptEnd): void {
    this.end = end;
    this.#note(end.kind === 'ok' ? `ok ${end.reason ?? ''}`.trim() : `failed ${end.error.code}${end.begun ? ' begun' : ''}`);
  }

  #note(report: string): void {
    this.log.push(report);
    this.during(report);
  }
}

/** A transport with one call, whose answer the test scripts. It guards and ends its listener as the real one does. */
class ScriptedTransport implements Dispatcher {
  readonly #log: string[];
  #listener: ResponseListener | undefined;

  constructor(log: string[]) {
    this.#log = log;
  }

  dispatch(_place: unknown, _request: unknown, listener: ResponseListener): UpstreamCall {
    this.#listener = listener;
    return {
      source: 'provider',
      abort: silent => {
        this.#log.push(silent === true ? 'abort silent' : 'abort');
        this.#listener = undefined;
      },
      pause: () => { this.#log.push('pause'); },
      resume: () => { this.#log.push('resume'); },
    };
  }

  /** Whether the call still has a listener. */
  get listening(): boolean {
    return this.#listener !== undefined;
  }

  headers(status: number, headers: ResponseHeaders): void { this.#guarded(listener => listener.onHeaders(status, headers)); }
  data(text: string): void { this.#guarded(listener => listener.onData(Buffer.from(text))); }
  end(): void { this.#last(listener => listener.onEnd()); }
  error(code: FailureCode = 'connection-lost'): void { this.#last(listener => listener.onError(new WaybillError(code, 'network', 'The connection was lost.'))); }

  #guarded(play: (listener: ResponseListener) => void): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    try {
      play(listener);
    } catch (cause) {
      this.#listener = undefined;
      listener.onError(new WaybillError('unreadable-answer', 'server', 'It could not be read.', { cause }));
    }
  }

  #last(play: (listener: ResponseListener) => void): void {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) play(listener);
  }
}

interface Scene { owner: Owner; attempt: UpstreamAttempt; transport: ScriptedTransport; log: string[] }

type SceneOptions = Partial<AttemptOptions> & { passThrough?: boolean };

function attemptFor(owner: Owner, { passThrough = true, ...options }: SceneOptions = {}): UpstreamAttempt {
  return new UpstreamAttempt({
    owner, origin, clock: { now: () => Date.UTC(2026, 0, 1) }, stream: true, holdsPrelude: true, finishSuffices: false, refusalFails: false, wholeCalls: false,
    outgoing: { request: { method: 'POST', url: 'https://relay.test/v1', headers: {} }, passThrough, hideUsage: false, codec: openAiChat, leftOut: [], changes: [] },
    source: { endpoint: 'relay', provider: endpoint.provider, model: 'm' },
    ...options,
  });
}

function scene(t: TestContext, options?: SceneOptions): Scene {
  const owner = new Owner();
  const attempt = attemptFor(owner, options);
  t.after(() => attempt.abandon());
  const transport = new ScriptedTransport(owner.log);
  attempt.start(transport);
  return { owner, attempt, transport, log: owner.log };
}

const streamHeaders = { 'content-type': 'text/event-stream', 'x-request-id': 'r1', server: 'x' };
const chunk = (fields: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', ...fields })}\n\n`;
const delta = (fields: object): string => chunk({ choices: [{ index: 0, delta: fields }] });
const role = delta({ role: 'assistant', content: '' });
const word = (content: string): string => delta({ content });
const stop = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const done = 'data: [DONE]\n\n';
const lateUsage = chunk({ choices: [], usage: { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540 } });
const callStart = delta({ tool_calls: [{ index: 0, id: 'a1', function: { name: 'run', arguments: '' } }] });
const callArguments = delta({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] });
const whole = JSON.stringify({ id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] });

/** Chunks in short form: the content of each event, or its kind. */
function textOf(bytes: Buffer): string {
  return bytes.toString().split('\n\n').filter(event => event !== '').map(event => {
    if (event === role.trim()) return 'role';
    if (event === stop.trim()) return 'stop';
    if (event === lateUsage.trim()) return 'usage';
    return /"content":"([^"]+)"/.exec(event)?.[1] ?? event.replace('data: ', '');
  }).join(' ');
}

describe('a stream', () => {
  it('is passed on in the provider\'s bytes: the prelude with the first content, and every later chunk as it arrives', t => {
    const { transport, log, attempt } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(role);
    assert.deepEqual(log, ['answering']);
    transport.data(word('one'));
    assert.deepEqual(log.splice(0), ['answering', 'arrive', 'commit', 'begin x-request-id', 'bytes role', 'bytes one']);
    transport.data(word('two') + stop);
    transport.data(done);
    transport.end();
    assert.deepEqual(log, ['bytes two stop', 'bytes [DONE]', 'ok end']);
    assert.equal(attempt.figures.generatedChars, 6);
    assert.equal(attempt.figures.status, 200);
  });

  it('is passed on as events to a caller of another protocol', t => {
    const { transport, log } = scene(t, { passThrough: false });
    transport.headers(200, streamHeaders);
    transport.data(role);
    transport.data(word('one'));
    transport.data(stop + done);
    transport.end();
    assert.deepEqual(log, ['answering', 'arrive', 'commit', 'begin', 'events start,text', 'events finish', 'ok end']);
  });

  it('passes on its prelude at once when no other target could take over', t => {
    const { transport, log } = scene(t, { holdsPrelude: false });
    transport.headers(200, streamHeaders);
    transport.data(role);
    assert.deepEqual(log, ['answering', 'begin x-request-id', 'bytes role']);
  });

  it('passes on the chunk itself when it holds whole events', t => {
    const { transport, owner, attempt } = scene(t);
    const got: Buffer[] = [];
    owner.onBytes = piece => got.push(piece) > 0;
    transport.headers(200, streamHeaders);
    const bytes = Buffer.from(word('one'));
    attempt.onData(bytes);
    attempt.onData(bytes);
    assert.equal(got[1], bytes);
  });

  it('that is cut before the commit point fails unseen by the caller', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(role);
    transport.end();
    assert.deepEqual(log, ['answering', 'abort', 'failed stream-cut']);
  });

  it('that is cut after the commit point fails in sight of the caller', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one'));
    transport.error();
    assert.deepEqual(log.slice(4), ['bytes one', 'abort', 'failed connection-lost begun']);
  });

  it('that is cut within a tool call fails unseen when the caller sees whole calls only', t => {
    const { transport, log } = scene(t, { passThrough: false, wholeCalls: true });
    transport.headers(200, streamHeaders);
    transport.data(callStart);
    transport.data(callArguments);
    transport.end();
    assert.deepEqual(log, ['answering', 'arrive', 'abort', 'failed stream-cut']);
  });

  it('is complete at its terminal event, however its connection ends', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop + done);
    transport.error('connection-reset');
    assert.deepEqual(log.slice(-2), ['bytes one stop [DONE]', 'ok end']);
  });

  it('is over at its last event when the connection stays open, and closes the connection after a short wait', t => {
    const clock = mockClock(t);
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    clock.tick(1000);
    transport.data(done);
    clock.tick(1499);
    assert.equal(log.at(-1), 'bytes [DONE]');
    clock.tick(1);
    assert.deepEqual(log.slice(-2), ['abort', 'ok end']);
    assert.equal(transport.listening, false);
  });

  it('is not over at its finish reason: usage is waited for as long as the provider is not silent for the idle timeout', t => {
    const clock = mockClock(t);
    const { attempt, transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    clock.tick(50_000);
    transport.data(': keep-alive\n\n');
    clock.tick(50_000);
    assert.equal(attempt.isWhole, true);
    transport.data(lateUsage + done);
    transport.end();
    assert.deepEqual(log.slice(-3), ['bytes : keep-alive', 'bytes usage [DONE]', 'ok end']);
    assert.equal(attempt.figures.usage.outputTokens, 340);
  });

  it('of which nothing came after the finish reason for the idle timeout is complete, and gets the last event of its protocol', t => {
    const clock = mockClock(t);
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    clock.tick(59_999);
    assert.equal(log.at(-1), 'bytes one stop');
    clock.tick(1);
    assert.deepEqual(log.slice(-3), ['bytes [DONE]', 'abort', 'ok end']);
  });

  it('whose usage came in a chunk of its own is over without [DONE] after a short wait', t => {
    const clock = mockClock(t);
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    transport.data(lateUsage);
    clock.tick(1500);
    assert.deepEqual(log.slice(-3), ['bytes [DONE]', 'abort', 'ok end']);
  });

  it('that the provider closes without [DONE] ends with it all the same', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    transport.end();
    assert.deepEqual(log.slice(-2), ['bytes [DONE]', 'ok end']);
  });

  it('whose last event lacks its blank line is closed so that both events can be read', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop.trimEnd());
    transport.end();
    assert.deepEqual(log.slice(-3), ['bytes stop', 'bytes [DONE]', 'ok end']);
  });

  it('without text waits only a moment after its finish reason, so that another target takes over', t => {
    const clock = mockClock(t);
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(role + stop);
    clock.tick(1500);
    assert.deepEqual(log.slice(-2), ['abort', 'failed empty-answer']);
  });

  it('that is settled early is complete with the usage that is known', t => {
    const { attempt, transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one') + stop);
    attempt.settle();
    assert.deepEqual(log.slice(-3), ['bytes [DONE]', 'abort', 'ok end']);
  });

  it('whose ending our encoder writes is complete at its stop reason', t => {
    const { transport, log } = scene(t, { passThrough: false, finishSuffices: true });
    transport.headers(200, streamHeaders);
    transport.data(word('one') + chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }] }));
    transport.data('data: {"error":{"message":"it broke"}}\n\n');
    assert.deepEqual(log.slice(-3), ['events start,text,finish', 'abort', 'ok length']);
  });

  it('without content is no answer, and nothing of it is passed on', t => {
    const { transport, log } = scene(t, { holdsPrelude: false });
    transport.headers(200, streamHeaders);
    transport.data(stop + done);
    transport.end();
    assert.deepEqual(log, ['answering', 'abort', 'failed empty-answer']);
  });

  it('without content is an answer when its stop reason explains it', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(role);
    transport.data(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }] }) + done);
    transport.end();
    assert.deepEqual(log.filter(entry => !entry.startsWith('bytes')), ['answering', 'arrive', 'commit', 'begin x-request-id', 'ok length']);
    assert.match(log.find(entry => entry.startsWith('bytes')) ?? '', /^bytes role .*\[DONE\]$/);
  });

  it('without a single event is empty', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    transport.end();
    assert.deepEqual(log, ['answering', 'abort', 'failed empty-answer']);
  });

  it('with an error event fails, and the events before the error are passed on', t => {
    const { transport, log, owner } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(`${word('one')}data: {"error":{"message":"it broke","type":"server_error"}}\n\n${word('two')}`);
    assert.deepEqual(log.slice(-3), ['bytes one', 'abort', 'failed provider-server begun']);
    assert.ok(owner.end?.kind === 'failed');
    assert.match(owner.end.error.message, /it broke/);
  });

  it('whose prelude exceeds the bound is aborted unseen by the caller', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    const events = role.repeat(500);
    for (let index = 0; index < 5 && transport.listening; index += 1) transport.data(events);
    assert.deepEqual(log, ['answering', 'abort', 'failed prelude-too-large']);
  });

  it('whose bytes are no event stream is aborted with the failure of the stream reader', t => {
    const { transport, log } = scene(t);
    transport.headers(200, streamHeaders);
    for (let index = 0; index < 400 && transport.listening; index += 1) transport.data(': ping\n'.repeat(5_000));
    assert.deepEqual(log, ['answering', 'abort', 'failed stream-noise']);
  });
});

describe('an answer that is no stream', () => {
  it('is passed on as one body to a caller of the same protocol that asked for one', t => {
    const { transport, log, attempt } = scene(t, { stream: false });
    transport.headers(200, { 'content-type': 'application/json', 'x-request-id': 'r1' });
    transport.data(whole.slice(0, 20));
    transport.data(whole.slice(20));
    assert.deepEqual(log, ['answering']);
    transport.end();
    assert.deepEqual(log.slice(1), ['arrive', 'commit', 'begin x-request-id', `body ${whole}`, 'ok end']);
    assert.equal(attempt.figures.generatedChars, 2);
  });

  for (const contentType of ['application/json', undefined]) it(`is read whole where a stream was asked for and ${contentType === undefined ? 'no header says so' : 'JSON comes'}`, t => {
    const { transport, log } = scene(t);
    transport.headers(200, { 'content-type': contentType });
    transport.data(` ${whole.slice(0, 20)}`);
    transport.data(whole.slice(20));
    transport.end();
    assert.deepEqual(log, ['answering', 'arrive', 'commit', 'begin', 'events start,text,finish', 'ok end']);
  });

  it('is no answer when it is a web page', t => {
    const { transport, log } = scene(t);
    transport.headers(200, { 'content-type': 'text/html' });
    assert.deepEqual(log, ['answering', 'abort', 'failed not-an-api']);
  });

  it('is no answer when it is of another format', t => {
    const { transport, log } = scene(t, { stream: false });
    transport.headers(200, { 'content-type': 'application/json' });
    transport.data('it works');
    transport.end();
    assert.deepEqual(log, ['answering', 'abort', 'failed not-json']);
  });

  it('is an error when its body says so, and is passed on unchanged', t => {
    const { transport, owner } = scene(t, { stream: false });
    transport.headers(200, { 'content-type': 'application/json' });
    const body = '{"error":{"message":"slow down","code":429}}';
    transport.data(body);
    transport.end();
    assert.ok(owner.end?.kind === 'failed');
    assert.equal(owner.end.error.failureClass, 'rate-limit');
    assert.equal(owner.end.raw?.body.toString(), body);
  });

  it('is aborted when it exceeds the bound', t => {
    const { transport, log } = scene(t, { passThrough: false, stream: false });
    transport.headers(200, { 'content-type': 'application/json' });
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let index = 0; index < 33 && transport.listening; index += 1) transport.data(megabyte);
    assert.deepEqual(log, ['answering', 'abort', 'failed answer-too-large']);
  });
});

describe('a refusal', () => {
  const body = '{"error":{"message":"Rate limit reached.","type":"rate_limit_error"}}';

  it('is explained by its body', t => {
    const { transport, owner, log } = scene(t);
    transport.headers(429, { 'content-type': 'application/json' });
    transport.data(body.slice(0, 9));
    transport.data(body.slice(9));
    transport.end();
    assert.deepEqual(log, ['answering', 'abort', 'failed provider-rate-limit']);
    assert.ok(owner.end?.kind === 'failed');
    assert.equal(owner.end.raw?.body.toString(), body);
  });

  it('is the reported failure even when its explanation does not arrive', t => {
    const { transport, log } = scene(t);
    transport.headers(429, { 'content-type': 'application/json' });
    transport.error();
    assert.deepEqual(log, ['answering', 'abort', 'failed provider-rate-limit']);
  });

  it('has a bounded wait for its explanation', t => {
    const clock = mockClock(t);
    const { transport, log } = scene(t);
    transport.headers(429, { 'content-type': 'application/json' });
    clock.tick(5001);
    assert.deepEqual(log, ['answering', 'abort', 'failed provider-rate-limit']);
  });

  it('is cut when its explanation is long', t => {
    const { transport, owner } = scene(t);
    transport.headers(500, { 'content-type': 'application/json' });
    transport.data('x'.repeat(200 * 1024));
    assert.ok(owner.end?.kind === 'failed');
    assert.deepEqual([owner.end.error.failureClass, owner.end.raw, transport.listening], ['server', undefined, false]);
  });
});

describe('an attempt that its owner abandons', () => {
  const ways: [when: string, play: (transport: ScriptedTransport) => void][] = [
    ['before the headers', () => { /* nothing came */ }],
    ['before the first event', transport => transport.headers(200, streamHeaders)],
    ['before the first content', transport => { transport.headers(200, streamHeaders); transport.data(role); }],
    ['in mid-answer', transport => { transport.headers(200, streamHeaders); transport.data(word('one')); }],
    ['after the terminal event', transport => { transport.headers(200, streamHeaders); transport.data(word('one') + stop + done); }],
    ['within a body', transport => { transport.headers(200, { 'content-type': 'application/json' }); transport.data('{'); }],
    ['within a refusal', transport => { transport.headers(500, {}); transport.data('{'); }],
  ];
  for (const [when, play] of ways) it(`${when} ends with its call and reports nothing more`, t => {
    const clock = mockClock(t);
    const { transport, attempt, log, owner } = scene(t);
    play(transport);
    log.length = 0;
    attempt.abandon();
    attempt.abandon();
    attempt.onData(Buffer.from(word('two')));
    attempt.onEnd();
    attempt.onError(new WaybillError('connection-lost', 'network', 'Lost.'));
    clock.tick(1_000_000);
    assert.deepEqual(log, ['abort']);
    assert.equal(owner.end, undefined);
  });

  for (const report of ['answering', 'arrive', 'commit', 'begin x-request-id', 'bytes one']) it(`while it reports "${report}" reports nothing after that`, t => {
    const { transport, attempt, owner, log } = scene(t);
    owner.during = name => { if (name === report) attempt.abandon(); };
    transport.headers(200, streamHeaders);
    transport.data(word('one'));
    transport.data(word('two'));
    transport.end();
    assert.deepEqual(log.slice(log.indexOf(report)), [report, 'abort']);
  });

  it('after it has ended does not change', t => {
    const { transport, attempt, log } = scene(t);
    transport.headers(200, { 'content-type': 'text/html' });
    log.length = 0;
    attempt.abandon();
    assert.deepEqual(log, []);
  });
});

describe('a caller that is slow', () => {
  for (const passThrough of [true, false]) it(`makes the provider wait until it can take more (${passThrough ? 'bytes' : 'events'})`, t => {
    const { transport, attempt, owner, log } = scene(t, { passThrough });
    transport.headers(200, streamHeaders);
    owner.ready = false;
    transport.data(word('one'));
    assert.equal(log.at(-1), 'pause');
    owner.ready = true;
    attempt.resume();
    assert.equal(log.at(-1), 'resume');
    transport.data(word('two'));
    assert.notEqual(log.at(-1), 'pause');
  });

  it('is named as the cause of the timeout, and the provider is not', t => {
    const clock = mockClock(t);
    const { transport, owner } = scene(t);
    transport.headers(200, streamHeaders);
    owner.ready = false;
    transport.data(word('one'));
    clock.tick(600_000);
    assert.ok(owner.end?.kind === 'failed');
    assert.deepEqual([owner.end.error.code, owner.end.error.failureClass, owner.end.error.message],
      ['caller-too-slow', 'cancelled', 'The caller did not read the answer of relay within 600 s.']);
  });

  it('is not waited for while everything is held back', t => {
    const { transport, owner, log } = scene(t);
    owner.ready = false;
    transport.headers(200, streamHeaders);
    transport.data(role);
    assert.deepEqual(log, ['answering']);
  });
});

describe('a timer that runs out', () => {
  it('ends the call and marks the connection as possibly dead', t => {
    const clock = mockClock(t);
    const { log, owner } = scene(t);
    clock.tick(60_001);
    assert.deepEqual(log, ['abort silent', 'failed headers-timeout']);
    assert.ok(owner.end?.kind === 'failed');
    assert.equal(owner.end.error.message, 'relay took the request and sent nothing back within 60 s.');
  });

  it('in mid-answer reports that the answer stalled', t => {
    const clock = mockClock(t);
    const { transport, owner } = scene(t);
    transport.headers(200, streamHeaders);
    transport.data(word('one'));
    clock.tick(60_001);
    assert.ok(owner.end?.kind === 'failed');
    assert.deepEqual([owner.end.error.code, owner.end.begun], ['idle-timeout', true]);
  });
});

describe('an owner that throws', () => {
  for (const report of ['arrive', 'commit', 'begin x-request-id', 'bytes one']) it(`at "${report}" ends the attempt once, as failed`, t => {
    const { transport, owner, log } = scene(t);
    owner.during = name => { if (name === report) throw new Error('a bug'); };
    transport.headers(200, streamHeaders);
    transport.data(word('one'));
    transport.data(word('two') + done);
    transport.end();
    const begun = report.startsWith('b') ? ' begun' : '';
    assert.deepEqual(log.slice(log.indexOf(report)), [report, 'abort', `failed unreadable-answer${begun}`]);
  });

  for (const [name, options] of [['passed on', {}], ['written by our encoder', { passThrough: false, finishSuffices: true }]] as const) {
    it(`after the terminal event leaves no complete answer, because a part of it is lost (${name})`, t => {
      const { transport, owner, log } = scene(t, options);
      owner.during = entry => { if (entry.startsWith('bytes') || entry.startsWith('events')) throw new Error('a bug'); };
      transport.headers(200, streamHeaders);
      transport.data(word('one') + stop + done);
      transport.end();
      assert.equal(log.at(-1), 'failed unreadable-answer begun');
      assert.ok(owner.end?.kind === 'failed');
      assert.equal((owner.end.error.cause as Error).message, 'a bug');
    });
  }

  it('while a complete answer waits for the end of its connection causes no uncaught error', t => {
    const clock = mockClock(t);
    const { transport, owner, log } = scene(t);
    owner.during = report => { if (report === 'commit') throw new Error('a bug'); };
    transport.headers(200, streamHeaders);
    transport.data(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }] }) + done);
    clock.tick(1500);
    assert.deepEqual(log.slice(-3), ['commit', 'abort', 'failed unreadable-answer']);
  });

  it('at a whole body leaves no answer', t => {
    const { transport, owner, log } = scene(t, { passThrough: false, stream: false, finishSuffices: true });
    owner.during = report => { if (report.startsWith('events')) throw new Error('a bug'); };
    transport.headers(200, { 'content-type': 'application/json' });
    transport.data(whole);
    transport.end();
    assert.equal(log.at(-1), 'failed unreadable-answer begun');
  });

  it('at the headers is handled by the transport', t => {
    const { transport, owner, log } = scene(t);
    owner.during = report => { if (report === 'answering') throw new Error('a bug'); };
    transport.headers(200, streamHeaders);
    assert.deepEqual(log, ['answering', 'abort', 'failed unreadable-answer']);
  });
});

test('a call that fails before it is handed over is aborted', () => {
  const owner = new Owner();
  attemptFor(owner).start({
    dispatch: (_place, _request, listener) => {
      listener.onError(new WaybillError('unsendable', 'local', 'It cannot be sent.'));
      return { source: 'provider', abort: () => { owner.log.push('abort'); }, pause: () => { /* unused */ }, resume: () => { /* unused */ } };
    },
  });
  assert.deepEqual(owner.log, ['failed unsendable', 'abort']);
});
