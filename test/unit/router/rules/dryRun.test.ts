import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { DryRunReport } from '../../../../server/api/rules/dryRun.ts';
import type { Attempt, Receipt } from '../../../../server/api/receipt.ts';
import { replayParts, routeTableOf } from '../../../../server/app/rulesParts.ts';
import { silentLog } from '../../../../server/base/log.ts';
import * as catalog from '../../../../server/catalog/providers.ts';
import { emptyConfig, type Config } from '../../../../server/config/config.ts';
import { parseYamlConfig } from '../../../../server/config/yamlConfig.ts';
import { ModelDirectory } from '../../../../server/models/modelDirectory.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { supportedProtocols } from '../../../../server/protocols/registry.ts';
import { dryRun } from '../../../../server/router/rules/rulesDesk.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { anAttempt, aReceipt, exact, noon, tokens } from '../../ledger/receipts.ts';

const pricer = createPricer({ log: silentLog });
const directory = new ModelDirectory(emptyConfig);
const hourMs = 3_600_000;

const endpoints = `endpoints:
  dear: { provider: openai-compatible, baseUrl: "https://dear.example/v1", models: { m: { contextWindow: 100000, prices: { inputPerMTok: 10, outputPerMTok: 20 } } } }
  cheap: { provider: openai-compatible, baseUrl: "https://cheap.example/v1", models: { m: { contextWindow: 100000, prices: { inputPerMTok: 1, outputPerMTok: 2 } } } }
  small: { provider: openai-compatible, baseUrl: "https://small.example/v1", models: { m: { contextWindow: 4000, tools: false, prices: { inputPerMTok: 0, outputPerMTok: 0.5 } } } }
  unpriced: { provider: openai-compatible, baseUrl: "https://unpriced.example/v1", models: { mystery: {} } }
`;

function rules(routes: string): Config {
  const { config, problems } = parseYamlConfig(`${endpoints}routes:\n${routes}`, 'waybill.yaml', {}, { catalog, supportedProtocols });
  assert.deepEqual(problems.filter(({ message }) => !message.includes('no key')).map(({ message }) => message), []);
  return config;
}

const requirements = { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1000 };

/** A request that `dear` answered: 1,000 tokens in and 500 out, for $0.02. */
function recorded(id: string, name: string, minute: number, overrides: Partial<Receipt> = {}, attempts?: Partial<Attempt>[]): Receipt {
  const startedAt = noon - hourMs + minute * 60_000;
  const made = (attempts ?? [{}]).map((one, index) => anAttempt({ number: index + 1, endpoint: 'dear', model: 'm', startedAt, usage: tokens(1000, 500), cost: exact(20_000), ...one }));
  return aReceipt(id, { startedAt, attempts: made, plan: { requestedModel: name, kind: 'route', route: name, strategy: 'priority', targets: [], excluded: [], requirements }, ...overrides });
}

async function tried(receipts: readonly Receipt[], after: Config, before?: Config, days = 1): Promise<DryRunReport> {
  const ledger = new InMemoryLedger();
  for (const receipt of receipts) ledger.close(receipt);
  return dryRun({ history: ledger, pricer, tableOf: config => routeTableOf(config, directory, pricer, () => noon), replayParts }, { draft: after, before, days, now: noon, problems: [] });
}

const of = (report: DryRunReport, name = 'main'): DryRunReport['routes'][number] => report.routes.find(route => route.name === name) ?? assert.fail(`no ${name}`);
const shares = (report: DryRunReport, name = 'main'): Record<string, number> => Object.fromEntries(of(report, name).after.map(({ target, requests }) => [target, requests]));

describe('a dry run', () => {
  before(() => pricer.ready());
  const hundred = Array.from({ length: 100 }, (_, index) => recorded(`r${index}`, 'main', index / 2));

  test('with the same rules changes nothing, whatever the strategy', async () => {
    for (const strategy of ['priority', 'round-robin', 'weighted', 'fastest', 'cheapest', 'sticky']) {
      const same = rules(`  main: { strategy: ${strategy}, targets: [dear/m, cheap/m] }\n`);
      const report = await tried(hundred, same, same);
      assert.deepEqual([report.requests, report.moved, report.unserved], [100, 0, 0]);
      assert.deepEqual(report.before, report.after);
      assert.deepEqual(shares(report), { 'dear/m': 100 });
    }
  });

  test('says what goes elsewhere and what it costs there, by route and target', async () => {
    const report = await tried([...hundred, recorded('o', 'other', 3)], rules('  main: { targets: [cheap/m, dear/m] }\n  other: { targets: [dear/m] }\n'), rules('  main: { targets: [dear/m, cheap/m] }\n  other: { targets: [dear/m] }\n'));
    assert.deepEqual([report.requests, report.moved, report.before.microUsd, report.after.microUsd], [101, 100, 2_020_000, 220_000]);
    assert.deepEqual(of(report).moves, [{ from: 'dear/m', to: 'cheap/m', requests: 100, before: { microUsd: 2_000_000, unknown: 0 }, after: { microUsd: 200_000, unknown: 0 }, examples: ['r0', 'r1', 'r2'] }]);
    assert.equal(of(report, 'other').moved, 0);
    assert.deepEqual(report.routes.map(({ name }) => name), ['main', 'other']);
  });

  test('plans every request anew where no rules of before are known', async () => {
    const report = await tried(hundred, rules('  main: { targets: [cheap/m] }\n'));
    assert.equal(report.moved, 100);
    assert.match(report.assumptions[0] ?? '', /planned anew/);
  });

  test('gives the same report each time', async () => {
    const after = rules('  main: { strategy: weighted, weights: { "cheap/m": 3 }, targets: [dear/m, cheap/m] }\n');
    const before = rules('  main: { targets: [dear/m] }\n');
    const reports = await Promise.all([1, 2].map(() => tried(hundred, after, before)));
    assert.deepEqual(reports[0], reports[1]);
    assert.ok(Math.abs((shares(reports[0] ?? assert.fail())['cheap/m'] ?? 0) - 75) <= 3);
  });

  test('follows each strategy', async () => {
    const before = rules('  main: { targets: [dear/m] }\n');
    assert.deepEqual(shares(await tried(hundred, rules('  main: { strategy: round-robin, targets: [dear/m, cheap/m] }\n'), before)), { 'cheap/m': 50, 'dear/m': 50 });
    assert.deepEqual(shares(await tried(hundred, rules('  main: { strategy: cheapest, targets: [dear/m, cheap/m] }\n'), before)), { 'cheap/m': 100 });
    const conversations = hundred.map((receipt, index) => ({ ...receipt, caller: { ...receipt.caller, conversation: `c${index % 10}` } }));
    const sticky = await tried(conversations, rules('  main: { strategy: sticky, targets: [dear/m, cheap/m] }\n'), before);
    assert.ok(Object.values(shares(sticky)).every(requests => requests % 10 === 0), 'a conversation stays together');
  });

  test('passes targets over that cannot serve what the request needed', async () => {
    const after = rules('  main: { targets: [small/m, cheap/m] }\n');
    const withTools = recorded('t', 'main', 1, { plan: { ...recorded('x', 'main', 1).plan, requirements: { ...requirements, tools: true } } });
    const large = recorded('l', 'main', 2, { plan: { ...recorded('x', 'main', 1).plan, requirements: { ...requirements, estimatedInputTokens: 9000 } } });
    assert.deepEqual(shares(await tried([recorded('s', 'main', 0), withTools, large], after)), { 'cheap/m': 2, 'small/m': 1 });
  });

  test('counts requests that nothing could serve, and says why', async () => {
    const gone = await tried(hundred, rules('  other: { targets: [cheap/m] }\n'));
    assert.deepEqual([gone.unserved, of(gone).unservedWhy], [100, ['the name means nothing with these rules (100)']]);
    const needsTools = recorded('t', 'main', 1, { plan: { ...recorded('x', 'main', 1).plan, requirements: { ...requirements, tools: true } } });
    const unfit = await tried([needsTools], rules('  main: { targets: [small/m] }\n'));
    assert.equal(unfit.unserved, 1);
    assert.match(of(unfit).unservedWhy[0] ?? '', /^small\/m: .*tool/);
  });

  test('has no figure where no price is known: unknown is not nothing', async () => {
    const report = await tried(hundred.slice(0, 2), rules('  main: { targets: [unpriced/mystery] }\n'));
    assert.deepEqual(report.after, { microUsd: 0, unknown: 2 });
  });

  test('knows the health of then: what failed is left alone once its breaker is open, and not before', async () => {
    const failures = Array.from({ length: 6 }, (_, index) => recorded(`f${index}`, 'probe', index / 10, { outcome: 'failed' }, [{ endpoint: 'cheap', outcome: 'failed', failureClass: 'server', usage: {}, cost: { certainty: 'unknown' }, totalMs: 100 }]));
    const report = await tried([...failures, recorded('early', 'main', -1), recorded('late', 'main', 0.7)], rules('  main: { targets: [cheap/m, dear/m] }\n  probe: { targets: [dear/m] }\n'));
    assert.deepEqual(shares(report), { 'cheap/m': 1, 'dear/m': 1 });
  });

  test('passes over what failed for the very request, and keeps the cost of what answered', async () => {
    const failedOver = recorded('x', 'main', 0, { target: 'cheap/m' }, [{ outcome: 'failed', failureClass: 'server', usage: {}, cost: exact(0) }, { endpoint: 'cheap', cost: exact(2_000) }]);
    const report = await tried([failedOver], rules('  main: { targets: [dear/m, cheap/m] }\n'), rules('  main: { targets: [cheap/m] }\n'));
    assert.deepEqual([report.moved, report.after.microUsd], [0, 2_000]);
  });

  test('leaves fire drills and what still runs aside, and says so of an empty day', async () => {
    const report = await tried([recorded('d', 'main', 0, {}, [{ drill: true }]), { ...recorded('o', 'main', 1), outcome: 'open' }], rules('  main: { targets: [cheap/m] }\n'));
    assert.equal(report.requests, 0);
    assert.equal((await tried(hundred, rules('  main: { targets: [cheap/m] }\n'), undefined, 1 / 48)).requests, 40);
  });

  test('leaves the copies of a shadow aside, also those that no target got', async () => {
    const copy = recorded('c', 'main', 0, { shadow: { of: 'x', route: 'main', arm: 'shadow' }, target: undefined }, []);
    assert.equal((await tried([copy, recorded('r', 'main', 1)], rules('  main: { targets: [cheap/m] }\n'))).requests, 1);
  });

  test('says what it does not replay', async () => {
    const { assumptions } = await tried(hundred, rules('  main: { targets: [cheap/m] }\n'));
    for (const word of ['keys', 'limits', 'caps', 'prompt caches', 'response caches', 'shadows']) assert.ok(assumptions.some(sentence => sentence.startsWith('Not replayed: ') && sentence.includes(word)), word);
    assert.ok(assumptions.some(sentence => sentence.includes('arm of a canary')));
  });

  test('says how many records lack what routing reads', async () => {
    const { requirements: _left, ...plan } = recorded('x', 'main', 0).plan;
    const report = await tried([recorded('a', 'main', 0, { plan })], rules('  main: { targets: [cheap/m], byKind: { low-cost: cheap/m } }\n'));
    assert.ok(report.assumptions.some(sentence => sentence.startsWith('1 of 1 requests that the change touches were recorded without what they needed')));
    assert.ok(report.assumptions.some(sentence => sentence.includes('without their purpose')));
  });
});
