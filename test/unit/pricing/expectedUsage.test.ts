import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExpectedUsage, type UsageOf } from '../../../server/pricing/expectedUsage.ts';

const agent: UsageOf = { tool: 'claude-code', kind: 'complex', target: 'a/m', model: 'm' };

describe('what was used before a restart', () => {
  const of = { tool: 'cline', kind: 'normal', target: 'a/m', model: 'm' } as const;
  const past = Array.from({ length: 20 }, () => ({ of, usage: { inputTokens: 100, cacheReadTokens: 900, outputTokens: 4_000 } }));

  it('is expected again', () => {
    const usage = new ExpectedUsage();
    usage.recall([...past, { of: { ...of, tool: 'sdk' }, usage: { outputTokens: 8_000 }, answers: 4 }]);
    assert.deepEqual([usage.outputTokens(of), usage.cachedShare(of)], [4_000, 0.9]);
    assert.equal(usage.outputTokens({ ...of, tool: 'sdk' }), 2_000, 'several answers are not learnt as one long one');
  });

  it('comes before what was seen since', () => {
    const usage = new ExpectedUsage();
    usage.observe(of, { outputTokens: 1_000 });
    usage.observe({ ...of, model: 'other', target: 'a/other' }, { outputTokens: 1_000 });
    usage.recall(past);
    const tokens = usage.outputTokens(of);
    assert.ok(tokens < 4_000 && tokens > 3_500, String(tokens));
    for (let index = 0; index < 60; index += 1) usage.observe(of, { outputTokens: 1_000 });
    assert.ok(usage.outputTokens(of) < 1_100);
  });
});

describe('the usage that a request is expected to have', () => {
  it('is a guess by kind of work before anything is seen', () => {
    const expected = new ExpectedUsage();
    assert.deepEqual(['fast', 'normal', 'complex'].map(kind => expected.outputTokens({ ...agent, kind: kind as 'fast' })), [100, 600, 1200]);
    assert.equal(expected.cachedShare(agent), 0);
  });

  it('is that of the caller anywhere, until it is known at the model and the target', () => {
    const expected = new ExpectedUsage();
    for (let count = 0; count < 3; count++) expected.observe(agent, { inputTokens: 100, cacheReadTokens: 900, outputTokens: 400 });
    assert.equal(expected.outputTokens({ ...agent, model: 'other' }), 400);
    assert.equal(expected.cachedShare({ ...agent, target: 'b/m' }), 0.9);
    for (let count = 0; count < 3; count++) expected.observe({ ...agent, target: 'b/m', model: 'other' }, { inputTokens: 1000, cacheReadTokens: 0, outputTokens: 50 });
    assert.deepEqual([expected.outputTokens(agent), expected.outputTokens({ ...agent, model: 'other' })], [400, 50]);
    assert.ok(Math.abs(expected.cachedShare(agent) - 0.9) < 1e-9);
    assert.equal(expected.cachedShare({ ...agent, target: 'b/m' }), 0);
    assert.equal(expected.outputTokens({ ...agent, tool: 'codex' }), 1200, 'another caller is not known');
  });

  it('is that of one answer, where several came at once', () => {
    const expected = new ExpectedUsage();
    for (let count = 0; count < 3; count++) expected.observe(agent, { outputTokens: 4000 }, 10);
    assert.equal(expected.outputTokens(agent), 400);
  });

  it('follows a change', () => {
    const expected = new ExpectedUsage();
    for (let count = 0; count < 50; count++) expected.observe(agent, { outputTokens: 1000 });
    for (let count = 0; count < 30; count++) expected.observe(agent, { outputTokens: 100 });
    assert.ok(expected.outputTokens(agent) < 150);
  });

  it('counts nothing that was not reported', () => {
    const expected = new ExpectedUsage();
    expected.observe(agent, { inputTokens: 100 });
    expected.observe(agent, {});
    assert.deepEqual([expected.outputTokens(agent), expected.cachedShare(agent)], [1200, 0]);
  });

  it('stays bounded', () => {
    const expected = new ExpectedUsage();
    for (let index = 0; index < 2000; index++) expected.observe({ ...agent, tool: `tool-${index}` }, { outputTokens: 5 });
    assert.equal(expected.outputTokens({ ...agent, tool: 'tool-0' }), 1200);
    assert.equal(expected.outputTokens({ ...agent, tool: 'tool-1999' }), 5);
  });
});
