import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

function resolved(budgets: unknown, before?: Config): { config: Config; problems: string[] } {
  const { config, problems } = resolveConfig({ endpoints: {}, routes: {}, budgets }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings', before });
  return { config, problems: problems.map(({ message }) => message) };
}

describe('budgets in the configuration', () => {
  it('are hard, for everything, and warn at 80 %, unless they say otherwise', () => {
    const { config, problems } = resolved({ daily: { limitUsd: 2.5, period: 'day' }, tools: { limitUsd: 10, period: 'month', per: 'tool', only: ['Claude-Code'], whenReached: 'warn', warnAt: 50, cheaperAt: 70 } });
    assert.deepEqual(problems, []);
    assert.deepEqual(config.budgets, [
      { name: 'daily', limitMicroUsd: 2_500_000, period: 'day', per: 'everything', isHard: true, warnAt: 0.8 },
      { name: 'tools', limitMicroUsd: 10_000_000, period: 'month', per: 'tool', only: new Set(['claude-code']), isHard: false, warnAt: 0.5, cheaperAt: 0.7 },
    ]);
  });

  it('with a mistake stay as they were, else hold with what can be read of them', () => {
    const { config: before } = resolved({ daily: { limitUsd: 2, period: 'day', whenReached: 'warn' } });
    const wrong = { daily: { limitUsd: 'two', period: 'day' }, fresh: { limitUsd: 3, period: 'month', per: 'tool', whenReached: 'wran', only: 7 } };
    const { config, problems } = resolved(wrong, before);
    assert.deepEqual(config.budgets?.map(({ name, limitMicroUsd, isHard, only }) => [name, limitMicroUsd, isHard, only]), [['daily', 2_000_000, false, undefined], ['fresh', 3_000_000, true, undefined]]);
    assert.match(problems[0] ?? '', /^Budget "daily" stays as it was: "limitUsd" must be/);
    assert.match(problems[1] ?? '', /^Budget "fresh" holds with its limit/);
    assert.deepEqual(resolved('five dollars', before).config.budgets?.length, 1);
    assert.equal(resolved({}, before).config.budgets, undefined, 'one that was taken out is gone');
  });

  it('that are wrong are left out with what is wrong, and the others hold', () => {
    const { config, problems } = resolved({ good: { limitUsd: 1, period: 'week' }, free: { limitUsd: 0, period: 'day' }, long: { limitUsd: 1, period: 'year' }, only: { limitUsd: 1, period: 'day', only: ['a'] }, GOOD: { limitUsd: 1, period: 'day' }, 'no name': { limitUsd: 1, period: 'day' } });
    assert.deepEqual(config.budgets?.map(({ name }) => name), ['good', 'only']);
    assert.equal(problems.length, 5);
    for (const problem of problems) assert.match(problem, /^Budget ".+" (?:is left out|holds with its limit, for everything it may be for): .+\.$/);
    assert.match(problems.find(problem => problem.includes('"only"')) ?? '', /set "per"/);
    assert.deepEqual(resolved('five dollars').problems.length, 1);
  });

  it('stand in a YAML file as well', () => {
    const { config, problems } = parseYamlConfig('budgets:\n  daily: { limitUsd: 5, period: day }\n', 'w.yaml', {}, { catalog: { providers, findProvider }, supportedProtocols });
    assert.deepEqual(problems, []);
    assert.deepEqual(config.budgets?.map(({ name, limitMicroUsd }) => [name, limitMicroUsd]), [['daily', 5_000_000]]);
  });
});
