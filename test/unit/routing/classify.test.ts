import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestKind, type KindFacts } from '../../../server/routing/classify.ts';

const requirements = { tools: false, estimatedInputTokens: 1_000 };

describe('the kind of a request', () => {
  const cases: [string, KindFacts, ReturnType<typeof requestKind>][] = [
    ['an inline completion', { requirements: { ...requirements, estimatedInputTokens: 50_000 }, purpose: 'inline' }, 'fast'],
    ['a fill-in-the-middle completion', { requirements, operation: 'completion' }, 'fast'],
    ['a small question with a short answer', { requirements: { ...requirements, maxOutputTokens: 64 } }, 'fast'],
    ['a title for a chat', { requirements, purpose: 'utility' }, 'fast'],
    ['a few texts to embed', { requirements, operation: 'embedding' }, 'fast'],
    ['many texts to embed', { requirements: { ...requirements, estimatedInputTokens: 20_000 }, operation: 'embedding' }, 'normal'],
    ['a small question without a limit', { requirements }, 'normal'],
    ['a small question with room for a long answer', { requirements: { ...requirements, maxOutputTokens: 8_000 } }, 'normal'],
    ['a small request with tools', { requirements: { ...requirements, tools: true, maxOutputTokens: 64 } }, 'normal'],
    ['a request for reasoning', { requirements, thinkingAsked: true }, 'complex'],
    ['a large prompt', { requirements: { ...requirements, estimatedInputTokens: 40_000, maxOutputTokens: 64 } }, 'complex'],
  ];
  for (const [what, facts, kind] of cases) {
    it(`is ${kind} for ${what}`, () => { assert.equal(requestKind(facts), kind); });
  }
});
