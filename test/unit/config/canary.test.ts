import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import type { CanaryConfig } from '../../../server/config/config.ts';

function canaryOf(canary: unknown, others: Record<string, unknown> = {}, targets = ['openai/gpt-4.1']): { canary: CanaryConfig | undefined; said: string[]; paths: (string | undefined)[]; serves: boolean; isWrong: boolean | undefined } {
  const endpoints = { openai: { provider: 'openai' }, claude: { provider: 'anthropic' } };
  const { config, problems } = resolveConfig({ endpoints, routes: { coding: { targets, canary }, ...others } }, { catalog: { providers, findProvider }, supportedProtocols, source: 'file' });
  const route = config.routes.get('coding');
  return { canary: route?.canary, said: problems.map(({ message }) => message), paths: problems.map(({ path }) => path), serves: route !== undefined, isWrong: route?.canaryIsWrong };
}

describe('the canary of a route', () => {
  test('has every default', () => {
    const { canary, said, isWrong } = canaryOf({ targets: ['claude/claude-sonnet-5'] });
    assert.deepEqual([said, isWrong, canaryOf(undefined).isWrong], [[], undefined, undefined]);
    assert.deepEqual(canary, {
      targets: [{ endpoint: 'claude', model: 'claude-sonnet-5' }], stages: [5, 15, 30, 50, 100], advance: 'time', stageMs: 3_600_000, stageRequests: 200, minRequests: 20, failuresInARow: 8,
      gates: { errorRate: 0.05, successRate: 0.95, p99FirstTokenMs: undefined, p99TotalMs: undefined, p99Ratio: 2, costRatio: undefined },
    });
  });

  test('takes what is written', () => {
    const { canary } = canaryOf({ targets: ['claude/a', 'claude/b'], stages: [50, 100], advance: 'requests', stageRequests: 10, stageMinutes: 0.5, minRequests: 3, failuresInARow: 4, gates: { p99FirstTokenMs: 5000, p99TotalMs: 60_000, costRatio: 1.2 } });
    assert.deepEqual([canary?.stages, canary?.advance, canary?.stageRequests, canary?.stageMs, canary?.minRequests, canary?.failuresInARow, canary?.gates.p99Ratio, canary?.gates.costRatio], [[50, 100], 'requests', 10, 30_000, 3, 4, undefined, 1.2]);
  });

  test('tries no route, and no target of a route within its own', () => {
    const others = { cheap: { targets: ['claude/small'] } };
    const route = canaryOf({ targets: ['cheap'] }, others);
    assert.deepEqual([route.canary, route.said], [undefined, ['The canary of route "coding" is left out: target "cheap" cannot be used: it is a route; write each target of a canary as endpoint/model.']]);
    const within = canaryOf({ targets: ['claude/small'] }, others, ['openai/gpt-4.1', 'cheap']);
    assert.deepEqual([within.canary, within.said], [undefined, ['The canary of route "coding" is left out: target "claude/small" is one of the route\'s own; a canary tries other ones.']]);
    assert.deepEqual(canaryOf({ targets: ['claude/large'] }, others, ['openai/gpt-4.1', 'cheap']).canary?.targets, [{ endpoint: 'claude', model: 'large' }]);
  });

  const wrong: readonly (readonly [title: string, canary: unknown, said: RegExp, path: string])[] = [
    ['no targets', { targets: [] }, /^The canary of route "coding" is left out: it has no targets\.$/, 'routes.coding.canary.targets'],
    ['a target of the route itself', { targets: ['openai/gpt-4.1'] }, /target "openai\/gpt-4\.1" is one of the route's own; a canary tries other ones\.$/, 'routes.coding.canary.targets.0'],
    ['an endpoint that does not exist', { targets: ['clude/m'] }, /target "clude\/m" cannot be used: there is no endpoint "clude"; did you mean "claude"\?$/, 'routes.coding.canary.targets.0'],
    ['stages that fall', { targets: ['claude/a'], stages: [50, 20, 100] }, /its stages must rise and end with 100, such as 5, 15, 30, 50, 100\.$/, 'routes.coding.canary.stages'],
    ['stages that do not end', { targets: ['claude/a'], stages: [5, 50] }, /its stages must rise and end with 100/, 'routes.coding.canary.stages'],
    ['no stage', { targets: ['claude/a'], stages: [] }, /its stages must rise and end with 100/, 'routes.coding.canary.stages'],
    ['a share above all', { targets: ['claude/a'], stages: [200] }, /must be a number from 0\.1 to 100\.$/, 'routes.coding.canary.stages.0'],
    ['an unknown field', { targets: ['claude/a'], stage: [100] }, /there is no field "stage"; did you mean "stages"\?$/, 'routes.coding.canary.stage'],
    ['an unknown gate', { targets: ['claude/a'], gates: { errors: 1 } }, /there is no field "gates.errors"|"errors"/, 'routes.coding.canary.gates.errors'],
    ['a rate in per cent', { targets: ['claude/a'], gates: { errorRate: 5 } }, /must be a number from 0\.001 to 0\.999\.$/, 'routes.coding.canary.gates.errorRate'],
    ['text', 'claude/a', /^The canary of route "coding" is left out: /, 'routes.coding.canary'],
  ];
  for (const [title, canary, said, path] of wrong) test(`with ${title} is left out with one sentence, and the route serves without it`, () => {
    const result = canaryOf(canary);
    assert.equal(result.canary, undefined);
    assert.equal(result.serves, true);
    assert.equal(result.isWrong, true, 'which is not the same as a route without a canary');
    assert.equal(result.said.length, 1, result.said.join('\n'));
    assert.match(result.said[0] ?? '', said);
    assert.equal(result.paths[0], path);
  });
});
