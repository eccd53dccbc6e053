import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRole, WorkKind } from '../../../../server/api/purpose.ts';
import { mainCodexAgent, purposeSuffix, statedPurpose, type CallerHeaders } from '../../../../server/routing/purpose/statedPurpose.ts';

const codexTurn = (fields: Record<string, string>): CallerHeaders => ({ 'x-codex-turn-metadata': JSON.stringify({ turn_id: 't1', session_id: 's1', ...fields }) });

describe('what a request says of itself', () => {
  const rows: [what: string, headers: CallerHeaders, role: RequestRole | undefined, kind?: WorkKind][] = [
    ['the main agent of Claude Code', { 'x-claude-code-request-class': 'main' }, 'main'],
    ['its subagent', { 'x-claude-code-request-class': 'subagent', 'x-claude-code-agent-type': 'general-purpose' }, 'subagent'],
    ['its workflow', { 'x-claude-code-request-class': 'workflow' }, 'workflow'],
    ['its compaction', { 'x-claude-code-request-class': 'compaction', 'x-claude-code-compaction': 'auto' }, 'compaction'],
    ['its errands', { 'x-claude-code-request-class': 'auxiliary' }, 'auxiliary'],
    ['a class that is not known', { 'x-claude-code-request-class': 'advisor' }, undefined],
    ['a subagent of a version without classes', { 'x-claude-code-agent-id': 'a1' }, 'subagent'],
    ['an agent that looks around', { 'x-claude-code-request-class': 'subagent', 'x-claude-code-agent-type': 'Explore' }, 'subagent', 'low-cost'],
    ['an agent that plans', { 'x-claude-code-request-class': 'subagent', 'x-claude-code-agent-type': 'Plan' }, 'subagent', 'high-quality'],
    ['a turn of Codex', codexTurn({}), undefined],
    ['a named agent of Codex', codexTurn({ agent_name: 'reviewer' }), 'subagent'],
    ['the main agent of Codex', codexTurn({ agent_name: '/root', request_kind: 'turn', thread_source: 'user' }), undefined],
    ['an agent of Codex that its main one started', codexTurn({ agent_name: `${mainCodexAgent}/reviewer`, request_kind: 'turn' }), 'subagent'],
    ['a summary by the main agent of Codex', codexTurn({ agent_name: '/root', request_kind: 'compaction', thread_source: 'user' }), 'compaction'],
    ['a title by Codex', codexTurn({ thread_source: 'thread_title' }), 'auxiliary'],
    ['a thread of Codex with a parent', codexTurn({ parent_thread_id: 'p1' }), 'subagent'],
    ['metadata of Codex that cannot be read', { 'x-codex-turn-metadata': '{"agent_name":' }, undefined],
    ['a review by Codex', { 'x-openai-subagent': 'review' }, 'subagent'],
    ['a compaction by Codex', { 'x-openai-subagent': 'compact' }, 'compaction'],
    ['an errand of Codex', { 'x-openai-subagent': 'memory_consolidation' }, 'auxiliary'],
    ['a session of OpenCode', { 'x-session-id': 's1' }, undefined],
    ['a child session of OpenCode', { 'x-session-id': 's2', 'x-parent-session-id': 's1' }, 'subagent'],
    ['a role that is written out', { 'x-waybill-role': 'compaction' }, 'compaction'],
    ['a kind that is written out', { 'x-waybill-kind': 'high-quality' }, undefined, 'high-quality'],
    ['both', { 'x-waybill-role': 'subagent', 'x-waybill-kind': 'low-cost' }, 'subagent', 'low-cost'],
    ['a kind against that of an agent', { 'x-claude-code-agent-type': 'Explore', 'x-waybill-kind': 'high-quality' }, undefined, 'high-quality'],
    ['a client against a role that is written out', { 'x-claude-code-request-class': 'auxiliary', 'x-waybill-role': 'main' }, 'auxiliary'],
  ];
  for (const [what, headers, role, kind] of rows) {
    it(`${what}: ${role ?? 'no role'}, ${kind ?? 'no kind'}`, () => {
      const stated = statedPurpose({ headers, caller: { tool: 'http' }, requestedModel: 'coding', completion: false });
      assert.deepEqual([stated.role, stated.kind], [role, kind]);
      if (role !== undefined) assert.ok(stated.roleWhy);
      if (kind !== undefined) assert.ok(stated.kindWhy);
    });
  }

  it('says that a role or kind of its own is none, and repeats no value', () => {
    const stated = statedPurpose({ headers: { 'x-waybill-role': 'sk-secret', 'x-waybill-kind': 'sk-secret' }, caller: { tool: 'http' }, requestedModel: 'coding', completion: false });
    assert.deepEqual(stated, { kind: undefined, roleWhy: 'x-waybill-role names no role', kindWhy: 'x-waybill-kind names no kind' });
  });

  const editor: [purpose: string, role: RequestRole | undefined][] = [
    ['inline', 'inline'], ['chat', 'main'], ['agent', 'main'], ['edit', 'main'], ['utility', 'auxiliary'], ['commit-message', 'auxiliary'], ['title', 'auxiliary'], ['constructor', undefined], ['something', undefined],
  ];
  for (const [purpose, role] of editor) {
    it(`the editor's ${purpose}: ${role ?? 'no role'}`, () => {
      assert.equal(statedPurpose({ caller: { tool: 'vscode-chat', purpose }, requestedModel: 'coding', completion: false }).role, role);
    });
  }

  it('a completion is an inline one', () => {
    assert.equal(statedPurpose({ headers: {}, caller: { tool: 'http' }, requestedModel: 'coding', completion: true }).role, 'inline');
  });

  it('the end of the name says a role or a kind, after everything else', () => {
    const said = (requestedModel: string, headers: CallerHeaders = {}): unknown[] => {
      const { role, kind } = statedPurpose({ headers, caller: { tool: 'http' }, requestedModel, completion: false });
      return [role, kind];
    };
    assert.deepEqual(said('coding:low-cost'), [undefined, 'low-cost']);
    assert.deepEqual(said('coding:subagent'), ['subagent', undefined]);
    assert.deepEqual(said('coding:low-cost', { 'x-waybill-kind': 'balanced' }), [undefined, 'balanced']);
    assert.deepEqual([purposeSuffix('llama3:8b'), purposeSuffix('subagent'), purposeSuffix('a/b:free'), purposeSuffix('coding:')], [undefined, undefined, undefined, undefined]);
  });
});
