import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certaintyNotes, formatCost, formatMicroUsd, formatSpend } from '../../../../client/base/money.ts';
import { microUsdToDecimal } from '../../../../server/api/reports/csv.ts';

test('micro-dollars read as money with as many digits as matter', () => {
  const cases: [number | undefined, string][] = [
    [0, '$0.00'], [1, '<$0.0001'], [99, '<$0.0001'], [100, '$0.0001'], [149, '$0.0001'], [150, '$0.0002'], [4_200, '$0.0042'],
    [42_049, '$0.0420'], [99_949, '$0.0999'], [99_950, '$0.10'], [99_999, '$0.10'], [100_000, '$0.10'], [420_000, '$0.42'],
    [994_999, '$0.99'], [995_000, '$1.00'], [1_370_000, '$1.37'], [12_005_000, '$12.01'], [999_995_000, '$1,000.00'],
    [1_234_567_890, '$1,234.57'], [1_234_567_000_000, '$1,234,567.00'], [-4_200, '-$0.0042'], [undefined, 'unknown'], [Number.NaN, 'unknown'],
  ];
  for (const [microUsd, text] of cases) assert.equal(formatMicroUsd(microUsd), text, String(microUsd));
});

test('a cost says when it is an estimate, and never shows unknown as nothing', () => {
  assert.equal(formatCost({ microUsd: 4_200, certainty: 'exact' }), '$0.0042');
  assert.equal(formatCost({ microUsd: 4_200, certainty: 'estimated' }), '~$0.0042');
  assert.equal(formatCost({ microUsd: 4_200, certainty: 'estimated', unpriced: ['code execution'] }), '~$0.0042+');
  assert.equal(formatCost({ microUsd: 3, certainty: 'estimated' }), '~<$0.0001');
  assert.equal(formatCost({ microUsd: 0, certainty: 'exact' }), '$0.00');
  assert.equal(formatCost({ microUsd: 0, certainty: 'exact', priceSource: 'subscription' }), '$0.00 (subscription)');
  assert.equal(formatCost({ microUsd: 0, certainty: 'estimated', priceSource: 'provider list', unpriced: ['tokens listed at $0'] }), 'unknown');
  assert.equal(formatCost({ microUsd: 4_200, certainty: 'estimated', unknownParts: 1 }), '~$0.0042+');
  assert.equal(formatCost({ certainty: 'unknown' }), 'unknown');
  assert.equal(formatCost({ certainty: 'exact' }), 'unknown');
});

test('a sum says whether it is exact, partly estimated, wholly estimated or partly unknown', () => {
  const exact = { microUsd: 1_370_000, estimatedMicroUsd: 0, unknownAttempts: 0 };
  assert.equal(formatSpend(exact), '$1.37');
  assert.deepEqual(certaintyNotes(exact), ['exact']);

  const partly = { microUsd: 1_370_000, estimatedMicroUsd: 200_000, unknownAttempts: 1 };
  assert.equal(formatSpend(partly), '~$1.37+', 'B7: what is unknown is not in the figure');
  assert.equal(formatSpend({ ...exact, unknownAttempts: 3 }), '$1.37+');
  assert.deepEqual(certaintyNotes(partly), ['~ $0.20 of it estimated', '+ 1 attempt of unknown cost']);

  const wholly = { microUsd: 200_000, estimatedMicroUsd: 200_000, unknownAttempts: 1_200 };
  assert.deepEqual(certaintyNotes(wholly), ['~ estimated', '+ 1,200 attempts of unknown cost']);

  const inPart = { ...exact, unpricedAttempts: 2, unpriced: ['audio tokens', 'shell'], coveredAttempts: 1 };
  assert.equal(formatSpend(inPart), '$1.37+');
  assert.deepEqual(certaintyNotes(inPart), ['at least: without audio tokens, shell (2 attempts)', '1 attempt at $0.00: by subscription, free tier or simulated']);

  const nothingKnown = { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 2 };
  assert.equal(formatSpend(nothingKnown), 'unknown');
  assert.equal(formatSpend({ ...nothingKnown, unknownAttempts: 0 }), '$0.00');
});

test('money in files keeps every micro-dollar', () => {
  const cases: [number, string][] = [[0, '0.000000'], [1, '0.000001'], [4_200, '0.004200'], [1_370_000, '1.370000'], [1_234_567_890, '1234.567890'], [-1, '-0.000001']];
  for (const [microUsd, text] of cases) assert.equal(microUsdToDecimal(microUsd), text);
});
