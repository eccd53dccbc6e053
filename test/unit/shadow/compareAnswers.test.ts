import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalArguments, compareAnswers, type SaidAnswer } from '../../../server/shadow/compareAnswers.ts';

function said(text: string, ...calls: readonly (readonly [name: string, args: string])[]): SaidAnswer {
  return { text, calls: calls.map(([name, written]) => ({ name, arguments: written })), stop: calls.length === 0 ? 'end' : 'tool-calls' };
}

describe('two answers to the same request', () => {
  it('with the same calls in another layout and order are the same, whatever they say beside them', () => {
    const one = said('I read both.', ['read', '{"path":"a","line":1}'], ['read', '{"path":"b"}']);
    const other = said('', ['read', '{"path": "b"}'], ['read', ' {"line": 1, "path": "a"} ']);
    assert.deepEqual(compareAnswers(one, other), { match: 1, toolNames: 1, toolCalls: 1, text: undefined, stop: 1 });
  });

  it('with the same tool and other arguments agree by half, and with another tool not at all', () => {
    const one = said('', ['read', '{"path":"a"}']);
    assert.equal(compareAnswers(one, said('', ['read', '{"path":"b"}'])).match, 0.5);
    assert.equal(compareAnswers(one, said('', ['list', '{"path":"a"}'])).match, 0);
  });

  it('of which one calls a tool and the other talks do not agree', () => {
    assert.deepEqual(compareAnswers(said('The file says hello.'), said('', ['read', '{}'])), { match: 0, toolNames: 0, toolCalls: 0, text: undefined, stop: 0 });
  });

  it('are alike as far as their words and pairs of words are, in any script', () => {
    for (const [one, other] of [['The sky is blue.', 'the sky is blue'], ['Trời hôm nay rất xanh', 'Trời hôm nay xanh'], ['天空是蓝色的', '天空是蓝色']] as const) {
      const { match } = compareAnswers(said(one), said(other));
      assert.ok(match > 0.7 && match < 1, `${one}: ${String(match)}`);
    }
    assert.ok(compareAnswers(said('The sky is blue.'), said('Bananas grow on plants')).match < 0.1);
    assert.equal(compareAnswers(said('{"a": 1, "b": 2}'), said('{"b":2,"a":1}')).match, 1, 'the same JSON is the same answer');
    assert.equal(compareAnswers(said(''), said('')).match, 1);
  });

  it('are compared the same in both directions', () => {
    const [one, other] = [said('a b c d', ['x', '{}']), said('a b', ['x', '{}'], ['y', ''])];
    assert.deepEqual(compareAnswers(one, other), compareAnswers(other, one));
  });

  it('may hold arguments that are no JSON, and such that nest without end', () => {
    assert.equal(canonicalArguments('  rm -rf  '), 'rm -rf');
    assert.equal(canonicalArguments(''), '{}');
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    assert.equal(typeof canonicalArguments(deep), 'string');
  });
});
