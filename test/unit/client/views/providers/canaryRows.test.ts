import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reportMarkdown, reportText, type CanaryReport, type CanaryStatus } from '../../../../../server/api/canary.ts';
import { canaryRows } from '../../../../../client/views/providers/canaryRows.ts';
import { emptyStatus } from '../../fakes.ts';

const canary: CanaryStatus = { route: 'coding', phase: 'running', stage: 2, stages: [5, 15, 100], share: 15, verdict: 'pass', message: 'Stage 2 of 3, 15 %: every gate passes.' };
const row = (changes: Partial<CanaryStatus>) => canaryRows(emptyStatus({ canaries: [{ ...canary, ...changes }] }))[0];

describe('the line of a canary', () => {
  it('shows stage, share and verdict, and the sentence on top of it', () => {
    const line = row({});
    assert.deepEqual([line?.label, line?.description, line?.context, line?.route], ['Canary of coding', 'gates pass · stage 2 of 3, 15 %', 'canary.running', 'coding']);
    assert.equal(line?.tooltip, 'Canary of "coding": running, stage 2 of 3, 15 %\nStage 2 of 3, 15 %: every gate passes.');
  });

  it('says what became of it', () => {
    assert.deepEqual([row({ phase: 'paused' })?.description, row({ phase: 'rolled-back', verdict: 'fail' })?.icon, row({ phase: 'promoted' })?.description], ['paused at stage 2 of 3, 15 %', 'discard', 'promoted']);
    assert.match(row({ phase: 'rolled-back', message: 'Rolled back by hand.' })?.spoken ?? '', /rolled back\. Rolled back by hand\.$/);
  });

  it('is not there before it was started, or without one', () => {
    assert.equal(row({ phase: 'none' }), undefined);
    assert.deepEqual(canaryRows(emptyStatus({})), []);
  });
});

describe('the report of a canary', () => {
  const report: CanaryReport = {
    ...canary, draining: 0, gates: [{ gate: 'error rate', state: 'inconclusive', message: '2 of 30 requests failed.' }],
    baseline: { targets: ['old/m'], requests: 200, errorRate: { value: 0.01, low: 0.003, high: 0.036 } },
    canary: { targets: ['new/m|x'], requests: 30, p99TotalMs: { value: 2100, low: 900 }, microUsdPerThousandTokens: { value: 1250 } },
  };

  it('has both arms side by side, with the bounds of each figure', () => {
    const lines = reportText(report).split('\n');
    assert.match(lines.find(line => line.includes('  error rate')) ?? '', /^ {2}error rate +1 % \(0\.3 % to 3\.6 %\) +no data$/);
    assert.match(lines.find(line => line.includes('p99 of total')) ?? '', /no data +2\.1 s \(900 ms to unknown\)$/);
    assert.match(lines.find(line => line.includes('cost per')) ?? '', /\$0\.00125$/);
    assert.ok(lines.includes('  error rate: inconclusive. 2 of 30 requests failed.'));
  });

  it('escapes what would be Markdown', () => {
    assert.match(reportMarkdown(report), /\| targets \| old\/m \| new\/m\\\|x \|/);
  });
});
