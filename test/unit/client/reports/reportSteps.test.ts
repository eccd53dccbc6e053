import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { placeChoices, reportPeriods } from '../../../../client/commands/reports/reportSteps.ts';
import { usdText } from '../../../../server/api/reports/reportText.ts';

describe('questions of reports', () => {
  it('offer periods in local days, over the borders of months and years', () => {
    const periods = reportPeriods(new Date(2027, 0, 5, 23, 30).getTime());
    assert.deepEqual(periods.map(({ label, fromDay, toDay }) => [label, fromDay, toDay]), [
      ['Last 30 Days', '2026-12-07', '2027-01-05'], ['Last 7 Days', '2026-12-30', '2027-01-05'], ['This Month', '2027-01-01', '2027-01-05'], ['Last Month', '2026-12-01', '2026-12-31'],
      ['Last 90 Days', '2026-10-08', '2027-01-05'], ['Today', '2027-01-05', '2027-01-05'],
    ]);
  });

  it('offer providers that no endpoint is configured for after those that there are', () => {
    const status = { endpoints: [{ name: 'main', provider: 'openai', providerName: 'OpenAI' }], offered: [{ kind: 'route', name: 'coding' }, { kind: 'model', name: 'gpt-4.1' }] } as unknown as Parameters<typeof placeChoices>[0];
    assert.deepEqual(placeChoices(status, [{ id: 'openai', name: 'OpenAI' }, { id: 'mistral', name: 'Mistral' }]).map(({ value }) => value), ['main', 'gpt-4.1', 'mistral']);
    assert.deepEqual(placeChoices(undefined, []), []);
  });

  it('have figures of money to the micro-dollar', () => {
    assert.deepEqual([0, 1, 100, 1_370_000, -4_200, 12_345_678_901, 500_000].map(usdText), ['$0.00', '$0.000001', '$0.0001', '$1.37', '-$0.0042', '$12,345.678901', '$0.50']);
  });
});
