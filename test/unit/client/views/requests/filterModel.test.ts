import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestSummary } from '../../../../../server/api/receipt.ts';
import { filterParts, filterWords, knownValues, readDays, timeChoices, withoutPart } from '../../../../../client/views/requests/filterModel.ts';
import { requestFilterFields, type RequestFilter } from '../../../../../server/api/reports/requestFilter.ts';

const style = { locale: 'en-GB', timeZone: 'UTC' };
const full: Required<RequestFilter> = {
  fromMs: Date.UTC(2026, 10, 20), toMs: Date.UTC(2026, 10, 21), endpoint: 'north', provider: 'openai', model: 'gpt-4.1', route: 'auto', tool: 'vscode-chat', workspace: 'shop', branch: 'main',
  conversation: 'c-1', purpose: 'agent', kind: 'balanced', extension: 'acme.helper', token: 'ci-x4k2', user: 'mai', team: 'shop', part: 'retry', notRecorded: ['branch'], outcome: 'failed', minCostMicroUsd: 100_000, text: 'key',
};

describe('the filter of the Requests view', () => {
  it('has words for every field, so that no condition holds unseen', () => {
    assert.deepEqual(Object.keys(full).sort(), [...requestFilterFields].sort());
    const words = filterWords(full, style);
    assert.deepEqual(words.map(({ part }) => part), [...filterParts]);
    assert.deepEqual(words.filter(({ part }) => ['text', 'tool', 'outcome', 'cost', 'time'].includes(part)).map(one => one.words), [
      'Text: "key"', 'Tool: Chat', 'Outcome: failed', 'Cost: at least $0.10', 'Time: 20 Nov 2026, 00:00:00 to 21 Nov 2026, 00:00:00',
    ]);
    assert.deepEqual(filterWords({ conversation: 'c-1' }, style, id => (id === 'c-1' ? 'Fix the login bug' : undefined)).map(one => one.words), ['Conversation: Fix the login bug']);
    assert.deepEqual(filterWords({}, style), []);
  });

  it('loses one condition at a time, and all of them in the end', () => {
    let filter: RequestFilter = full;
    for (const part of filterParts) {
      filter = withoutPart(filter, part);
      assert.ok(!filterWords(filter, style).some(one => one.part === part), part);
    }
    assert.deepEqual(filter, {});
  });

  it('reads local days with their ends', () => {
    const day = (month: number, date: number): number => new Date(2026, month - 1, date).getTime();
    assert.deepEqual(readDays('2026-11-20'), { fromMs: day(11, 20), toMs: day(11, 21) });
    assert.deepEqual(readDays(' 2026-10-24 .. 2026-10-26 '), { fromMs: day(10, 24), toMs: day(10, 27) });
    for (const text of ['2026-11-31', '2026-11-20..2026-11-19', '20 Nov', '2026-11-20..']) assert.equal(readDays(text), undefined, text);
  });

  it('offers ranges that end now or at a local midnight', () => {
    const now = new Date(2026, 10, 20, 14, 30).getTime();
    const of = (label: string) => timeChoices(now).find(one => one.label === label)?.range;
    assert.deepEqual(of('Yesterday'), { fromMs: new Date(2026, 10, 19).getTime(), toMs: new Date(2026, 10, 20).getTime() });
    assert.deepEqual(of('The last 7 days'), { fromMs: new Date(2026, 10, 14).getTime() });
  });

  it('offers the values that requests have, the most frequent first', () => {
    const request = (target: string | undefined, tool: string): RequestSummary => ({
      id: tool, startedAt: 0, requestedModel: 'auto', ...(target === undefined ? {} : { target }), attempts: 1, failedAttempts: 0, outcome: 'ok', totalMs: 1, usage: {}, cost: { certainty: 'unknown' }, caller: { tool },
    });
    const requests = [request('north/gpt-4.1', 'codex'), request('south/gpt-4.1', 'aider'), request(undefined, 'codex')];
    assert.deepEqual([knownValues(requests, 'tool'), knownValues(requests, 'model'), knownValues(requests, 'endpoint'), knownValues(requests, 'branch')], [['codex', 'aider'], ['auto', 'gpt-4.1'], ['north', 'south'], []]);
  });
});
