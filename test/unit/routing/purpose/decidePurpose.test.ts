import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decidePurpose, type Decision } from '../../../../server/routing/purpose/decidePurpose.ts';
import { DecisionMemory } from '../../../../server/routing/purpose/decisionMemory.ts';
import type { StatedPurpose } from '../../../../server/routing/purpose/statedPurpose.ts';
import { looksFailed, stallOf, type Step } from '../../../../server/routing/purpose/steps.ts';

const asked = (text: string): Step => ({ type: 'asked', text });
const called = (call: string): Step => ({ type: 'called', call });
const fine: Step = { type: 'returned', failed: false };
const failed: Step = { type: 'returned', failed: true };
const loop = (...results: Step[]): Step[] => results.flatMap((result, index) => [called(`read ${index}`), result]);

interface Given { steps?: Step[]; stated?: StatedPurpose; before?: Decision; tools?: boolean; instructions?: string }

function decide({ steps = [], stated = {}, before, tools = true, instructions = '' }: Given): ReturnType<typeof decidePurpose> {
  return decidePurpose({ stated, steps: () => ({ instructions, steps }), tools, before: () => before });
}

const summary = asked('Summarize the meeting notes below in three bullets');
const proof = asked('Prove that the algorithm terminates and derive a bound on its worst case');
const code = asked('Add pagination to the orders endpoint and write unit tests for it');

describe('what a request is for', () => {
  it('is what its text asks for', () => {
    assert.equal(decide({ steps: [summary] }).purpose.kind, 'low-cost');
    assert.equal(decide({ steps: [code] }).purpose.kind, 'balanced');
    const { purpose } = decide({ steps: [proof] });
    assert.deepEqual(purpose, { role: 'main', kind: 'high-quality', why: 'it asks for a proof or a derivation' });
  });

  it('is not looked for in the text where the caller says both role and kind', () => {
    const { purpose, decision } = decidePurpose({
      stated: { role: 'subagent', kind: 'low-cost', roleWhy: 'a', kindWhy: 'b' }, tools: true, before: () => assert.fail('the conversation is looked up'), steps: () => assert.fail('the text is read'),
    });
    assert.deepEqual([purpose, decision], [{ role: 'subagent', kind: 'low-cost', why: 'a, and b' }, undefined]);
  });

  it('is low-cost for compactions, errands and inline completions, whatever they hold', () => {
    for (const role of ['compaction', 'auxiliary', 'inline'] as const) assert.equal(decide({ stated: { role }, steps: [proof] }).purpose.kind, 'low-cost');
  });

  it('is seen from what tools write into their requests', () => {
    const role = (given: Given): string => decide(given).purpose.role;
    assert.equal(role({ steps: [asked('Your task is to create a detailed summary of the conversation so far, paying close attention to the requests')] }), 'compaction');
    assert.equal(role({ steps: [asked('You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary')] }), 'compaction');
    assert.equal(role({ instructions: 'You are a context summarization agent. You are given a conversation between a user and an agent.', steps: [asked('Keep every section')], tools: false }), 'compaction');
    assert.equal(role({ instructions: 'You are a title generator. You output only a thread title.', steps: [code], tools: false }), 'auxiliary');
    assert.equal(role({ instructions: 'You write a commit message for the changes you are given.', steps: [asked('diff')], tools: false }), 'auxiliary');
    assert.equal(role({ instructions: 'You are a coding agent. Never write a commit message unless asked.', steps: [code], tools: true }), 'main');
    assert.equal(role({ steps: [asked('write a commit message')], tools: false }), 'main', 'a person may ask for one');
  });

  it('stays through a loop of tools', () => {
    const { decision } = decide({ steps: [proof] });
    assert.ok(decision);
    for (const steps of [[proof, ...loop(fine)], loop(fine, fine, fine), [asked('Summarize this'), ...loop(fine, failed, fine)]]) {
      assert.equal(decide({ steps, before: decision }).purpose.kind, 'high-quality');
    }
  });

  it('is found from what was asked where a server does not know the conversation', () => {
    assert.equal(decide({ steps: [proof, ...loop(fine, fine)] }).purpose.kind, 'high-quality');
    assert.equal(decide({ steps: loop(fine, fine) }).purpose.kind, 'balanced');
  });

  it('goes up by one when a loop is stuck, and stays there until something else is asked', () => {
    const before = decide({ steps: [code] }).decision;
    const stuck = decide({ steps: [code, ...loop(fine, failed, failed, failed)], ...(before === undefined ? {} : { before }) });
    assert.deepEqual(stuck.purpose, { role: 'main', kind: 'high-quality', stalled: true, why: `${before?.why ?? ''}, and the last 3 tool calls failed` });
    const { decision } = stuck;
    assert.ok(decision);
    assert.equal(decide({ steps: [code, ...loop(failed, failed, failed, fine, fine)], before: decision }).purpose.kind, 'high-quality');
    assert.equal(decide({ steps: [summary], before: decision }).purpose.kind, 'low-cost');
    assert.equal(decide({ steps: [proof, ...loop(failed, failed, failed)] }).purpose.kind, 'high-quality', 'the highest stays');
  });

  it('is that of the conversation where little is said', () => {
    const before: Decision = { kind: 'high-quality', why: 'it is about law' };
    for (const text of ['go on', 'yes, fix it', 'ok tiếp tục đi', 'continue', 'tiep di']) assert.equal(decide({ steps: [asked(text)], before }).purpose.kind, 'high-quality', text);
    assert.equal(decide({ steps: [asked('go on')] }).purpose.kind, 'balanced');
  });
});

describe('a stuck loop', () => {
  const rows: [what: string, steps: Step[], stalls: boolean][] = [
    ['two failures', loop(failed, failed), false],
    ['three failures in a row', loop(fine, failed, failed, failed), true],
    ['three failures with a success behind them', loop(failed, failed, failed, fine), false],
    ['four failures of six', loop(failed, failed, fine, failed, failed, fine), true],
    ['failures long ago', loop(failed, failed, failed, failed, fine, fine, fine, fine, fine, fine), false],
    ['the same call twice', [called('a'), fine, called('a'), fine], false],
    ['the same call three times', [called('a'), fine, called('a'), fine, called('a'), fine], true],
    ['the same call between others', [called('a'), fine, called('b'), fine, called('a'), fine], false],
  ];
  for (const [what, steps, stalls] of rows) it(`${stalls ? 'is' : 'is not'} ${what}`, () => { assert.equal(stallOf(steps) !== undefined, stalls); });

  const results: [text: string, failed: boolean][] = [
    ['Error: ENOENT: no such file', true], ['  fatal: not a git repository', true], ['Traceback (most recent call last):', true], ['Exit code: 1\nWall time: 0.2 s', true],
    ['{"output":"x","metadata":{"exit_code":2}}', true], ['Exit code: 0\nok', false], ['errors.ts: 12 lines', false], ['No errors found', false], ['', false],
  ];
  for (const [text, isFailed] of results) it(`${isFailed ? 'counts' : 'does not count'} ${JSON.stringify(text)} as failed`, () => { assert.equal(looksFailed(text), isFailed); });
});

describe('the memory of decisions', () => {
  it('forgets the oldest conversation, and each after some hours', () => {
    const memory = new DecisionMemory();
    const decision: Decision = { kind: 'balanced', why: 'w' };
    for (let count = 0; count < 1100; count++) memory.keep(`c${count}`, decision, 0);
    assert.deepEqual([memory.before('c99', 0), memory.before('c100', 0), memory.before('c1099', 0)], [undefined, decision, decision]);
    assert.equal(memory.before('c1099', 4 * 3_600_000), undefined);
  });
});
