import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { JsonObject } from '../../../../server/base/json.ts';
import { prefixesOf, traceOf, type SeenPrompt, type ToldRequest } from '../../../agents/sessions/trace.ts';
import { readRecording, recordedAfternoon, writeRecording } from './recordedSessions.ts';
import { promptTokens } from './recordedSimulation.ts';

const told: ToldRequest = { conversation: 'a digest', role: 'main', kind: 'balanced', errand: false, estimatedTokens: 100 };
const tools = [{ name: 'read', description: 'Reads a file of the project.' }];

function seen(at: number, body: JsonObject): SeenPrompt {
  return { at, session: 0, ...prefixesOf(body), outputTokens: 7, tookMs: 1000 };
}

describe('a recording of agents', () => {
  it('says how far a prompt begins like an earlier one, however its marks of what to keep have moved', () => {
    const first = { tools, system: 'Work.', messages: [{ role: 'user', content: [{ type: 'text', text: 'Secret words of a person.', cache_control: { type: 'ephemeral' } }] }] };
    const second = { ...first, messages: [{ role: 'user', content: [{ type: 'text', text: 'Secret words of a person.' }] }, { role: 'assistant', content: 'Done.' }] };
    const other = { tools, system: 'Rest.', messages: first.messages };
    const prompts = [seen(5000, second), seen(2000, first), seen(8000, other)];
    const requests = traceOf(prompts, new Map(prompts.map(prompt => [prompt, told])));
    assert.deepEqual(requests.map(({ at, from, shared, added }) => [at, from, shared, added.length]), [[0, -1, 0, 3], [3, 0, 3, 1], [6, 0, 1, 2]]);
    const recording = { sessions: [{ name: 'one', agent: 'An Agent', version: '1.0.0' }], requests };
    assert.deepEqual(requests.map(request => promptTokens(recording, request)), [prompts[1], prompts[0], prompts[2]].map(prompt => prompt?.promptTokens));
    const written = writeRecording(recording);
    assert.deepEqual(readRecording(written), recording);
    assert.doesNotMatch(written, /Secret|Work|digest/);
  });

  it('is refused where a request goes on from a later one', () => {
    assert.throws(() => readRecording('{ "sessions": [], "requests": [[0, 1, 0, 0, 0, 1, 100, 7, 3, 1, [4]]] }'), /Request 0 goes on from request 3/);
  });

  it('has two sessions of Claude Code and of Codex each and one of OpenCode, of twenty requests and more, at the same time', () => {
    const { sessions, requests } = recordedAfternoon();
    const of = (agent: string): number => sessions.filter(session => session.agent.startsWith(agent)).length;
    assert.deepEqual([of('Claude Code'), of('Codex'), of('OpenCode')], [2, 2, 1]);
    for (const [index] of sessions.entries()) assert.ok(requests.filter(({ session }) => session === index).length >= 20);
    assert.ok(requests.filter(({ session }, index) => index > 0 && session !== requests[index - 1]?.session).length > 50);
    for (const role of ['main', 'subagent', 'compaction']) assert.ok(requests.some(request => request.role === role), role);
    assert.ok(requests.every(({ at }, index) => index === 0 || at >= (requests[index - 1]?.at ?? 0)));
  });

  it('has no text in its file but the names of sessions and agents', () => {
    const content = readFileSync(new URL('recorded/afternoon.json', import.meta.url), 'utf8');
    const { requests } = JSON.parse(content) as { requests: unknown[] };
    assert.match(JSON.stringify(requests), /^[\d\s.,[\]-]+$/);
  });
});
