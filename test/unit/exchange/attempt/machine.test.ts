import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent, StopReason } from '../../../../server/api/conversation.ts';
import { WaybillError } from '../../../../server/base/failure.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import {
  abandon, advance, begin, bufferedFlaw, fail, holdsBack, isWholeAnswer, maxBodyBytes, passesBodyOn, readChunk, receiveBody, receiveHead, refuse, streamFlaw, succeed, toBuffered, waiting,
  type AnswerSoFar, type AttemptState, type AttemptTerms, type BufferedState, type EndedState, type ErrorBodyState, type ResponseHead, type StreamingState, type StreamSoFar,
} from '../../../../server/exchange/attempt/machine.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const provider = findProvider('openai');
assert.ok(provider !== undefined);

const terms: AttemptTerms = {
  source: { endpoint: 'relay', provider, model: 'm' }, outgoing: { passThrough: true },
  stream: true, holdsPrelude: true, finishSuffices: false, refusalFails: false,
};
const translated: AttemptTerms = { ...terms, outgoing: { passThrough: false } };
const rewritten: AttemptTerms = { ...translated, finishSuffices: true };

const head: ResponseHead = { status: 200, headers: { 'content-type': 'text/event-stream' } };
type Phase = StreamingState['phase'];
function streaming(phase: Phase, begun = phase === 'committed'): StreamingState {
  return phase === 'open' || phase === 'held' ? { state: 'streaming', phase, head, begun, declared: true } : { state: 'streaming', phase, head, begun };
}
function buffered(phase: BufferedState['phase'] = 'collecting', begun = false): BufferedState {
  return { state: 'buffered', phase, head, begun };
}
function errorBody(status: number, contentType = 'application/json'): ErrorBodyState {
  return { state: 'error-body', head: { status, headers: { 'content-type': contentType, 'x-request-id': 'r1' } } };
}

const nothing: AnswerSoFar = { hasContent: false, visible: false, stopReason: undefined };
const unseen: AnswerSoFar = { ...nothing, hasContent: true };
const seen: AnswerSoFar = { ...unseen, visible: true };
const stopped = (stopReason: StopReason, so: AnswerSoFar = nothing): AnswerSoFar => ({ ...so, stopReason });
const running: StreamSoFar = { eventCount: 3, terminated: false };
const terminated: StreamSoFar = { eventCount: 4, terminated: true };

const lost = new WaybillError('connection-lost', 'network', 'The connection was lost.');
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A state in short form. */
function words(state: AttemptState): string {
  switch (state.state) {
    case 'waiting': return 'waiting';
    case 'streaming': return `streaming ${state.phase}${state.begun ? ', begun' : ''}`;
    case 'buffered': return `buffered ${state.phase}${state.begun ? ', begun' : ''}`;
    case 'error-body': return `error body ${state.head.status}`;
    case 'ended': {
      const call = state.aborts ? ', aborts' : '';
      if (state.end === undefined) return `ended${call}`;
      if (state.end.kind === 'ok') return `ended ok (${state.end.reason ?? 'no reason'})${call}`;
      return `ended ${state.end.error.code}${state.end.begun ? ', begun' : ''}${state.end.raw === undefined ? '' : `, raw ${state.end.raw.status}`}${call}`;
    }
  }
}

/** Each row: the sentence, the step, and the resulting state. */
function table(rows: readonly (readonly [sentence: string, step: () => AttemptState, to: string])[]): void {
  for (const [sentence, step, to] of rows) it(sentence, () => { assert.equal(words(step()), to); });
}

const headed = (status: number, contentType: string | string[] | undefined, more: Partial<AttemptTerms> = {}): AttemptState =>
  receiveHead({ ...terms, ...more }, { status, headers: { 'content-type': contentType } });

describe('waiting: the headers decide how the answer is read', () => {
  table([
    ['an event stream is read as one, and its prelude is held back where another target could take over', () => headed(200, 'text/event-stream'), 'streaming held'],
    ['an event stream passes its prelude on where no other target could take over unseen', () => headed(200, 'text/event-stream; charset=utf-8', { holdsPrelude: false }), 'streaming open'],
    ['an answer without a content type is read as the stream that was asked for', () => headed(200, undefined), 'streaming held'],
    ['JSON where a stream was asked for comes as one body', () => headed(200, 'Application/JSON'), 'buffered collecting'],
    ['where no stream was asked for, the answer comes as one body whatever its type', () => headed(200, 'text/event-stream', { stream: false }), 'buffered collecting'],
    ['a web page is no answer', () => headed(200, 'Text/HTML; charset=utf-8'), 'ended not-an-api, aborts'],
    ['a web page that a repeated header names is no answer either', () => headed(200, ['text/html', 'x']), 'ended not-an-api, aborts'],
    ['the explanation of a refusal is waited for', () => headed(429, 'application/json'), 'error body 429'],
    ['a refusal may be explained by a web page', () => headed(502, 'text/html'), 'error body 502'],
    ['a redirect is not followed', () => headed(302, undefined), 'error body 302'],
    ['the highest status of success is no refusal', () => headed(299, undefined), 'streaming held'],
    ['a connection that is lost before the headers is a failure', () => fail(waiting, terms, lost), 'ended connection-lost, aborts'],
    ['the owner may end the attempt', () => abandon(), 'ended, aborts'],
  ]);

  it('the headers of an answer are kept for its caller', () => {
    const next = receiveHead(terms, head);
    assert.ok(next.state === 'streaming');
    assert.equal(next.head, head);
    assert.equal(next.phase === 'held' && next.declared, true);
    const undeclared = headed(200, 'text/plain');
    assert.ok(undeclared.state === 'streaming' && undeclared.phase === 'held');
    assert.equal(undeclared.declared, false);
  });
});

describe('streaming: before the first event the answer may turn out to be one body', () => {
  const chunk = Buffer.from(' \r\n\t{"choices": []}');
  const undeclared: StreamingState = { state: 'streaming', phase: 'held', head, begun: false, declared: false };
  const atFirst: StreamSoFar = { eventCount: 0, terminated: false };

  it('JSON is read as a whole answer only when no header says stream and no event came', () => {
    assert.equal(isWholeAnswer(undeclared, atFirst, chunk), true);
    assert.equal(isWholeAnswer({ ...undeclared, phase: 'open' }, atFirst, Buffer.from('[{}]')), true);
    assert.equal(isWholeAnswer(undeclared, running, chunk), false);
    assert.equal(isWholeAnswer(streaming('held'), atFirst, chunk), false);
    assert.equal(isWholeAnswer(undeclared, atFirst, Buffer.from('data: {}')), false);
    assert.equal(isWholeAnswer(streaming('arrived'), atFirst, chunk), false);
    assert.equal(isWholeAnswer(streaming('committed'), atFirst, chunk), false);
  });

  table([
    ['the answer is read as a body from there on', () => toBuffered(undeclared), 'buffered collecting'],
    ['comments that were passed on stay passed on', () => toBuffered({ ...undeclared, phase: 'open', begun: true }), 'buffered collecting, begun'],
  ]);
});

describe('streaming: what a chunk changes', () => {
  table([
    ['open: lifecycle events change nothing', () => readChunk(streaming('open'), nothing, running), 'streaming open'],
    ['open: content arrives', () => readChunk(streaming('open', true), unseen, running), 'streaming arrived, begun'],
    ['open: content that the caller sees arrives first', () => readChunk(streaming('open'), seen, running), 'streaming arrived'],
    ['open: a stop reason without content is held back, because it may be no answer', () => readChunk(streaming('open', true), stopped('end'), running), 'streaming held, begun'],
    ['open: a terminal event without content is held back too', () => readChunk(streaming('open'), nothing, terminated), 'streaming held'],
    ['held: lifecycle events change nothing', () => readChunk(streaming('held'), nothing, running), 'streaming held'],
    ['held: an ending changes nothing', () => readChunk(streaming('held'), stopped('end'), terminated), 'streaming held'],
    ['held: content arrives', () => readChunk(streaming('held'), unseen, running), 'streaming arrived'],
    ['held: content that the caller sees arrives first', () => readChunk(streaming('held'), seen, running), 'streaming arrived'],
    ['held: the caller sees the end of a tool call although it is no content', () => readChunk(streaming('held'), { ...nothing, visible: true }, running), 'streaming arrived'],
    ['arrived: more content that the caller cannot see changes nothing', () => readChunk(streaming('arrived'), unseen, running), 'streaming arrived'],
    ['arrived: a stop reason changes nothing', () => readChunk(streaming('arrived'), stopped('tool-calls', unseen), terminated), 'streaming arrived'],
    ['arrived: content that the caller sees commits', () => readChunk(streaming('arrived'), seen, running), 'streaming committed'],
    ['arrived: it stays known that the answer has begun', () => readChunk(streaming('arrived', true), seen, running), 'streaming committed, begun'],
    ['committed: nothing changes any more', () => readChunk(streaming('committed'), stopped('end', seen), terminated), 'streaming committed, begun'],
    ['the first byte is about to be passed on', () => begin(streaming('committed', false)), 'streaming committed, begun'],
    ['the first byte may be passed on before there is content', () => begin(streaming('open')), 'streaming open, begun'],
  ]);

  it('a chunk that changes nothing returns the same state object', () => {
    const cases: [StreamingState, AnswerSoFar, StreamSoFar][] = [
      [streaming('open'), nothing, running], [streaming('held'), nothing, running], [streaming('held'), stopped('end'), terminated],
      [streaming('arrived'), unseen, running], [streaming('committed'), seen, running], [streaming('committed'), stopped('end', seen), terminated],
    ];
    for (const [state, answer, stream] of cases) assert.equal(readChunk(state, answer, stream), state);
    const committed = streaming('committed');
    assert.equal(advance(committed), committed);
  });

  it('everything is held back from the first sign of content until the caller sees content', () => {
    const held = (['open', 'held', 'arrived', 'committed'] as const).filter(phase => holdsBack(streaming(phase)));
    assert.deepEqual(held, ['held', 'arrived']);
  });
});

describe('streaming: how it ends', () => {
  const ended = (state: StreamingState, answer: AnswerSoFar, stream: StreamSoFar, more: Partial<AttemptTerms> = {}): AttemptState => {
    const all = { ...terms, ...more };
    const flaw = streamFlaw(state, all, answer, stream);
    return flaw === undefined ? succeed(answer.stopReason, false) : fail(state, all, flaw, answer.stopReason);
  };
  table([
    ['a stream that was terminated after content is complete', () => ended(streaming('committed'), stopped('end', seen), terminated), 'ended ok (end)'],
    ['a terminated stream is complete without a stop reason too', () => ended(streaming('committed'), seen, terminated), 'ended ok (no reason)'],
    ['a stream that is cut after the commit point fails in sight of the caller', () => ended(streaming('committed'), seen, running), 'ended stream-cut, begun, aborts'],
    ['a stream that is cut before the commit point fails unseen', () => ended(streaming('held'), nothing, running), 'ended stream-cut, aborts'],
    ['a stream that is cut within a tool call fails unseen', () => ended(streaming('arrived'), unseen, running), 'ended stream-cut, aborts'],
    ['a stream that is cut after its lifecycle events were passed on fails in sight of the caller', () => ended(streaming('open', true), nothing, running), 'ended stream-cut, begun, aborts'],
    ['a stream that ends without an event is empty', () => ended(streaming('held'), nothing, { eventCount: 0, terminated: false }), 'ended empty-answer, aborts'],
    ['a terminal event without content is no answer', () => ended(streaming('held'), nothing, terminated), 'ended empty-answer, aborts'],
    ['a stop reason that needs no content makes a stream without content an answer', () => ended(streaming('held'), stopped('length'), terminated), 'ended ok (length)'],
    ['a refusal without text is an answer', () => ended(streaming('held'), stopped('refusal'), terminated), 'ended ok (refusal)'],
    ['a refusal without text is a failure when the route asks the reader', () => ended(streaming('held'), stopped('refusal'), terminated, { refusalFails: true }), 'ended refused, aborts'],
    ['an incomplete tool call is no answer', () => ended(streaming('arrived'), stopped('end', unseen), terminated), 'ended empty-answer, aborts'],
    ['a stream whose ending our encoder writes is complete at its stop reason, even when it is cut', () => ended(streaming('committed'), stopped('end', seen), running, rewritten), 'ended ok (end), aborts'],
    ['a stream whose ending our encoder writes is incomplete without a stop reason', () => ended(streaming('committed'), seen, running, rewritten), 'ended stream-cut, begun, aborts'],
    ['a stream whose ending our encoder writes is incomplete before the commit point', () => ended(streaming('arrived'), stopped('end', unseen), running, rewritten), 'ended stream-cut, aborts'],
    ['a caller that is too slow has no complete answer', () => fail(streaming('committed'), rewritten, new WaybillError('caller-too-slow', 'cancelled', 'Slow.'), 'end'), 'ended caller-too-slow, begun, aborts'],
    ['an answer that ends while its connection stays open closes the connection', () => succeed('end', true), 'ended ok (end), aborts'],
    ['content arrives at the end at the latest', () => advance(streaming('held')), 'streaming arrived'],
    ['content is committed at the end at the latest', () => advance(advance(streaming('held'))), 'streaming committed'],
  ]);
});

describe('buffered: when the body is complete', () => {
  const text: ConversationEvent = { type: 'text', text: 'hi' };
  const error: ConversationEvent = { type: 'error', error: { message: 'no such model' } };
  const withStatus = (status: number): ConversationEvent => ({ type: 'error', error: { message: 'slow down', status } });
  const body = json({ error: {} });
  const received = (events: readonly ConversationEvent[] | undefined, more: Partial<AttemptTerms> = {}, bytes = body): EndedState => {
    const result = receiveBody(buffered(), { ...terms, ...more }, bytes, events, 0);
    assert.ok('state' in result);
    return result;
  };
  const completed = (answer: AnswerSoFar, more: Partial<AttemptTerms> = {}): AttemptState => {
    const flaw = bufferedFlaw({ ...terms, ...more }, answer);
    return flaw === undefined ? advance(advance(buffered())) : fail(buffered(), terms, flaw);
  };
  table([
    ['a body that is not JSON is no answer', () => received(undefined), 'ended not-json, aborts'],
    ['an error event is a failure', () => received([text, error]), 'ended provider-server, aborts'],
    ['an error that names a status is passed on unchanged to a caller of the same protocol', () => received([withStatus(429)]), 'ended provider-rate-limit, raw 429, aborts'],
    ['a caller of another protocol gets none of it', () => received([withStatus(429)], translated), 'ended provider-rate-limit, aborts'],
    ['an error that names a status of success has no status to pass on', () => received([withStatus(200)]), 'ended provider-server, aborts'],
    ['our encoder writes an error of many bytes', () => received([withStatus(429)], {}, Buffer.alloc(64 * 1024, 0x20)), 'ended provider-rate-limit, aborts'],
    ['an answer with content is committed', () => completed(stopped('end', seen)), 'buffered committed'],
    ['an answer whose content is an incomplete tool call is committed too: nothing more arrives', () => completed(unseen), 'buffered committed'],
    ['a body without content is no answer', () => completed(stopped('end')), 'ended empty-answer, aborts'],
    ['a body without content is an answer when the stop reason explains it', () => completed(stopped('context-full')), 'buffered committed'],
    ['a refusal without text fails when the route asks the reader', () => completed(stopped('refusal'), { refusalFails: true }), 'ended refused, aborts'],
    ['content arrives first', () => advance(buffered()), 'buffered arrived'],
    ['after the commit point nothing changes', () => advance(buffered('committed', true)), 'buffered committed, begun'],
    ['the answer is about to be passed on', () => begin(buffered('committed')), 'buffered committed, begun'],
    ['a connection that is lost while the body arrives is a failure before the commit point', () => fail(buffered(), terms, lost), 'ended connection-lost, aborts'],
    ['a connection that is lost after comments were passed on is a failure in sight of the caller', () => fail(buffered('collecting', true), terms, lost), 'ended connection-lost, begun, aborts'],
  ]);

  it('an answer is returned unchanged', () => {
    const events = [text];
    assert.equal(receiveBody(buffered(), terms, body, events, 0), events);
  });

  it('the bound of a body depends on whether it is passed on or decoded', () => {
    const megabytes = (state: BufferedState | ErrorBodyState, of: AttemptTerms): number => maxBodyBytes(state, of) / (1024 * 1024);
    assert.equal(megabytes(buffered(), { ...terms, stream: false }), 128);
    assert.equal(megabytes(buffered(), { ...translated, stream: false }), 32);
    assert.equal(megabytes(buffered(), terms), 32);
    assert.equal(megabytes(errorBody(500), terms), 1 / 16);
    assert.deepEqual([terms, { ...terms, stream: false }, { ...translated, stream: false }].map(passesBodyOn), [false, true, false]);
  });
});

describe('error body: the provider refuses', () => {
  const now = Date.UTC(2026, 0, 1);
  const explanation = json({ error: { message: 'Rate limit reached.', type: 'rate_limit_error' } });
  const refused = (state: ErrorBodyState, of: AttemptTerms = terms, body = explanation): EndedState => refuse(state, of, body, now);
  table([
    ['the explanation is passed on unchanged to a caller of the same protocol', () => refused(errorBody(429)), 'ended provider-rate-limit, raw 429, aborts'],
    ['a caller of another protocol gets none of it', () => refused(errorBody(429), translated), 'ended provider-rate-limit, aborts'],
    ['a redirect is no error to pass on', () => refused(errorBody(302)), 'ended redirect, aborts'],
    ['a web page of a proxy is no answer of the provider', () => refused(errorBody(403, 'text/html')), 'ended not-an-api, raw 403, aborts'],
    ['our encoder writes an explanation that was cut', () => refused(errorBody(429), terms, Buffer.alloc(64 * 1024, 0x20)), 'ended provider-rate-limit, aborts'],
    ['an explanation that did not arrive leaves the failure of the status', () => refused(errorBody(429), terms, Buffer.alloc(0)), 'ended provider-rate-limit, raw 429, aborts'],
    ['our encoder does not turn a refusal into an answer', () => refused(errorBody(429), rewritten), 'ended provider-rate-limit, aborts'],
  ]);

  it('keeps the headers that are relevant to the caller', () => {
    const { end } = refused(errorBody(429));
    assert.ok(end?.kind === 'failed');
    assert.deepEqual(end.raw, { status: 429, body: explanation, contentType: 'application/json', headers: { 'x-request-id': 'r1' } });
  });
});

describe('any order of events', () => {
  it('arrives once, commits once and after that, and never goes back', () => {
    const order: Phase[] = ['open', 'held', 'arrived', 'committed'];
    const random = seededRandom(7);
    for (let round = 0; round < 2000; round += 1) {
      const so = { hasContent: false, visible: false, stopReason: undefined as StopReason | undefined };
      const stream = { eventCount: 0, terminated: false };
      let state = streaming(random() < 0.5 ? 'open' : 'held');
      for (let chunk = 0; chunk < 12; chunk += 1) {
        stream.eventCount += 1;
        if (random() < 0.2) so.hasContent = true;
        if (random() < 0.1) so.visible = true;
        if (random() < 0.1) so.stopReason = 'end';
        if (random() < 0.1) stream.terminated = true;
        for (let steps = 0; ; steps += 1) {
          const next = readChunk(state, so, stream);
          if (next === state) break;
          assert.ok(steps < 3);
          assert.ok(order.indexOf(next.phase) > order.indexOf(state.phase), `${state.phase} to ${next.phase}`);
          if (next.phase === 'committed') assert.equal(state.phase, 'arrived');
          assert.equal(next.begun, state.begun);
          state = next;
        }
        assert.equal(state.phase === 'committed', so.visible);
        if (so.hasContent && !so.visible) assert.equal(state.phase, 'arrived');
        if (!holdsBack(state)) state = begin(state);
      }
    }
  });
});
