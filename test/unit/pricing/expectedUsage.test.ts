import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExpectedUsage, type UsageOf } from '../../../server/pricing/expectedUsage.ts';

const agent: UsageOf = { tool: 'claude-code', kind: 'complex', target: 'a/m', model: 'm' };

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
