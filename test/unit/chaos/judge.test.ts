import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokenPromise, judgeReply, wellThroughout, type Reply, type Verdict } from '../../chaos/judge.ts';
import { chaosRoutes, rightCall, rightText, type ChaosRequest } from '../../chaos/requests.ts';
import type { SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';

const route = chaosRoutes.find(one => one.name === 'abc');
const resumed = chaosRoutes.find(one => one.name === 'abc-resumed');

function request(changes: Partial<ChaosRequest> = {}): ChaosRequest {
  assert.ok(route !== undefined);
  return { nonce: 'q5', protocol: 'openai-chat', stream: true, wants: 'text', words: 4, historyBytes: 0, route, cancelAfterMs: undefined, ...changes };
}

function reply(text: string, changes: Partial<Reply> = {}): Reply {
  return { startedAt: 1000, endedAt: 2000, status: 200, target: 'a/m', exchange: 'wb_1', text, endedCleanly: true, trouble: undefined, cancelled: false, timesEnded: 1, ...changes };
}

const sse = (...events: unknown[]): string => events.map(event => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
const word = (content: string, id = 'chatcmpl-1'): object => ({ id, choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const finish = { id: 'chatcmpl-1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
const failed = { error: { message: 'a stalled', type: 'server_error', param: null, code: 'upstream_timeout' } };
const whole = rightText('a', 'q5', 4);

function why(verdict: Verdict): string {
  assert.equal(verdict.kind, 'wrong', JSON.stringify(verdict));
  return verdict.kind === 'wrong' ? verdict.why : '';
}

describe('the judge of single answers', () => {
  it('knows the right answer in every protocol, and nothing that differs in one word', () => {
    const bodies: Record<SandboxProtocol, (text: string) => object> = {
      'openai-chat': text => ({ choices: [{ message: { content: text }, finish_reason: 'stop' }] }),
      'openai-responses': text => ({ status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text }] }] }),
      'anthropic-messages': text => ({ type: 'message', stop_reason: 'end_turn', content: [{ type: 'text', text }] }),
      'gemini': text => ({ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] }),
    };
    for (const [protocol, body] of Object.entries(bodies) as [SandboxProtocol, (text: string) => object][]) {
      const plain = request({ protocol, stream: false });
      assert.deepEqual(judgeReply(plain, reply(JSON.stringify(body(whole)))), { kind: 'right', provider: 'a' });
      assert.match(why(judgeReply(plain, reply(JSON.stringify(body(whole.replace('a3', 'b3')))))), /neither/);
      assert.match(why(judgeReply(plain, reply(JSON.stringify(body(rightText('d', 'q5', 4)))))), /neither/);
    }
  });

  it('takes a stream for whole only with its end', () => {
    assert.equal(judgeReply(request(), reply(sse(word(whole), finish, '[DONE]'))).kind, 'right');
    assert.match(why(judgeReply(request(), reply(sse(word(whole), finish)))), /breaks off/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole), '[DONE]')))), /finish reason/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole), finish, '[DONE]'), { endedCleanly: false }))), /connection broke/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole), '{"half":', finish, '[DONE]')))), /no client can read/);
  });

  it('sees two attempts in one answer', () => {
    assert.match(why(judgeReply(request(), reply(sse(word('a answers q5: a1'), word(' b2'), finish, '[DONE]')))), /neither/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole.slice(0, 9)), word(whole.slice(9), 'chatcmpl-2'), finish, '[DONE]')))), /ids chatcmpl-1, chatcmpl-2/);
    assert.match(why(judgeReply(request(), reply(sse(word('a answers q5: b1'), failed), { endedCleanly: false }))), /several answers/);
  });

  it('takes exactly one error in the protocol\'s shape, at the right end', () => {
    const plain = request({ stream: false });
    assert.equal(judgeReply(plain, reply(JSON.stringify(failed), { status: 503 })).kind, 'error');
    assert.match(why(judgeReply(plain, reply('<html>', { status: 503 }))), /no JSON/);
    assert.match(why(judgeReply(plain, reply('{"error":{"type":"server_error"}}', { status: 503 }))), /without a message/);
    assert.match(why(judgeReply(plain, reply(JSON.stringify(failed), { status: 503, endedCleanly: false }))), /breaks off/);
    assert.match(why(judgeReply(request({ protocol: 'gemini', stream: false }), reply(JSON.stringify(failed), { status: 503 }))), /status and code/);
    assert.match(why(judgeReply(request({ protocol: 'anthropic-messages', stream: false }), reply(JSON.stringify(failed), { status: 503 }))), /known types/);
    const broken = judgeReply(request(), reply(sse(word('a answers q5: a1'), failed), { endedCleanly: false }));
    assert.equal(broken.kind, 'error-after-words');
    assert.match(why(judgeReply(request(), reply(sse(word('a answers'), failed)))), /clean end/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole), finish, '[DONE]', failed), { endedCleanly: false }))), /after the end|an error and an end/);
    assert.match(why(judgeReply(request(), reply('', { status: undefined, trouble: 'socket hang up' }))), /socket hang up/);
    assert.match(why(judgeReply(request(), reply(sse(word(whole), finish, '[DONE]'), { timesEnded: 2 }))), /2 times/);
  });

  it('wants tool calls whole and alone', () => {
    const call = rightCall('a', 'q5', 4);
    const asked = request({ wants: 'call' });
    const part = (text: string): object => ({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: text === '' ? call.name : '', arguments: text } }] } }] });
    const text = JSON.stringify(call.arguments);
    const end = { id: 'chatcmpl-1', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
    assert.equal(judgeReply(asked, reply(sse(part(''), part(text), end, '[DONE]'))).kind, 'right');
    assert.match(why(judgeReply(asked, reply(sse(part(''), part(text.slice(0, 20)), end, '[DONE]')))), /neither/);
    const messages = request({ wants: 'call', protocol: 'anthropic-messages' });
    const half = sse({ type: 'message_start' }, { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', name: call.name } },
      { type: 'content_block_delta', index: 0, delta: { partial_json: '{"pl' } }, { type: 'content_block_stop', index: 0 }, { type: 'error', error: { type: 'api_error', message: 'cut' } });
    assert.match(why(judgeReply(messages, reply(half, { endedCleanly: false }))), /half call/);
  });
});

describe('the promise of success', () => {
  const error: Verdict = { kind: 'error', message: 'nothing could answer' };
  const afterWords: Verdict = { kind: 'error-after-words', message: 'cut', callBegan: false };

  it('holds only for targets of the route that were well from before the request until after it', () => {
    const spans = [{ provider: 'a', from: 900, to: 2100 }, { provider: 'b', from: 1001, to: 2100 }, { provider: 'c', from: 900, to: 1999 }, { provider: 'd', from: 0, to: 9000 }];
    assert.deepEqual(wellThroughout(request(), { startedAt: 1000, endedAt: 2000 }, spans), ['a']);
  });

  it('is broken by an error, and by a resumable answer that was not resumed', () => {
    assert.ok(resumed !== undefined);
    assert.match(brokenPromise(request(), error, ['a']) ?? '', /it failed though a could answer/);
    assert.equal(brokenPromise(request(), error, []), undefined);
    assert.equal(brokenPromise(request(), afterWords, ['a']), undefined);
    assert.match(brokenPromise(request({ route: resumed }), afterWords, ['b']) ?? '', /not resumed/);
    assert.equal(brokenPromise(request({ route: resumed }), { ...afterWords, callBegan: true }, ['b']), undefined);
    assert.equal(brokenPromise(request(), { kind: 'right', provider: 'a' }, ['a']), undefined);
  });
});
