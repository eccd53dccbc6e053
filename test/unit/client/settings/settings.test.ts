import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readNetworkSettings, readSettings } from '../../../../client/settings/settings.ts';
import type { SettingName } from '../../../../client/settings/settings.ts';
import { parseTargetName } from '../../../../server/api/targetName.ts';
import { baseUrlProblem, moved, nameProblem, routesWithoutEndpoint, targetsOf, uniqueName, withEnabled, withTarget, withTargets, withPrices } from '../../../../client/settings/settingsEdits.ts';

const read = (values: Partial<Record<SettingName, unknown>>) => readSettings(name => values[name]);

describe('readNetworkSettings', () => {
  it('takes what the user wrote into the settings of VS Code, and nothing of a wrong type', () => {
    const written = { proxy: 'http://proxy:1', noProxy: ['a.example', 7], proxyStrictSSL: false, proxyAuthorization: 'Basic x', proxySupport: 'override', systemCertificates: true };
    assert.deepEqual(readNetworkSettings(name => written[name]), { ...written, noProxy: ['a.example'] });
    const wrong = { proxy: '  ', noProxy: 'a', proxyStrictSSL: 'no', proxyAuthorization: null, proxySupport: 1, systemCertificates: 0 };
    assert.deepEqual(Object.values(readNetworkSettings(name => wrong[name])).filter(value => value !== undefined), []);
  });
});

describe('readSettings', () => {
  it('fills every default in when the user has written nothing', () => {
    assert.deepEqual(read({}), {
      settings: { endpoints: {}, routes: {}, aliases: {}, equivalents: {}, tools: {}, budgets: {}, blockedExtensions: [], keepTitles: false, localEndpoint: { enabled: true, port: 7717 }, statusBar: 'health', shownModels: 'routes', agentTools: false },
      problems: [],
    });
  });

  it('takes what the user wrote', () => {
    const { settings } = read({
      'endpoints': { openai: { provider: 'openai' } }, 'routes': { default: { targets: ['openai/gpt-4.1'] } }, 'aliases': { sonnet: 'claude-sonnet-5.5' },
      'localEndpoint.enabled': false, 'localEndpoint.port': 0, 'statusBar.show': 'both', 'models.show': 'all', 'agentTools.enabled': true, 'keepTitles': true,
    });
    assert.deepEqual(settings, {
      endpoints: { openai: { provider: 'openai' } }, routes: { default: { targets: ['openai/gpt-4.1'] } }, aliases: { sonnet: 'claude-sonnet-5.5' }, equivalents: {}, tools: {}, budgets: {}, blockedExtensions: [], keepTitles: true,
      localEndpoint: { enabled: false, port: 0 }, statusBar: 'both', shownModels: 'all', agentTools: true,
    });
  });

  it('passes caps on as they are written, so that the server can say what is wrong and what caps meanwhile', () => {
    for (const caps of [{}, { turnUsd: 'x' }, 5, []]) {
      const { settings, problems } = read({ caps });
      assert.deepEqual([settings.caps, problems], [caps, []]);
    }
    assert.equal(read({ caps: null }).settings.caps, undefined);
  });

  it('falls back to the default for values that cannot be', () => {
    const { settings } = read({ 'localEndpoint.enabled': 'yes', 'localEndpoint.port': 70_000, 'statusBar.show': 'loud', 'models.show': 3, 'agentTools.enabled': 'yes', 'keepTitles': 1 });
    assert.deepEqual([settings.localEndpoint, settings.statusBar, settings.shownModels, settings.agentTools, settings.keepTitles], [{ enabled: true, port: 7717 }, 'health', 'routes', false, false]);
  });

  it('keeps keys written into settings away from everything, and says where they belong', () => {
    const { settings, problems } = read({ endpoints: { openai: { provider: 'openai', keys: ['sk-secret'] } } });
    assert.deepEqual(settings.endpoints, { openai: { provider: 'openai' } });
    assert.match(problems[0]?.message ?? '', /"openai".*Add Key/);
    assert.ok(!JSON.stringify({ settings, problems }).includes('sk-secret'));
  });

  it('reports entries that are no objects and keeps the others', () => {
    const { settings, problems } = read({ endpoints: { a: 'openai', b: { provider: 'openai' } }, routes: [] });
    assert.deepEqual(Object.keys(settings.endpoints), ['b']);
    assert.deepEqual(problems.map(problem => problem.path), ['endpoints.a', 'routes']);
    const aliases = read({ aliases: { a: 'gpt-4.1', b: 3 } });
    assert.deepEqual(aliases.settings.aliases, { a: 'gpt-4.1' });
    assert.deepEqual(aliases.problems.map(problem => problem.path), ['aliases.b']);
  });
});

describe('prices a vendor publishes', () => {
  it('become the settings of the endpoint, but never replace what the user has set', () => {
    const own = { inputPerMTok: 9, outputPerMTok: 9 };
    const endpoints = { hs: { provider: 'holysheep', models: { a: { prices: own }, b: { upstream: 'b-1' } } }, other: { provider: 'openai' } };
    const published = { inputPerMTok: 1, outputPerMTok: 2 };
    assert.deepEqual(withPrices(endpoints, 'hs', { a: published, b: published, c: published }), {
      hs: { provider: 'holysheep', models: { a: { prices: own }, b: { upstream: 'b-1', prices: published }, c: { prices: published } } }, other: { provider: 'openai' },
    });
    assert.equal(withPrices(endpoints, 'gone', { a: published }), endpoints);
  });
});

describe('edits of the settings', () => {
  const routes = { default: { targets: ['openai/gpt-4.1', 'claude/sonnet'], timeouts: { idleMs: 5 } }, only: { targets: ['openai/gpt-4.1'] }, other: { targets: ['claude/sonnet'] } };

  it('taking an endpoint away takes its targets out of every route, and routes that are left empty', () => {
    assert.deepEqual(routesWithoutEndpoint(routes, 'openai'), { default: { targets: ['claude/sonnet'], timeouts: { idleMs: 5 } }, other: routes.other });
  });

  it('a target goes to the end of a route, is there once, and makes the route when there is none', () => {
    assert.deepEqual(withTarget({}, 'default', 'a/b'), { default: { targets: ['a/b'] } });
    assert.deepEqual(withTarget(routes, 'only', 'claude/sonnet')['only'], { targets: ['openai/gpt-4.1', 'claude/sonnet'] });
    assert.equal(withTarget(routes, 'only', 'openai/gpt-4.1'), routes);
  });

  it('a new order keeps what else is written about the route', () => {
    assert.deepEqual(withTargets(routes, 'default', ['x/y'])['default'], { targets: ['x/y'], timeouts: { idleMs: 5 } });
  });

  it('targets are split at the first slash, since models have slashes too', () => {
    assert.deepEqual(parseTargetName('openrouter/anthropic/claude'), { endpoint: 'openrouter', model: 'anthropic/claude' });
    for (const text of ['', 'model', '/model', 'endpoint/']) assert.equal(parseTargetName(text), undefined, text);
  });

  it('survive a route that is no route', () => {
    const broken = { bad: { targets: 'openai/gpt' as unknown as string[] } };
    assert.deepEqual(targetsOf(broken.bad), []);
    assert.deepEqual(routesWithoutEndpoint(broken, 'openai'), broken);
  });

  it('switching on removes the word instead of writing the default', () => {
    assert.deepEqual(withEnabled({ provider: 'x', enabled: false }, true), { provider: 'x' });
    assert.deepEqual(withEnabled({ provider: 'x' }, false), { provider: 'x', enabled: false });
  });

  it('moving keeps every entry', () => {
    assert.deepEqual(moved(['a', 'b', 'c'], 2, 0), ['c', 'a', 'b']);
    assert.deepEqual(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c']);
    assert.deepEqual(moved(['a'], 0, 5), ['a']);
  });

  it('names are made unique and checked', () => {
    assert.equal(uniqueName('openai', []), 'openai');
    assert.equal(uniqueName('openai', ['openai', 'openai-2']), 'openai-3');
    assert.equal(nameProblem('relay-hk_2.x', []), undefined);
    for (const name of ['', 'a/b', 'a b', '-a', 'ä', 'x'.repeat(65)]) assert.notEqual(nameProblem(name, []), undefined, name);
    assert.match(nameProblem('openai', ['openai']) ?? '', /already/);
    assert.match(nameProblem('OpenAI', ['openai']) ?? '', /differs from "openai" only in case/);
  });

  it('base URLs are checked before anything is sent to them', () => {
    for (const url of ['https://api.example.com/v1', 'http://127.0.0.1:11434/v1', 'http://[::1]:8080', 'api.example.com/v1', 'localhost:11434']) assert.equal(baseUrlProblem(url), undefined, url);
    for (const url of ['', 'api example', 'ftp://x', 'https://user:pass@x.com', 'https://x.com/v1?key=1', 'javascript:alert(1)']) assert.notEqual(baseUrlProblem(url), undefined, url);
  });
});
