import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as catalog from '../../../server/catalog/providers.ts';
import { loadYamlConfig } from '../../../server/config/yamlFile.ts';
import { parseYamlConfig } from '../../../server/config/yamlConfig.ts';
import type { Environment, LoadedConfig, YamlOptions } from '../../../server/config/yamlConfig.ts';

const options: YamlOptions = { catalog, supportedProtocols: ['openai-chat', 'anthropic-messages'] };
const keys: Environment = {
  OPENAI_API_KEY: 'sk-first-0001', OPENAI_API_KEY_2: 'sk-second-0002', ANTHROPIC_API_KEY: 'sk-ant-0003', HOLYSHEEP_API_KEY: 'relay-0004',
};

function load(text: string, environment: Environment = keys): LoadedConfig {
  return parseYamlConfig(text, 'waybill.yaml', environment, options);
}

/** Problems as a person reads them: `line: sentence`. */
function sentences(loaded: LoadedConfig): string[] {
  return loaded.problems.map(problem => `${problem.line ?? '-'}: ${problem.message}`);
}

const completeYaml = readFileSync(new URL('fixtures/complete.yaml', import.meta.url), 'utf8');

describe('a complete configuration file', () => {
  const loaded = load(completeYaml);

  test('has no problem', () => assert.deepEqual(loaded.problems, []));

  test('gives every endpoint what it says and defaults for the rest', () => {
    const { provider, ...relay } = loaded.config.endpoints.get('relay-hk') ?? assert.fail();
    assert.equal(provider.id, 'holysheep');
    assert.deepEqual(relay, {
      name: 'relay-hk', protocol: 'openai-chat', baseUrl: 'https://api.holysheep.ai/v1', region: 'hk', enabled: true, priority: 100, weight: 40, headers: {},
      limits: { requestsPerMinute: 1000, tokensPerMinute: 100_000 },
      timeouts: { connectMs: 3000, headersMs: 15_000, bufferedHeadersMs: 15_000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 600_000, minTokensPerSecond: 0 },
      writtenTimeouts: { connectMs: 3000, headersMs: 15_000, bufferedHeadersMs: 15_000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 600_000 },
      breaker: { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 60_000, maxOpenForMs: 600_000, halfOpenProbes: 3 },
      probe: { enabled: true, intervalMs: 30_000 },
      models: { 'deepseek-v3.2': { upstream: 'deepseek-chat', prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } } },
    });
    assert.equal(loaded.config.endpoints.get('claude')?.baseUrl, 'https://api.anthropic.com');
    assert.equal(loaded.config.endpoints.get('claude')?.protocol, 'anthropic-messages');
  });

  test('gives routes their targets in order', () => {
    assert.deepEqual(loaded.config.routes.get('auto'), {
      name: 'auto', strategy: 'priority', timeouts: {}, afterCommit: 'error', hedge: { when: 'inline', afterMs: undefined, dailyCapMicroUsd: 1_000_000 }, onRefusal: 'tell',
      targets: [{ endpoint: 'openai', model: 'gpt-4.1' }, { endpoint: 'claude', model: 'claude-sonnet-4.5' }, { endpoint: 'relay-hk', model: 'deepseek-v3.2' }],
    });
  });

  test('keeps keys in the key ring, known by their variables, and nowhere else', () => {
    assert.deepEqual(loaded.keys.get('openai'), [
      { id: 'OPENAI_API_KEY', label: 'OPENAI_API_KEY', secret: 'sk-first-0001' },
      { id: 'OPENAI_API_KEY_2', label: 'OPENAI_API_KEY_2', secret: 'sk-second-0002' },
    ]);
    const shown = JSON.stringify([...loaded.config.endpoints, ...loaded.config.routes]);
    for (const secret of Object.values(keys)) assert.equal(shown.includes(String(secret)), false);
  });
});

const cases: readonly { title: string; yaml: string; environment?: Environment; said: string[]; endpoints?: string[]; routes?: string[] }[] = [
  {
    title: 'a missing variable of a key is named, and the other keys stay',
    yaml: 'endpoints:\n  openai:\n    provider: openai\n    keys:\n      - ${OPENAI_API_KEY}\n      - ${OPENAI_API_KEY_9}\n',
    said: ['6: Endpoint "openai": the environment variable OPENAI_API_KEY_9 is not set, so this key is left out.'],
    endpoints: ['openai'],
  },
  {
    title: 'an endpoint without a key left is reported and stays in the configuration',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${NOT_SET}"] }\n',
    said: [
      '2: Endpoint "openai": the environment variable NOT_SET is not set, so this key is left out.',
      '2: Endpoint "openai" has no usable key left, so nothing can be sent to it.',
    ],
    endpoints: ['openai'],
  },
  {
    title: 'for an endpoint without a key the problem says how to give one',
    yaml: 'endpoints:\n  claude: { provider: anthropic }\n',
    said: ['2: Endpoint "claude" has no key, so nothing can be sent to it; add keys: ["${ANTHROPIC_API_KEY}"].'],
    endpoints: ['claude'],
  },
  {
    title: 'a variable works in any text',
    yaml: 'endpoints:\n  relay: { provider: openai-compatible, baseUrl: "https://${HOST}/v1", headers: { x-team: "${TEAM}" } }\n',
    environment: { HOST: 'relay.example', TEAM: 'blue' },
    said: [],
    endpoints: ['relay'],
  },
  {
    title: 'a missing variable outside keys costs the endpoint, and its targets are explained',
    yaml: 'endpoints:\n  relay:\n    provider: openai-compatible\n    baseUrl: https://${HOST}/v1\n  openai: { provider: openai, keys: ["${OPENAI_API_KEY}"] }\nroutes:\n  auto:\n    targets:\n      - relay/gpt-4.1\n      - openai/gpt-4.1\n',
    said: [
      '4: Endpoint "relay" is left out: in "baseUrl", the environment variable HOST is not set.',
      '9: Route "auto": target "relay/gpt-4.1" is left out: endpoint "relay" has a problem of its own.',
    ],
    endpoints: ['openai'],
    routes: ['auto'],
  },
  {
    title: 'a missing variable in a target costs that target',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${OPENAI_API_KEY}"] }\nroutes:\n  auto: { targets: ["openai/${MODEL}", openai/gpt-4.1] }\n',
    said: ['4: Route "auto": in "targets[0]", the environment variable MODEL is not set.'],
    endpoints: ['openai'],
    routes: ['auto'],
  },
  {
    title: 'two missing variables in one text are both named',
    yaml: 'endpoints:\n  a: { provider: openai-compatible, baseUrl: "http://${HOST}:${PORT}" }\n',
    said: ['2: Endpoint "a" is left out: in "baseUrl", the environment variables HOST, PORT are not set.'],
  },
  {
    title: 'a variable name that cannot be one is not repeated, for it may be the key',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${sk-oops}", "${OPENAI_API_KEY}"] }\n',
    said: ['2: Endpoint "openai": a "${" is not followed by the name of an environment variable and "}", so this key is left out.'],
    endpoints: ['openai'],
  },
  {
    title: 'keys written out work, and are warned about once',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: [sk-plain-1, sk-plain-2] }\n  claude: { provider: anthropic, keys: [sk-ant-plain] }\n',
    said: ['2: Keys of "openai", "claude" are written out in this file; put them into environment variables and write ${NAME} instead.'],
    endpoints: ['openai', 'claude'],
  },
  {
    title: 'the same key twice counts once',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${A}", "${B}"] }\n',
    environment: { A: 'sk-1', B: 'sk-1 ' },
    said: ['2: Endpoint "openai": B is the same key as one before it, so it is left out.'],
    endpoints: ['openai'],
  },
  {
    title: 'a key with a line break inside is refused without being shown',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${A}", "${B}"] }\n',
    environment: { A: 'sk-1', B: 'sk-2\nsk-3' },
    said: ['2: Endpoint "openai": B holds characters that no key has, so it is left out.'],
    endpoints: ['openai'],
  },
  {
    title: 'an endpoint defined twice keeps its first definition',
    yaml: 'endpoints:\n  openai: { provider: openai, keys: ["${OPENAI_API_KEY}"] }\n  claude: { provider: anthropic, keys: ["${ANTHROPIC_API_KEY}"] }\n  openai: { provider: mistral }\n',
    said: ['4: Endpoint "openai" is written twice, first on line 2; the second is ignored.'],
    endpoints: ['openai', 'claude'],
  },
  {
    title: 'a field written twice keeps its first value',
    yaml: 'endpoints:\n  openai:\n    provider: openai\n    keys: ["${OPENAI_API_KEY}"]\n    priority: 1\n    priority: 2\n',
    said: ['6: "endpoints.openai.priority" is written twice, first on line 5; the second is ignored.'],
    endpoints: ['openai'],
  },
  {
    title: 'a wrong field is shown on its own line, and the rest works',
    yaml: 'endpoints:\n  openai:\n    provider: openai\n    keys: ["${OPENAI_API_KEY}"]\n    timeouts:\n      idleMs: 5\n  claude: { provider: anthropic, keys: ["${ANTHROPIC_API_KEY}"] }\n',
    said: ['6: Endpoint "openai" is left out: "timeouts.idleMs" must be a whole number from 10 to 3600000.'],
    endpoints: ['claude'],
  },
  {
    title: 'an unknown section gets a suggestion',
    yaml: 'endpoint:\n  openai: { provider: openai }\n',
    said: ['1: There is no section "endpoint"; did you mean "endpoints"?'],
  },
  {
    title: 'anchors and merges are understood',
    yaml: 'endpoints:\n  a: &base\n    provider: openai-compatible\n    baseUrl: http://127.0.0.1:1/v1\n    timeouts: { idleMs: 100 }\n  b:\n    <<: *base\n    baseUrl: http://127.0.0.1:2/v1\n',
    said: [],
    endpoints: ['a', 'b'],
  },
  { title: 'of two documents the first is used, and the second is a problem', yaml: 'endpoints: {}\n---\nroutes: {}\n', said: ['2: The file holds more than one YAML document; only the first is used.'] },
  {
    title: 'an alias that leads nowhere is reported with its line',
    yaml: 'aliases:\n  good: gpt-4.1\n  loop: loop\n  odd: "${NOT_SET}"\n',
    said: ['4: Alias "odd" is left out: the environment variable NOT_SET is not set.', '3: Alias "loop" is left out: it stands for itself.'],
  },
];

describe('in a configuration file,', () => {
  for (const { title, yaml, environment, said, endpoints, routes } of cases) {
    test(title, () => {
      const loaded = load(yaml, environment);
      assert.deepEqual(sentences(loaded), said);
      assert.deepEqual([...loaded.config.endpoints.keys()], endpoints ?? []);
      assert.deepEqual([...loaded.config.routes.keys()], routes ?? []);
      for (const problem of loaded.problems) assert.equal(problem.file, 'waybill.yaml');
      assert.equal(loaded.readable, true);
    });
  }

  test('broken YAML is shown by line without repeating what the file holds', () => {
    const loaded = load('endpoints:\n  openai: { provider: openai, keys: ["sk-secret-value }\nroutes: 1\n');
    assert.equal(loaded.readable, false);
    assert.equal(loaded.config.endpoints.size, 0);
    assert.ok(loaded.problems.length > 0);
    assert.match(sentences(loaded)[0] ?? '', /^\d+: The file is not valid YAML: /);
    assert.equal(JSON.stringify(loaded.problems).includes('sk-secret-value'), false);
  });

  test('a bracket that is left open is named, and not only the indentation behind it', () => {
    const loaded = load('endpoints: { openai: { provider: openai }\nroutes: {}\n');
    assert.deepEqual(sentences(loaded), ['2: The file is not valid YAML: the indentation is wrong, or a bracket before this line is not closed.']);
  });

  test('aliases that multiply without end are refused', () => {
    const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`)].join('\n');
    const loaded = load(bomb);
    assert.equal(loaded.readable, false);
    assert.deepEqual(sentences(loaded), ['-: The file uses YAML aliases that cannot be followed.']);
  });

  test('no problem ever shows a key', () => {
    const secret = 'sk-very-secret-value';
    const loaded = load(`endpoints:\n  a: { provider: openai, keys: ${secret} }\n  b: { provider: openai, keys: [${secret}, { ${secret}: 1 }] }\n  c: { provider: openai, baseUrl: "https://x:${secret}@example.com" }\n  d: { provider: openai, headers: { x: [${secret}] } }\n`);
    assert.ok(loaded.problems.length >= 4);
    assert.equal(JSON.stringify(loaded.problems).includes(secret), false);
  });
});

describe('a configuration file on disk', () => {
  test('is read with its path in every problem', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'waybill.yaml');
    writeFileSync(file, completeYaml);
    assert.deepEqual((await loadYamlConfig(file, keys, options)).problems, []);
    writeFileSync(file, 'endpoints:\n  openai: { provider: opnai }\n');
    assert.deepEqual((await loadYamlConfig(file, keys, options)).problems, [
      { message: 'Endpoint "openai" is left out: there is no provider "opnai"; did you mean "openai"?', path: 'endpoints.openai.provider', file, line: 2 },
    ]);
  });

  test('that is not there is a problem, not a crash', async () => {
    const loaded = await loadYamlConfig(join(tmpdir(), 'waybill-nowhere', 'no.yaml'), keys, options);
    assert.equal(loaded.readable, false);
    assert.deepEqual(loaded.problems.map(problem => problem.message), ['The configuration file cannot be read: there is no such file.']);
  });
});

describe('the key file of a service account', () => {
  const file = JSON.stringify({ type: 'service_account', project_id: 'p-1', private_key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', client_email: 'a@b.c' });
  const yaml = 'endpoints:\n  vertex: { provider: vertex, keys: ["${GOOGLE_KEY}"] }\n';

  test('is a key, however it is laid out', () => {
    const loaded = load(yaml, { GOOGLE_KEY: JSON.stringify(JSON.parse(file), undefined, 2) });
    assert.deepEqual(sentences(loaded), []);
    assert.equal(loaded.keys.get('vertex')?.[0]?.secret, file);
  });

  test('that is cut short is left out, and no part of it is shown', () => {
    const loaded = load(yaml, { GOOGLE_KEY: file.slice(0, 80) });
    assert.deepEqual(sentences(loaded), ['2: Endpoint "vertex": GOOGLE_KEY holds characters that no key has, so it is left out.']);
  });
});

describe('a file without a configuration in it', () => {
  for (const text of ['', '\n', '# nothing yet\n', '---\n', 'null\n']) {
    test(`is not readable but known to be empty: ${JSON.stringify(text)}`, () => {
      const loaded = load(text);
      assert.deepEqual([loaded.readable, loaded.empty], [false, true]);
      assert.deepEqual(sentences(loaded), ['-: The configuration file is empty.']);
    });
  }
  for (const text of ['- a\n', 'endpoints', '42\n']) {
    test(`is not readable: ${JSON.stringify(text)}`, () => {
      const loaded = load(text);
      assert.deepEqual([loaded.readable, loaded.empty], [false, undefined]);
      assert.deepEqual(sentences(loaded), ['-: The configuration must be a mapping with "endpoints" and "routes".']);
    });
  }
});
