import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BudgetStatus } from '../../../../../server/api/budgets/budgetStatus.ts';
import { namePattern } from '../../../../../server/config/schema.ts';
import { readUsd } from '../../../../../client/base/amount.ts';
import { budgetFigure, budgetNotes, budgetTitle } from '../../../../../client/base/budgetWording.ts';
import { budgetNameFor, readLimit, summaryOf, writtenBudgets } from '../../../../../client/commands/budgets/budgetDraft.ts';
import { budgetSection } from '../../../../../client/views/spend/budgetSection.ts';

describe('a limit that a person writes', () => {
  it('is read as dollars within its bounds, and as the amounts of the Requests view are', () => {
    assert.deepEqual(['5', '$0.50', '1,5', '1,000,000', '1000000'].map(readLimit), [5, 0.5, 1.5, 1_000_000, 1_000_000]);
    for (const text of ['0', '1000001']) assert.match(String(readLimit(text)), /above 0 and up to 1,000,000/, text);
    for (const text of ['', 'five', '1,500']) assert.equal(readLimit(text), readUsd(text), text);
  });
});

describe('the name of a new budget', () => {
  it('is plain, says what it is for, and is free', () => {
    assert.equal(budgetNameFor({ limitUsd: 5, period: 'day' }, new Set()), 'daily');
    assert.equal(budgetNameFor({ limitUsd: 5, period: 'day' }, new Set(['Daily', 'daily-2'])), 'daily-3');
    assert.equal(budgetNameFor({ limitUsd: 5, period: 'month', per: 'branch', only: ['feature/ä b'] }, new Set()), 'monthly-feature-b');
    for (const only of ['x'.repeat(300), '…', 'a b']) assert.match(budgetNameFor({ limitUsd: 1, period: 'week', per: 'workspace', only: [only] }, new Set(['weekly-a-b'])), namePattern);
  });
});

describe('budgets as they are written in the settings', () => {
  it('can be listed, whatever stands beside them and in them', () => {
    const written = { daily: null, weekly: 'five', tools: { limitUsd: 5, period: 'day', per: 'tool', only: 'codex' }, all: { limitUsd: 9, period: 'week', whenReached: 'warn' } };
    assert.deepEqual(Object.entries(writtenBudgets(written)).map(([name, budget]) => `${name}: ${summaryOf(budget)}`), ['tools: $5.00 a day for codex', 'all: $9.00 a week for everything, only warns']);
    assert.equal(summaryOf({ limitUsd: 2000, period: 'day' }), '$2,000.00 a day for everything');
    assert.equal(summaryOf({ limitUsd: 5, period: 'day', per: 'tool', only: ['codex', 'aider'] }), '$5.00 a day for codex, aider');
  });
});

describe('where a budget stands, in words', () => {
  const status: BudgetStatus = {
    name: 'agents', period: 'day', per: 'tool', of: 'codex', key: 'k', limitMicroUsd: 5_000_000, spentMicroUsd: 1_200_000, reservedMicroUsd: 300_000, leftMicroUsd: 3_500_000, share: 0.3, state: 'ok', isHard: true,
    from: new Date(2026, 10, 27).getTime(), resetsAt: new Date(2026, 10, 28).getTime(),
  };

  it('has what is spent, left and reserved, and when it begins anew', () => {
    assert.deepEqual([budgetTitle(status), budgetFigure(status)], ['agents: codex', '$1.20 of $5.00 a day']);
    assert.deepEqual([{ name: 'codex', per: 'token', of: 'codex' }, { name: 'ci', per: 'token', of: 'ci-x4k2' }].map(one => budgetTitle(one as BudgetStatus)), ['Access of codex', 'ci: ci-x4k2']);
    const notes = budgetNotes(status);
    assert.deepEqual(notes.slice(0, 2), ['$3.50 left', '$0.30 reserved']);
    assert.match(notes.at(-1) ?? '', /^until .*28/);
  });

  it('marks a sum with an unknown part, a lifted budget and one that only warns', () => {
    assert.equal(budgetFigure({ ...status, unknown: 2, allowedMicroUsd: 1_000_000 }), '$1.20+ of $6.00 a day');
    assert.equal(budgetNotes({ ...status, lifted: true, leftMicroUsd: undefined })[0], 'lifted');
    assert.ok(budgetNotes({ ...status, isHard: false, state: 'reached', leftMicroUsd: -5 }).join().includes('$0.00 left,$0.30 reserved,only warns,reached'));
  });

  it('is a section of the Spend page, which is not there without budgets', () => {
    assert.equal(budgetSection([]), undefined);
    assert.deepEqual(budgetSection([{ ...status, share: 1.7 }])?.rows.map(({ name, share }) => [name, share]), [['agents: codex', 1]]);
    const tone = (more: Partial<BudgetStatus>): unknown => budgetSection([{ ...status, ...more }])?.rows[0]?.tone;
    assert.deepEqual([tone({ state: 'ok' }), tone({ state: 'near' }), tone({ state: 'reached' }), tone({ state: 'reached', lifted: true })], [undefined, 'near', 'reached', undefined]);
  });
});
