import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownModels } from '../../../../client/chat/offeredModels.ts';
import { statusBarContent } from '../../../../client/status/statusText.ts';
import { providerNodes } from '../../../../client/views/providers/providersTreeModel.ts';
import { because, conditionIcon, conditionKinds, conditionText, healthOf, isUp, jointCondition, type Condition } from '../../../../server/api/condition.ts';
import { said } from '../../../../server/api/localization/said.ts';
import type { EndpointStatus, OfferedModel, StatusSnapshot } from '../../../../server/api/status.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { OfferCache } from '../../../../server/router/status/offers.ts';
import type { RouteConfig } from '../../../../server/config/config.ts';
import { endpoint } from '../fakes.ts';

const now = new Date(2026, 10, 27, 18, 0).getTime();

/** A snapshot of one endpoint, with a route over it whose offer the server makes. */
function snapshotOf(condition: Condition): StatusSnapshot {
  const target = { endpoint: 'north', model: 'm' };
  const route = { name: 'default', strategy: 'priority', targets: [target], timeouts: {}, afterCommit: 'error', hedge: { when: 'never', dailyCapMicroUsd: 0 }, onRefusal: 'tell' } as unknown as RouteConfig;
  const offered: OfferedModel[] = new OfferCache().offered({
    config: { ...emptyConfig, routes: new Map([['default', route]]) }, modelsOf: () => [], modelAt: (_, spelling) => spelling, facts: () => ({}), condition: () => condition, now,
  }, 1);
  const north: EndpointStatus = endpoint('north', { condition, state: healthOf(condition), enabled: condition.kind !== 'disabled' });
  return { at: now, endpoints: [north], offered, nothingCanServe: false, todayMicroUsd: 0, todayEstimated: false, todayUnknown: 0, ledgerRevision: 0, http: { state: 'off' }, problems: [] };
}

/** Each kind plain, with a moment, and with a reason. */
const cases: Condition[] = conditionKinds.flatMap(kind => [{ kind }, { kind, until: now + 600_000 }, { kind, until: now + 600_000, why: '429' }]);

describe('an endpoint looks and reads the same in the status bar, the Providers view and the model picker', () => {
  for (const condition of cases) {
    const text = conditionText(condition, now);
    it(`when it is ${text}`, () => {
      const status = snapshotOf(condition);
      const bar = statusBarContent({ server: 'running', status, choice: 'health', now, configuredEndpoints: 1 });
      const [line] = providerNodes(status, now);
      const [model] = shownModels(status.offered, 'all');
      const icon = conditionIcon(condition);
      assert.ok(bar.tooltip.replaceAll('\\', '').includes(`$(${icon}) ${text} |`), bar.tooltip);
      assert.deepEqual([line?.icon, line?.spoken], [icon, `north, OpenAI, ${text}`]);
      assert.equal(line?.description, condition.kind === 'healthy' ? '' : text);
      assert.equal(model?.icon, icon);
      if (condition.kind !== 'healthy' && condition.kind !== 'unknown') assert.equal(model?.warning, `north: ${text}`);
      // Whether requests can be sent there is the same as well.
      assert.equal(bar.text, `$(pulse) ${isUp(condition) ? 1 : 0}/${condition.kind === 'disabled' ? 0 : 1}`);
      assert.equal(model?.detail === `via north` || model?.detail === 'via north · degraded', isUp(condition), model?.detail);
    });
  }
});

describe('what several targets together can do', () => {
  const joint: [string, Condition[], Condition][] = [
    ['nothing, where there is none', [], { kind: 'down' }],
    ['what the only one can', [{ kind: 'paused' }], { kind: 'paused' }],
    ['what all have in common, with the first end', [{ kind: 'paused' }, { kind: 'paused', until: 5 }], { kind: 'paused', until: 5 }],
    ['nothing, for different reasons', [{ kind: 'paused' }, { kind: 'rate-limited', until: 5 }], { kind: 'down', until: 5, ...because(said('none up')) }],
    ['a part', [{ kind: 'healthy' }, { kind: 'down' }], { kind: 'degraded', ...because(said('{0} of {1} up', 1, 2)) }],
    ['all, one of them with trouble', [{ kind: 'healthy' }, { kind: 'recovering' }], { kind: 'recovering' }],
    ['all that is known of', [{ kind: 'unknown' }, { kind: 'healthy' }], { kind: 'healthy' }],
  ];
  for (const [name, conditions, expected] of joint) it(`is ${name}`, () => { assert.deepEqual(jointCondition(conditions), expected); });
});
