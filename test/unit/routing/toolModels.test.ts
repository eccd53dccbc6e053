import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveTools } from '../../../server/config/resolveTools.ts';
import { modelForTool } from '../../../server/routing/toolModels.ts';
import type { Config } from '../../../server/config/config.ts';

const routes = new Map([['sonnet', {}]]) as unknown as Config['routes'];
const tools = new Map([['claude-code', { opus: 'best', sonnet: 'middle', haiku: 'cheap', subagents: 'sub' }]]);

describe('what Claude Code gets for the names that it asks for by itself', () => {
  const cases: [asked: string, gets: string][] = [
    ['opus', 'best'], ['claude-opus-5-5', 'best'], ['claude-opus-4-1-20250805', 'best'], ['claude-3-5-sonnet-20241022', 'middle'], ['claude-haiku-4-5', 'cheap'], ['claude-3-haiku-20240307', 'cheap'],
    ['CLAUDE-OPUS-5', 'best'], ['waybill/haiku', 'cheap'], ['claude-sonnet-5[1m]', 'middle'],
    // A route of the name comes first, and what names a target or another model is meant as it stands.
    ['sonnet', 'sonnet'], ['claude/claude-opus-5', 'claude/claude-opus-5'], ['best', 'best'], ['gpt-5.1', 'gpt-5.1'], ['opus-of-ours-2', 'best'], ['magnum-opus', 'magnum-opus'], ['', ''],
  ];
  for (const [asked, gets] of cases) {
    it(`${asked === '' ? 'an empty name' : asked}: ${gets}`, () => {
      assert.equal(modelForTool({ tools, routes }, 'claude-code', asked, false), gets);
      assert.equal(modelForTool({ tools, routes }, 'claude-code', asked, true), 'sub', 'for a subagent');
      assert.equal(modelForTool({ tools, routes }, 'codex', asked, true), asked, 'for another tool');
      assert.equal(modelForTool({ routes }, 'claude-code', asked, true), asked, 'where nothing is said');
    });
  }

  it('is itself where its family is not mentioned', () => {
    const few = new Map([['claude-code', { haiku: 'cheap' }]]);
    assert.equal(modelForTool({ tools: few, routes }, 'claude-code', 'claude-opus-5', true), 'claude-opus-5');
  });
});

describe('the section "tools" of a configuration', () => {
  const resolve = (written: unknown): { tools: Record<string, unknown>; problems: string[] } => {
    const problems: string[] = [];
    return { tools: Object.fromEntries(resolveTools(written, (path, message) => problems.push(`${path.join('.')}: ${message}`))), problems };
  };

  it('takes routes for the families and for subagents', () => {
    assert.deepEqual(resolve({ 'claude-code': { haiku: 'cheap', subagents: 'north/m' } }), { tools: { 'claude-code': { haiku: 'cheap', subagents: 'north/m' } }, problems: [] });
    assert.deepEqual(resolve(undefined), { tools: {}, problems: [] });
  });

  it('reports what is wrong, and leaves only that out', () => {
    assert.deepEqual(resolve([]).problems, ['tools: "tools" must be a mapping of tools to what they get.']);
    assert.match(resolve({ codex: { opus: 'x' } }).problems.join(), /^tools\.codex: Tool "codex" is left out: it has no names of models of its own/);
    const { tools: left, problems } = resolve({ 'claude-code': { opus: 7, typo: 'x' } });
    assert.deepEqual(left, {});
    assert.ok(problems.length >= 2 && problems.every(one => one.includes('Tool "claude-code" is left out: ')), problems.join('\n'));
  });
});
