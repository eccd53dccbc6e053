import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import type { Config, EndpointConfig } from '../../../server/config/config.ts';
import { checkBaseUrl, isPrivateHost } from '../../../server/config/baseUrl.ts';
import { nearest } from '../../../server/config/nearest.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { ResolveOptions } from '../../../server/config/resolveOptions.ts';

const options: ResolveOptions = { catalog, supportedProtocols: ['openai-chat', 'anthropic-messages'], source: 'file' };

function resolve(endpoints: unknown, routes: unknown = {}, changed: Partial<ResolveOptions> = {}): { config: Config; said: string[] } {
  const { config, problems } = resolveConfig({ endpoints, routes }, { ...options, ...changed });
  return { config, said: problems.map(problem => problem.message) };
}

function only(settings: Record<string, unknown>): EndpointConfig {
  const { config, said } = resolve({ it: settings });
  assert.deepEqual(said, []);
  return config.endpoints.get('it') ?? assert.fail();
}

const wrongEndpoints: readonly (readonly [title: string, settings: unknown, text: string, path?: string])[] = [
  ['an unknown provider with a near one', { provider: 'antropic' }, 'there is no provider "antropic"; did you mean "anthropic"?', 'provider'],
  ['a provider that is like none', { provider: 'zzzzzz' }, `there is no provider "zzzzzz"; known are ${catalog.providers.map(({ id }) => id).join(', ')}.`, 'provider'],
  ['no provider at all', {}, '"provider" is missing.', 'provider'],
  ['something that is no mapping', 'openai', 'it must be a mapping with fields such as provider and protocol.', ''],
  ['an unknown field', { provider: 'openai', baseURL: 'https://relay.example' }, 'there is no field "baseURL"; did you mean "baseUrl"?', 'baseURL'],
  ['an unknown field inside another', { provider: 'openai', limits: { requestPerMinute: 1 } }, 'there is no field "limits.requestPerMinute"; did you mean "requestsPerMinute"?', 'limits.requestPerMinute'],
  ['an unknown field that is like none', { provider: 'openai', limits: { money: 1 } }, 'there is no field "limits.money"; fields here are requestsPerMinute, tokensPerMinute, concurrency, perKey.', 'limits.money'],
  ['a number out of range', { provider: 'openai', priority: 0 }, '"priority" must be a whole number from 1 to 1000.', 'priority'],
  ['a number that is not whole', { provider: 'openai', timeouts: { connectMs: 1.5 } }, '"timeouts.connectMs" must be a whole number from 10 to 120000.', 'timeouts.connectMs'],
  ['a text for a number', { provider: 'openai', weight: 'much' }, '"weight" must be a number from 0 to 1000000.', 'weight'],
  ['a text for true or false', { provider: 'openai', enabled: 'yes' }, '"enabled" must be true or false.', 'enabled'],
  ['an unknown protocol', { provider: 'openai', protocol: 'openai' }, `"protocol" must be one of ${protocolNames.join(', ')}.`, 'protocol'],
  ['a protocol not spoken yet', { provider: 'openai', protocol: 'openai-responses' }, 'protocol "openai-responses" is not supported yet; use openai-chat or anthropic-messages.', 'protocol'],
  ['a protocol without a known address', { provider: 'openai', protocol: 'anthropic-messages' }, 'the address of OpenAI for protocol "anthropic-messages" is not known; give it in "baseUrl".', 'protocol'],
  ['no base URL where there is no default', { provider: 'openai-compatible' }, 'provider "openai-compatible" needs a "baseUrl", such as "http://127.0.0.1:8000/v1".', 'provider'],
  ['a base URL that is none', { provider: 'openai', baseUrl: 'api.example.com/v1' }, '"baseUrl" is not a URL; write it like "https://api.example.com/v1".', 'baseUrl'],
  ['a base URL of another kind', { provider: 'openai', baseUrl: 'ftp://example.com' }, '"baseUrl" must begin with https:// or http://.', 'baseUrl'],
  ['plain http to the world', { provider: 'openai', baseUrl: 'http://api.example.com/v1' }, '"baseUrl" uses http://, which would send your key in clear text to api.example.com; use https://.', 'baseUrl'],
  ['a base URL with the call in it', { provider: 'openai', baseUrl: 'https://api.example.com/v1/chat/completions' }, '"baseUrl" must end before "/chat/completions", which is added to it.', 'baseUrl'],
  ['a base URL with a password', { provider: 'openai', baseUrl: 'https://me:pass@example.com' }, '"baseUrl" must not hold a user name or password; give a key instead.', 'baseUrl'],
  ['a base URL with a query', { provider: 'openai', baseUrl: 'https://example.com/v1?key=1' }, '"baseUrl" must end before "?" and "#".', 'baseUrl'],
  ['a region the provider has not', { provider: 'moonshot', region: 'cm' }, 'Moonshot Kimi has no region "cm"; did you mean "cn"?', 'region'],
  ['a header that frames the request', { provider: 'openai', headers: { Host: 'x' } }, 'header "Host" is set by Waybill itself.', 'headers.Host'],
  ['a header with a line break', { provider: 'openai', headers: { 'x-a': 'b\r\nc: d' } }, 'header "x-a" has a character that cannot be sent, such as a line break.', 'headers.x-a'],
  ['a header that is none', { provider: 'openai', headers: { 'x a': 'b' } }, '"x a" is not the name of a header.', 'headers.x a'],
  ['a proxy of an unknown kind', { provider: 'openai', proxy: 'socks4://me:secret@proxy' }, '"proxy" is no proxy of a known kind; begin it with http://, https://, socks5:// or socks5h://.', 'proxy'],
  ['a proxy that is no address', { provider: 'openai', proxy: 'http://' }, '"proxy" is not the address of a proxy; write it like "http://proxy.example.com:3128".', 'proxy'],
  ['a price below nothing', { provider: 'openai', models: { 'gpt-4.1': { prices: { inputPerMTok: -1, outputPerMTok: 1 } } } }, '"models.gpt-4.1.prices.inputPerMTok" must be a number from 0 to 100000.', 'models.gpt-4.1.prices.inputPerMTok'],
  ['half a price', { provider: 'openai', models: { 'gpt-4.1': { prices: { inputPerMTok: 1 } } } }, '"models.gpt-4.1.prices.outputPerMTok" is missing.', 'models.gpt-4.1.prices.outputPerMTok'],
  ['keys that are no list', { provider: 'openai', keys: 'sk-1' }, '"keys" must be a list.', 'keys'],
];

describe('an endpoint is left out, and the others work, for', () => {
  for (const [title, settings, text, path] of wrongEndpoints) {
    test(title, () => {
      const { config, problems } = resolveConfig({ endpoints: { bad: settings, good: { provider: 'openai' } }, routes: {} }, options);
      assert.deepEqual(problems.map(problem => problem.message), [`Endpoint "bad" is left out: ${text}`]);
      assert.equal(problems[0]?.path, ['endpoints.bad', path].filter(Boolean).join('.'));
      assert.deepEqual([...config.endpoints.keys()], ['good']);
    });
  }

  for (const name of ['a/b', 'a b', '', '-a', '__proto__', 'ä', 'x'.repeat(65)]) {
    test(`the name "${name}"`, () => {
      const { config, said } = resolve(Object.fromEntries([[name, { provider: 'openai' }]]));
      assert.deepEqual(said, [`Endpoint "${name}" is left out: a name has 1 to 64 letters, digits, ".", "_" or "-", and begins with a letter or digit.`]);
      assert.equal(config.endpoints.size, 0);
    });
  }

  test('several reasons, each with a sentence', () => {
    assert.deepEqual(resolve({ bad: { provider: 'openai', priority: 0, weigth: 1 } }).said, [
      'Endpoint "bad" is left out: "priority" must be a whole number from 1 to 1000.',
      'Endpoint "bad" is left out: there is no field "weigth"; did you mean "weight"?',
    ]);
  });
});

describe('an endpoint', () => {
  test('gets defaults for everything but its provider', () => {
    const { provider, ...endpoint } = only({ provider: 'openai' });
    assert.equal(provider.id, 'openai');
    assert.deepEqual(endpoint, {
      name: 'it', protocol: 'openai-chat', baseUrl: 'https://api.openai.com/v1', region: undefined, enabled: true, priority: 100, weight: 100, headers: {}, limits: {},
      timeouts: { connectMs: 5000, headersMs: 30_000, bufferedHeadersMs: 600_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000, minTokensPerSecond: 0 },
      writtenTimeouts: {},
      breaker: { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 30_000, maxOpenForMs: 300_000, halfOpenProbes: 1 }, probe: { enabled: true, intervalMs: 60_000 }, models: {},
    });
  });

  test('of a local provider waits long for the first token', () => {
    const { timeouts } = only({ provider: 'ollama', timeouts: { headersMs: 1000 } });
    assert.equal(timeouts.firstTokenMs, 300_000);
    assert.equal(timeouts.headersMs, 1000);
  });

  test('on this machine or on a private network waits as long as a local one, whatever its provider is called', () => {
    const hosts = ['127.0.0.1:8080', 'localhost:1234', '[::1]:8080', '10.0.0.7:8000', '172.20.1.1', '192.168.1.20:11434', '169.254.7.7', '[fd12::1]', '[fe80::1]', 'gpu.local:8000', 'llm.corp.internal', 'host.docker.internal:11434', 'vllm:8000'];
    for (const host of hosts) {
      for (const provider of ['openai-compatible', 'anthropic-compatible', 'openai']) {
        const { local, timeouts } = only({ provider, baseUrl: `http://${host}/v1` });
        assert.deepEqual([local, timeouts.headersMs, timeouts.firstTokenMs, timeouts.totalMs], [true, 300_000, 300_000, 1_800_000], `${provider} at ${host}`);
      }
    }
    for (const baseUrl of ['https://api.example.com/v1', 'https://172.32.0.1/v1', 'https://internal.example.com', 'https://local.example']) {
      const { local, timeouts } = only({ provider: 'openai-compatible', baseUrl });
      assert.deepEqual([local, timeouts.headersMs], [undefined, 30_000], baseUrl);
    }
    assert.equal(only({ provider: 'openai-compatible', baseUrl: 'http://127.0.0.1/v1', timeouts: { headersMs: 1000 } }).timeouts.headersMs, 1000);
  });

  test('may have a proxy of its own, or none', () => {
    const { proxy } = only({ provider: 'openai', proxy: 'socks5h://me:hidden-word@proxy.example:1080' });
    assert.ok(typeof proxy === 'object' && proxy.label === 'socks5h://proxy.example:1080' && !JSON.stringify(proxy).includes('hidden-word'));
    assert.equal(only({ provider: 'openai', proxy: 'None' }).proxy, 'none');
    const { config, said } = resolve({ it: { provider: 'openai', proxy: 'http://me:hidden-word@proxy.example' } }, {}, { source: 'settings' });
    assert.ok(config.endpoints.has('it') && said.length === 1 && /"proxy" holds a login/.test(said[0] ?? '') && !said.join().includes('hidden-word'), said.join());
  });

  test('keeps its defaults beside a field that is undefined', () => assert.equal(only({ provider: 'openai', timeouts: { idleMs: undefined } }).timeouts.idleMs, 60_000));

  test('whose breaker may be open for less than it is open at first works, with a problem for its owner', () => {
    const { config, said } = resolve({ it: { provider: 'openai', breaker: { openForMs: 60_000, maxOpenForMs: 1000 } } });
    assert.deepEqual(said, ['Endpoint "it": "breaker.maxOpenForMs" is less than "breaker.openForMs", which counts instead.']);
    assert.equal(config.endpoints.get('it')?.breaker.maxOpenForMs, 60_000);
    assert.deepEqual(resolve({ it: { provider: 'openai', breaker: { maxOpenForMs: 1000 } } }).said, ['Endpoint "it": "breaker.maxOpenForMs" is less than the default of "breaker.openForMs", 30000, which counts instead.']);
    assert.equal(only({ provider: 'openai', breaker: { openForMs: 5000, maxOpenForMs: 5000 } }).breaker.maxOpenForMs, 5000);
  });

  test('is found by an alias of its provider', () => assert.equal(only({ provider: 'kimi' }).provider.id, 'moonshot'));

  const addresses: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ provider: 'moonshot' }, 'https://api.moonshot.ai/v1'],
    [{ provider: 'moonshot', region: 'cn' }, 'https://api.moonshot.cn/v1'],
    [{ provider: 'moonshot', region: 'cn', baseUrl: 'https://mine.example' }, 'https://mine.example'],
    [{ provider: 'holysheep', region: 'hk' }, 'https://api.holysheep.ai/v1'],
    [{ provider: 'holysheep', protocol: 'anthropic-messages' }, 'https://api.holysheep.ai'],
    [{ provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:8000/v1/' }, 'http://127.0.0.1:8000/v1'],
    [{ provider: 'openai-compatible', baseUrl: 'http://[::1]:8000' }, 'http://[::1]:8000'],
    [{ provider: 'openai-compatible', baseUrl: ' https://Relay.example/api// ' }, 'https://relay.example/api'],
    [{ provider: 'openai-compatible', baseUrl: 'http://gpu-box.local:8000' }, 'http://gpu-box.local:8000'],
  ];
  for (const [settings, baseUrl] of addresses) {
    test(`${JSON.stringify(settings)} is at ${baseUrl}`, () => assert.equal(only(settings).baseUrl, baseUrl));
  }

  test('in the settings of VS Code works without the keys written there, with a problem for the user', () => {
    const { config, said } = resolve({ openai: { provider: 'openai', keys: ['sk-1'] } }, {}, { source: 'settings' });
    assert.deepEqual(said, ['Endpoint "openai": keys in settings are ignored, because settings are stored in plain text; remove them and use "Waybill: Add Provider…".']);
    assert.ok(config.endpoints.has('openai'));
  });
});

const endpoints = { openai: { provider: 'openai' }, claude: { provider: 'anthropic' }, broken: { provider: 'nobody-at-all' } };

const wrongTargets: readonly (readonly [target: unknown, sentence: string])[] = [
  ['gpt-4.1', 'Route "auto": target "gpt-4.1" is left out: write it as endpoint/model, such as "openai/gpt-4.1".'],
  ['openai/', 'Route "auto": target "openai/" is left out: write it as endpoint/model, such as "openai/gpt-4.1".'],
  ['openai/gpt 4', 'Route "auto": target "openai/gpt 4" is left out: write it as endpoint/model, such as "openai/gpt-4.1".'],
  [7, 'Route "auto": target 1 is left out: write it as endpoint/model, such as "openai/gpt-4.1".'],
  ['opnai/gpt-4.1', 'Route "auto": target "opnai/gpt-4.1" is left out: there is no endpoint "opnai"; did you mean "openai"?'],
  ['zzz/gpt-4.1', 'Route "auto": target "zzz/gpt-4.1" is left out: there is no endpoint "zzz".'],
  ['broken/x', 'Route "auto": target "broken/x" is left out: endpoint "broken" has a problem of its own.'],
  ['claude/claude-opus-5', 'Route "auto": target "claude/claude-opus-5" is listed twice; the second is ignored.'],
];

describe('a route loses only its wrong targets:', () => {
  for (const [target, sentence] of wrongTargets) {
    test(String(target), () => {
      const { config, said } = resolve(endpoints, { auto: { targets: target === 'claude/claude-opus-5' ? ['claude/claude-opus-5', target] : [target, 'claude/claude-opus-5'] } });
      assert.deepEqual(said.slice(1), [sentence]);
      assert.deepEqual(config.routes.get('auto')?.targets, [{ endpoint: 'claude', model: 'claude-opus-5' }]);
    });
  }
});

describe('a route', () => {
  test('may name a model that has a slash of its own', () => {
    const { config } = resolve({ groq: { provider: 'groq' } }, { auto: { targets: ['groq/openai/gpt-oss-120b'] } });
    assert.deepEqual(config.routes.get('auto')?.targets, [{ endpoint: 'groq', model: 'openai/gpt-oss-120b' }]);
  });

  test('keeps the timers it sets, and no others', () => {
    const { config } = resolve(endpoints, { auto: { targets: ['openai/gpt-4.1'], timeouts: { headersMs: 5000, idleMs: 7000 } } });
    assert.deepEqual(config.routes.get('auto')?.timeouts, { headersMs: 5000, bufferedHeadersMs: 5000, idleMs: 7000 });
  });

  const wrongRoutes: readonly (readonly [title: string, name: string, settings: unknown, sentences: string[]])[] = [
    ['no targets', 'auto', { targets: [] }, ['Route "auto" is left out: it has no targets.']],
    ['no field for them', 'auto', {}, ['Route "auto" is left out: "targets" is missing.']],
    ['targets that are no list', 'auto', { targets: 'openai/gpt-4.1' }, ['Route "auto" is left out: "targets" must be a list.']],
    ['a strategy that is none', 'auto', { targets: ['openai/gpt-4.1'], strategy: 'random' }, ['Route "auto" is left out: "strategy" must be one of priority, weighted, round-robin, least-busy, fastest, cheapest, sticky.']],
    ['an unknown field', 'auto', { target: ['openai/gpt-4.1'], targets: ['openai/gpt-4.1'] }, ['Route "auto" is left out: there is no field "target"; did you mean "targets"?']],
    ['a name that reads as a target', 'openai/gpt-4.1', { targets: ['openai/gpt-4.1'] }, ['Route "openai/gpt-4.1" is left out: a name has 1 to 64 letters, digits, ".", "_" or "-", and begins with a letter or digit.']],
    ['wrong targets only', 'auto', { targets: ['zzz/x'] }, ['Route "auto": target "zzz/x" is left out: there is no endpoint "zzz".', 'Route "auto" is left out: none of its targets can be used.']],
  ];
  for (const [title, name, settings, expected] of wrongRoutes) {
    test(`with ${title} is left out`, () => {
      const { config, said } = resolve({ openai: { provider: 'openai' } }, { [name]: settings });
      assert.deepEqual(said, expected);
      assert.equal(config.routes.size, 0);
    });
  }
});

describe('a configuration', () => {
  test('that is empty or absent has no problem', () => {
    for (const nothing of [undefined, null, {}]) assert.deepEqual(resolve(nothing, nothing).said, []);
  });

  test('whose sections are no mappings says so', () => {
    assert.deepEqual(resolve([], 'x').said, ['"endpoints" must be a mapping of names to endpoints.', '"routes" must be a mapping of names to routes.']);
  });

  test('gives each problem the line its caller knows', () => {
    const { problems } = resolveConfig({ endpoints: { a: { provider: 'openai', priority: 0 } }, routes: {} }, {
      ...options, locate: path => ({ file: 'f.yaml', line: path.length }),
    });
    assert.deepEqual(problems, [{ message: 'Endpoint "a" is left out: "priority" must be a whole number from 1 to 1000.', path: 'endpoints.a.priority', file: 'f.yaml', line: 3 }]);
  });
});

describe('a price of $0', () => {
  const zero = { inputPerMTok: 0, outputPerMTok: 0 };
  const said = (endpoint: object): readonly string[] => resolve({ a: endpoint }, {}).said;

  test('is reported with its place, and the endpoint works', () => {
    const { config, problems } = resolveConfig({ endpoints: { a: { provider: 'openai', models: { 'gpt-4.1': { prices: zero } } } }, routes: {} }, options);
    assert.deepEqual(problems.map(problem => problem.path), ['endpoints.a.models.gpt-4.1.prices']);
    assert.match(problems[0]?.message ?? '', /^Endpoint "a": the price of "gpt-4\.1" is \$0.*set "billing"/);
    assert.equal(config.endpoints.get('a')?.billing, undefined);
  });

  test('is none where nothing is charged: a plan, a free tier, a free model, a server of one\'s own', () => {
    for (const endpoint of [
      { provider: 'openai', billing: 'subscription', models: { m: { prices: zero } } }, { provider: 'openai', billing: 'free', models: { m: { prices: zero } } },
      { provider: 'openrouter', models: { 'qwen/qwen3-coder:free': { prices: zero } } }, { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:8000/v1', models: { m: { prices: zero } } },
      { provider: 'ollama', models: { m: { prices: zero } } }, { provider: 'openai', models: { m: { prices: { ...zero, outputPerMTok: 1 } } } },
    ]) assert.deepEqual(said(endpoint), [], JSON.stringify(endpoint));
  });

  test('is not the way to say how an endpoint is paid for', () => {
    assert.equal(resolve({ a: { provider: 'openai', billing: 'subscription' } }, {}).config.endpoints.get('a')?.billing, 'subscription');
    assert.match(said({ provider: 'openai', billing: 'gift' })[0] ?? '', /"billing" must be/);
  });
});

describe('plain http', () => {
  const hosts: readonly (readonly [string, boolean])[] = [
    ['localhost', true], ['127.0.0.1', true], ['127.8.8.8', true], ['[::1]', true], ['a.localhost', true], ['10.1.2.3', true], ['172.16.0.1', true], ['172.32.0.1', false],
    ['192.168.1.1', true], ['192.169.1.1', false], ['100.64.0.1', true], ['100.128.0.1', false], ['[fd00::1]', true], ['[fe80::1]', true], ['[2001:db8::1]', false],
    ['vllm', true], ['box.local', true], ['gpu.internal', true], ['example.com', false], ['8.8.8.8', false], ['localhost.example.com', false], ['10.example.com', false], ['fd00.example.com', false],
  ];
  for (const [host, allowed] of hosts) {
    test(`is ${allowed ? 'allowed' : 'refused'} to ${host}`, () => {
      assert.equal(isPrivateHost(new URL(`http://${host}`).hostname), allowed);
      assert.equal('baseUrl' in checkBaseUrl(`http://${host}/v1`), allowed);
    });
  }
});

describe('the nearest name', () => {
  test('is the one with the fewest wrong letters', () => assert.equal(nearest('opena', ['openrouter', 'openai']), 'openai'));
  test('is none when all are far', () => assert.equal(nearest('abc', ['openai', 'mistral']), undefined));
  test('does not mind case', () => assert.equal(nearest('OPENAI', ['openai']), 'openai'));
});

describe('names that differ only in case', () => {
  test('are refused, and the first one holds', () => {
    const { config, problems } = resolveConfig({
      endpoints: { north: { provider: 'openai' }, North: { provider: 'openai' } },
      routes: { best: { targets: ['north/gpt-4.1', 'North/gpt-4.1'] }, BEST: { targets: ['north/gpt-4.1'] } },
      aliases: { sonnet: 'claude-sonnet-4.5', Sonnet: 'claude-sonnet-4' },
    }, options);
    assert.deepEqual([[...config.endpoints.keys()], [...config.routes.keys()], config.aliases?.get('sonnet')], [['north'], ['best'], 'claude-sonnet-4.5']);
    assert.deepEqual(config.routes.get('best')?.targets.map(target => target.endpoint), ['north']);
    const said = problems.map(problem => problem.message);
    for (const sentence of [/^Endpoint "North" is left out: its name differs from "north" only in case/, /^Route "BEST" is left out: its name differs from "best" only in case/, /^Alias "Sonnet" is left out: it differs from "sonnet" only in case/]) {
      assert.ok(said.some(message => sentence.test(message)), `${String(sentence)} in ${said.join(' | ')}`);
    }
  });
});
