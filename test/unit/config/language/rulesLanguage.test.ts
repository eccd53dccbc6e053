import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as catalog from '../../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import type { RulesKnowledge } from '../../../../server/config/language/knowledge.ts';
import { complete, hover, inOrder, readDraft } from '../../../../server/config/language/rulesLanguage.ts';
import { parseYamlConfig } from '../../../../server/config/yamlConfig.ts';

const knowledge: RulesKnowledge = {
  endpoints: () => ['relay'],
  modelsAt: endpoint => (endpoint === 'openai' ? ['gpt-4.1', 'gpt-5'] : endpoint === 'relay' ? ['deepseek-v3.2'] : []),
  target: (endpoint, model) => (endpoint === 'openai' ? [`about ${model}`] : undefined),
  endpoint: name => [`about endpoint ${name}`],
  route: name => (name === 'cheap' ? ['about cheap'] : undefined),
  model: name => [`about model ${name}`],
};

const options = { catalog, supportedProtocols: ['openai-chat', 'anthropic-messages'] as const, ranges: true };

/** `|` is where the cursor is. */
function offered(marked: string): string[] {
  return complete(marked.replace('|', ''), marked.indexOf('|'), catalog.providers, knowledge).map(({ label }) => label);
}

/** The text after the suggestion of that label was taken. */
function accepted(marked: string, label: string): string {
  const text = marked.replace('|', '');
  const found = complete(text, marked.indexOf('|'), catalog.providers, knowledge).find(one => one.label === label) ?? assert.fail(`${label} is not offered`);
  return text.slice(0, found.from) + found.insert + text.slice(found.to);
}

function said(marked: string): string | undefined {
  return hover(marked.replace('|', ''), marked.indexOf('|'), knowledge)?.markdown;
}

const head = 'endpoints:\n  openai:\n    provider: openai\n    keys: ["${OPENAI_API_KEY}"]\n  claude: { provider: anthropic }\nroutes:\n  cheap:\n    targets: [openai/gpt-5]\n';

describe('what is offered', () => {
  test('is the sections at the top, without those that are there', () => {
    assert.deepEqual(offered('|'), ['endpoints', 'routes', 'aliases', 'equivalents', 'tools', 'caps', 'budgets', 'monitoring', 'state', 'ledger', 'listen', 'network']);
    assert.deepEqual(offered('endpoints: {}\nro|\naliases: {}\n'), ['routes', 'equivalents', 'tools', 'caps', 'budgets', 'monitoring', 'state', 'ledger', 'listen', 'network']);
  });

  test('is the fields of a mapping, at its beginning, between others, at its end, and in braces', () => {
    for (const marked of [
      `${head}  main:\n    |\n`, `${head}  main:\n    |\n    targets: [openai/gpt-5]\n`, `${head}  main:\n    targets: [openai/gpt-5]\n    |`,
      `${head}  main:\n    targets: [openai/gpt-5]\n    st|\n  other:\n    targets: []\n`, `${head}  main: { | }\n`, `${head}  main: { strat|`,
    ]) {
      const labels = offered(marked);
      assert.ok(labels.includes('strategy') && labels.includes('canary'), marked);
      assert.equal(labels.includes('targets'), !marked.split('main:')[1]?.includes('targets: [openai'), marked);
    }
    assert.deepEqual(offered(`${head}  main:\n    canary:\n      gates:\n        |\n`).slice(0, 2), ['errorRate', 'successRate']);
    assert.ok(offered('endpoints:\n  a:\n    limits:\n      |\n').includes('requestsPerMinute'));
  });

  test('is the names that a policy goes by: targets of its route, targets, routes, models', () => {
    const route = (field: string): string[] => offered(`${head}  main:\n    targets: [openai/gpt-5, openai/gpt-4.1]\n    ${field}\n`);
    assert.deepEqual(route('tiers:\n      |'), ['openai/gpt-5', 'openai/gpt-4.1']);
    assert.deepEqual(route('tiers:\n      openai/gpt-5: |'), ['backup', 'last-resort']);
    assert.deepEqual(route('weights:\n      |'), ['openai/gpt-5', 'openai/gpt-4.1']);
    assert.ok(['gpt-5', 'gpt-4.1'].every(name => route('equivalents: [|]').includes(name)) && !route('equivalents: [|]').includes('cheap'));
    for (const field of ['shadow:\n      target: |', 'canary:\n      targets: [|]', 'lastResort:\n      targets: [|]']) {
      assert.ok(route(field).includes('openai/gpt-4.1'), field);
      assert.ok(!route(field).includes('cheap'), `${field} is no route`);
    }
    for (const field of ['byRole:\n      subagent: |', 'byKind:\n      low-cost: |']) assert.deepEqual(['cheap', 'openai/gpt-5'].filter(name => !route(field).includes(name)), [], field);
    assert.deepEqual(route('lastResort:\n      kinds: [|]'), ['low-cost', 'balanced', 'high-quality']);
    assert.deepEqual(route('caps:\n      whenReached: |'), ['degrade', 'stop', 'ask']);
    assert.ok(offered(`${head}equivalents:\n  |\n`).includes('gpt-5'));
    assert.deepEqual(offered(`${head}equivalents:\n  gpt-5: [|]\n`).filter(name => name.startsWith('gpt')).sort(), ['gpt-4.1', 'gpt-5']);
    assert.equal(accepted(`${head}equivalents:\n  gp|\n`, 'gpt-5'), `${head}equivalents:\n  gpt-5: \n`);
  });

  test('is nothing where the names are the user\'s own, in comments, and in free texts', () => {
    assert.deepEqual(offered('endpoints:\n  |\n'), []);
    assert.deepEqual(offered(`${head}# routes: |\n`), []);
    assert.deepEqual(offered('endpoints:\n  a:\n    baseUrl: |\n'), []);
  });

  test('is the accepted values of a field, whatever stands there', () => {
    assert.deepEqual(offered(`${head}  main:\n    strategy: |\n`), ['priority', 'weighted', 'round-robin', 'least-busy', 'fastest', 'cheapest', 'sticky']);
    assert.equal(accepted(`${head}  main:\n    strategy: che|ap # always\n`, 'cheapest').split('\n').at(-2), '    strategy: cheapest # always');
    assert.equal(accepted(`${head}  main:\n    strategy: "f|"\n`, 'fastest').split('\n').at(-2), '    strategy: "fastest"');
    assert.deepEqual(offered('endpoints:\n  a:\n    enabled: |\n'), ['true', 'false']);
    assert.ok(offered('endpoints:\n  a:\n    provider: |\n').includes('anthropic'));
  });

  test('is routes and targets where a route leads, in brackets, in a list, with the bracket or a quote still open', () => {
    const all = ['cheap', 'openai/gpt-5', 'openai/gpt-4.1', 'claude/'];
    for (const end of ['    targets: [|]\n', '    targets: [|\n', '    targets:\n      - |\n', '    targets:\n      - "|\n', '    targets:\n      |\n', '    targets: [o|\n  other:\n    targets: [openai/gpt-5]\n']) {
      const labels = offered(`${head}  main:\n${end}`);
      for (const label of all) assert.ok(labels.includes(label), `${label} in ${end}`);
      assert.ok(!labels.includes('main'), end);
    }
    assert.ok(!offered(`${head}  main:\n    targets: [openai/gpt-5, |]\n`).includes('openai/gpt-5'));
    assert.equal(accepted(`${head}  main:\n    targets:\n      |\n`, 'cheap').split('\n').at(-2), '      - cheap');
    assert.equal(accepted(`${head}  main:\n    targets: [openai/gp|, x]\n`, 'openai/gpt-4.1').split('\n').at(-2), '    targets: [openai/gpt-4.1, x]');
  });

  test('is targets alone for a canary, targets of the route for weights, models for aliases, all of them for tools', () => {
    const canary = offered(`${head}  main:\n    canary:\n      targets: [|]\n`);
    assert.ok(canary.includes('openai/gpt-4.1') && !canary.includes('cheap'));
    assert.deepEqual(offered(`${head}  main:\n    targets: [openai/gpt-5, cheap]\n    weights:\n      |\n`), ['openai/gpt-5', 'cheap']);
    assert.deepEqual(offered(`${head}aliases:\n  sonnet: |\n`), ['gpt-5', 'gpt-4.1']);
    assert.deepEqual(offered(`${head}tools:\n  |\n`), ['claude-code']);
    const tools = offered(`${head}tools:\n  claude-code:\n    haiku: |\n`);
    assert.ok(tools.includes('cheap') && tools.includes('gpt-5') && tools.includes('openai/gpt-5'));
    assert.ok(offered(`${head}  main:\n    byKind:\n      low-cost: |\n`).includes('cheap'));
  });

  test('is the endpoints in use in a file that has none of its own', () => {
    assert.deepEqual(offered('routes:\n  main:\n    targets: [|]\n'), ['relay/deepseek-v3.2']);
  });

  test('is something at every place of a file that is cut anywhere, without an error', () => {
    const text = `${head}  main:\n    strategy: weighted\n    weights: { "openai/gpt-5": 2 }\n    targets:\n      - openai/gpt-5\n      - cheap\n`;
    for (let end = 0; end <= text.length; end += 1) {
      for (const cut of [text.slice(0, end), text]) {
        for (const { from, to } of complete(cut, end, catalog.providers, knowledge)) assert.ok(from <= end && end <= to && to <= cut.length);
        hover(cut, end, knowledge);
      }
    }
  });
});

describe('what is said', () => {
  test('of a field is what the schema says', () => {
    assert.match(said(`${head}  main:\n    ha|ppy: 1\n    strategy: fastest\n`) ?? 'nothing', /nothing/);
    assert.match(said(`${head}  main:\n    strat|egy: fastest\n`) ?? '', /^\*\*strategy\*\*.*[\s\S]*How targets are ordered/);
    assert.match(said('endpoints:\n  a:\n    limits:\n      concurrency|: 3\n') ?? '', /whole number from 1.*[\s\S]*at the same time/);
    assert.match(said(`${head}  main:\n    strategy: fast|est\n`) ?? '', /begun to answer soonest/);
  });

  test('of a target, a route, an endpoint and a model is what is known of it', () => {
    assert.match(said('routes:\n  main:\n    targets: [openai/gp|t-5]\n') ?? '', /Target `openai\/gpt-5`\n\nabout gpt-5/);
    assert.match(said('routes:\n  main:\n    targets:\n      - che|ap\n') ?? '', /Route `cheap`\n\nabout cheap/);
    assert.match(said('endpoints:\n  ope|nai: { provider: openai }\n') ?? '', /about endpoint openai/);
    assert.match(said('aliases:\n  fast: gp|t-5\n') ?? '', /about model gpt-5/);
    assert.match(said('tools:\n  claude-code:\n    haiku: ch|eap\n') ?? '', /about cheap/);
    assert.match(said('endpoints:\n  openai:\n    provider: openai\n    models:\n      gp|t-5: { images: true }\n') ?? '', /about gpt-5/);
  });
});

describe('problems of a file', () => {
  function found(text: string): string[] {
    const lines = text.split('\n');
    return inOrder(readDraft(text, 'waybill.yaml', {}, options, emptyConfig).problems).map(({ range }) => (
      range === undefined ? 'no range' : (lines[range.start.line] ?? '').slice(range.start.character, range.end.character)
    ));
  }

  test('stand at the very name or value that is wrong', () => {
    assert.deepEqual(found('endpoints:\n  a:\n    provider: opnai\n'), ['opnai']);
    assert.deepEqual(found('endpoints:\n  a:\n    provider: ollama\n    priorty: 3\n'), ['priorty']);
    assert.deepEqual(found('endpoints:\n  a:\n    provider: ollama\n    weight: "much"\n'), ['"much"']);
    assert.deepEqual(found('endpoints:\n  a: { provider: ollama }\nroutes:\n  r:\n    strategy: best\n    targets: [a/x, b/y]\n  s: { targets: [a/x, b/y] }\n'), ['best', 'b/y']);
    assert.deepEqual(found('endpoints:\n  a: { provider: ollama }\nendpoints:\n  b: { provider: ollama }\n'), ['endpoints']);
    assert.deepEqual(found('endpoints:\n\ta: 1\n').length > 0, true);
    assert.deepEqual(found('endpoints:\n  a: { provider: ollama }\nroutez: {}\n'), ['routez']);
    assert.deepEqual(found('endpoints:\r\n  a:\r\n    provider: opnai\r\n'), ['opnai']);
  });

  test('are the same that the reader of configurations finds', () => {
    const text = 'endpoints:\n  a: { provider: opnai }\n  b: { provider: openai, keys: ["${NO_SUCH}"] }\nroutes:\n  r: { targets: [a/x, c/y, r], strategy: best }\naliases: { "a b": x }\ntools: { cursor: {} }\nfoo: 1\n';
    const draft = readDraft(text, 'waybill.yaml', {}, options, emptyConfig);
    const read = parseYamlConfig(text, 'waybill.yaml', {}, { catalog, supportedProtocols: options.supportedProtocols });
    assert.deepEqual(draft.problems.map(({ message, line }) => ({ message, line })), read.problems.map(({ message, line }) => ({ message, line })));
    assert.ok(draft.problems.every(({ range }) => range !== undefined));
    assert.deepEqual(draft.problems.filter(({ ofEnvironment }) => ofEnvironment === true).map(({ path }) => path), ['endpoints.b.keys.0', 'endpoints.b.keys']);
  });

  test('of a file without endpoints are those that it has with the endpoints in use', () => {
    const used = parseYamlConfig('endpoints:\n  relay: { provider: ollama }\n', undefined, {}, options).config;
    const { problems, config, ownEndpoints } = readDraft('routes:\n  r: { targets: [relay/x, other/y] }\n', 'waybill.yaml', {}, options, used);
    assert.equal(ownEndpoints, false);
    assert.deepEqual(problems.map(({ path }) => path), ['routes.r.targets.1']);
    assert.deepEqual(config.routes.get('r')?.targets, [{ endpoint: 'relay', model: 'x' }]);
  });
});
