import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointPolicies } from '../../../../client/settings/policies/endpointPolicies.ts';
import { fieldText, isSet, numberProblem, policyText, shownFields, typedNumber, type Policy, type PolicyField } from '../../../../client/settings/policies/policy.ts';
import { hedgePolicy } from '../../../../client/settings/policies/failures.ts';
import { routePolicies } from '../../../../client/settings/policies/routePolicies.ts';
import type { EndpointSettings, RouteSettings } from '../../../../server/api/settings.ts';
import { endpointSchema, routeSchema } from '../../../../server/config/schema.ts';

const targets = ['openai/gpt-4.1', 'claude/claude-sonnet-4.6'];

/** Settings in which every field of every policy is asked for, so that none is hidden by another's default. */
const openRoute: RouteSettings = { targets, canary: { targets: ['relay/gpt-4.1'] }, shadow: { target: 'relay/gpt-4.1' }, caps: { turnUsd: 1 }, lastResort: { targets: ['relay/gpt-5'], kinds: ['high-quality'] }, byKind: { 'low-cost': 'relay/gpt-5' }, responseCache: { enabled: true } };

/** Values that a person may give to a field, each as the settings with it. */
function given<Settings>(field: PolicyField<Settings>, settings: Settings): Settings[] {
  switch (field.kind) {
    case 'choice': return field.values.map(value => value.change(settings));
    case 'number': return [field.min, field.max, Math.min(field.max, Math.max(field.min, 7))].map(typed => field.set(settings, typedNumber(field, String(typed))));
    case 'text': return [field.set(settings, field.unset)];
    case 'target': return [field.set(settings, 'relay/gpt-4.1')];
    case 'targets': return [field.set(settings, ['relay/gpt-4.1', 'relay/gpt-5'])];
  }
}

/** The settings with the default of a field. */
function back<Settings>(field: PolicyField<Settings>, settings: Settings): Settings {
  switch (field.kind) {
    case 'choice': return field.values[0]?.change(settings) ?? settings;
    case 'targets': return field.set(settings, []);
    case 'number': case 'text': case 'target': return field.set(settings, undefined);
  }
}

function accepts(schema: typeof routeSchema | typeof endpointSchema, settings: unknown): void {
  const result = schema.safeParse(settings);
  assert.ok(result.success, JSON.stringify([settings, result.error?.issues]));
}

function tryPolicy<Settings extends object>(name: string, policy: Policy<Settings>, bare: Settings, open: Settings, schema: typeof routeSchema | typeof endpointSchema): void {
  describe(name, () => {
    it('has a title, and words for what is not set', () => {
      assert.match(policy.title, /^[A-Z].*[^.…]$/);
      assert.notEqual(policyText(policy, bare), '');
      assert.ok(policy.fields.length === 1 || policy.unset !== undefined, 'several fields need words for none');
    });
    for (const field of policy.fields) {
      it(`writes "${field.title}" as the schema takes it, and nothing for its default`, () => {
        const bases = field.shown?.(bare) ?? true ? [bare, open] : [open];
        for (const base of bases) {
          for (const settings of given(field, base)) {
            accepts(schema, settings);
            assert.notEqual(fieldText(field, settings), '');
            if (base === bare) assert.deepEqual(back(field, settings), bare);
          }
        }
      });
      if (field.kind === 'choice') it(`shows of "${field.title}" what was chosen, and one thing only`, () => {
        assert.equal(field.values[0]?.isOf(bare), true);
        for (const value of field.values) {
          const settings = value.change(open);
          assert.equal(fieldText(field, settings), value.label);
          assert.equal(field.values.filter(other => other.isOf(settings)).length, 1);
        }
      });
    }
  });
}

describe('the policies that are edited without JSON', () => {
  for (const [name, policy] of Object.entries(routePolicies)) tryPolicy<RouteSettings>(`${name} of a route`, policy, { targets }, openRoute, routeSchema);
  const endpoint: EndpointSettings = { provider: 'openai' };
  for (const [name, policy] of Object.entries(endpointPolicies)) tryPolicy<EndpointSettings>(`${name} of a provider`, policy, endpoint, endpoint, endpointSchema);
});

describe('fields of a policy', () => {
  it('keep a cap that the user wrote when hedging is switched', () => {
    const [mode] = hedgePolicy.fields;
    const [byDefault, always] = mode?.kind === 'choice' ? mode.values : [];
    const settings = { targets, hedge: { enabled: false, dailyCapUsd: 3 } };
    assert.deepEqual(always?.change(settings), { targets, hedge: { dailyCapUsd: 3, enabled: true } });
    assert.deepEqual(byDefault?.change(settings), { targets, hedge: { dailyCapUsd: 3 } });
  });

  it('are hidden where they mean nothing', () => {
    assert.deepEqual(shownFields<RouteSettings>(routePolicies.canary, { targets }).map(({ title }) => title), ['Models to try']);
    assert.deepEqual(shownFields(hedgePolicy, { targets, hedge: { enabled: false } }).length, 1);
  });

  it('show what is set, in the unit in which it is typed', () => {
    assert.equal(policyText<RouteSettings>(routePolicies.timeouts, { targets, timeouts: { idleMs: 1500, totalMs: 90_000 } }), 'Silence: 1.5 s · Whole attempt: 90 s');
    assert.equal(policyText<RouteSettings>(routePolicies.timeouts, { targets }), "as the provider's");
    assert.equal(policyText<RouteSettings>(routePolicies.canary, { targets, canary: { targets: ['a/m'], gates: { errorRate: 0.07 } } }), 'a/m · Gate: errors: 7 %');
    assert.ok(isSet<RouteSettings>(routePolicies.byRole.fields[0] ?? assert.fail(), { targets, byRole: { main: 'a/m' } }));
  });

  it('say in one sentence what is wrong with a number', () => {
    const seconds = { min: 0.01, max: 600, perUnit: 1000, whole: true } as const;
    for (const text of ['', '1', '0.25', '600']) assert.equal(numberProblem(seconds, text), undefined, text);
    for (const text of ['0', '-1', 'x', '601', 'NaN', 'Infinity']) assert.equal(numberProblem(seconds, text), 'Type a number from 0.01 to 600, or nothing for the default.', text);
    assert.equal(numberProblem({ min: 1, max: 9, whole: true }, '2.5'), 'Type a whole number from 1 to 9, or nothing for the default.');
    assert.equal(typedNumber(seconds, '0.25'), 250);
    assert.equal(typedNumber(seconds, ' '), undefined);
  });

  it('say what is wrong with the stages of a canary', () => {
    const stages = routePolicies.canary.fields.find(({ title }) => title === 'Stages');
    const problem = stages?.kind === 'text' ? stages.problem : assert.fail();
    for (const text of ['5, 100', '100', '1 2 3 100', '5%, 50%, 100%']) assert.equal(problem(text), undefined, text);
    for (const text of ['5', '50, 5, 100', 'x, 100', '0, 100', '5, 101', ',']) assert.match(problem(text) ?? '', /^Type per cents that rise and end with 100/, text);
  });
});
