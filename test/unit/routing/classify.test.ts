import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestKind, type KindFacts } from '../../../server/routing/classify.ts';

const needs = { thinking: false, tools: false, estimatedInputTokens: 1_000 };

describe('the kind of a request', () => {
  const cases: [string, KindFacts, ReturnType<typeof requestKind>][] = [
    ['an inline completion', { needs: { ...needs, estimatedInputTokens: 50_000 }, purpose: 'inline' }, 'fast'],
    ['a fill-in-the-middle completion', { needs, operation: 'completion' }, 'fast'],
    ['a small question with a short answer', { needs: { ...needs, maxOutputTokens: 64 } }, 'fast'],
    ['a title for a chat', { needs, purpose: 'utility' }, 'fast'],
    ['a few texts to embed', { needs, operation: 'embedding' }, 'fast'],
    ['many texts to embed', { needs: { ...needs, estimatedInputTokens: 20_000 }, operation: 'embedding' }, 'normal'],
    ['a small question without a limit', { needs }, 'normal'],
    ['a small question with room for a long answer', { needs: { ...needs, maxOutputTokens: 8_000 } }, 'normal'],
    ['a small request with tools', { needs: { ...needs, tools: true, maxOutputTokens: 64 } }, 'normal'],
    ['a request for reasoning', { needs, thinkingAsked: true }, 'complex'],
    ['a request that needs a model that reasons', { needs: { ...needs, thinking: true } }, 'complex'],
    ['a large prompt', { needs: { ...needs, estimatedInputTokens: 40_000, maxOutputTokens: 64 } }, 'complex'],
  ];
  for (const [what, facts, kind] of cases) {
    it(`is ${kind} for ${what}`, () => { assert.equal(requestKind(facts), kind); });
  }
});
