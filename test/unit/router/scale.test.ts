import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpStatus } from '../../../server/api/status.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../server/config/config.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import { chatRequirements, sampleRequest } from '../../../server/routing/resilience/whatIfView.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { assertLinear, leastMs } from '../support/growth.ts';
import { largeLists, largeRouter, modelName, resolved, type Size } from './largeRouter.ts';

const off: HttpStatus = { state: 'off' };
/** The goal is 50 ms on an idle machine. Work that grows with a product of two sizes takes tens of seconds. */
const generousMs = 1500;

const shapes: Record<string, Size> = {
  'one endpoint of 10,000 models beside 1,000 endpoints of ten': { models: 10_000, endpoints: 1000, modelsAtEach: 10, routes: 1000, wide: true },
  '1,000 endpoints that share 100 models': { models: 100, endpoints: 1000, modelsAtEach: 10, routes: 1000, wide: false },
  '10,000 endpoints of one model': { models: 1, endpoints: 10_000, modelsAtEach: 1, routes: 1000, wide: false },
};

const questions: Record<string, (built: BuiltRouter) => unknown> = {
  'the status': ({ router }) => router.status(off),
  'the list of models': ({ router }) => router.offered(),
  'the survival report': ({ drills }) => drills.report(),
  'a plan for a model': ({ services }) => services.makePlan(sampleRequest(modelName(0), chatRequirements), services.view(100)),
  'a plan for a route': ({ services }) => services.makePlan(sampleRequest('r1', chatRequirements), services.view(100)),
  'the answer to an unknown name': ({ services }) => services.unknownNameMessage('famly-77-chta'),
};

describe('the time of each question is linear in the length of its answer', () => {
  for (const [title, size] of Object.entries(shapes)) {
    test(`with ${title}`, (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] });
      const large = largeRouter(t, size);
      const small = largeRouter(t, { ...size, models: Math.ceil(size.models / 10), endpoints: size.endpoints / 10, routes: size.routes / 10 });
      for (const [what, ask] of Object.entries(questions)) {
        assertLinear(what, () => ask(small), () => ask(large));
        const tookMs = leastMs(() => ask(large), 3);
        assert.ok(tookMs < generousMs, `${what}: ${tookMs.toFixed(0)} ms`);
      }
    });
  }

  test('an unchanged list is the same object as before, and is not compared or written again', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { router, healthRegistry } = largeRouter(t, { models: 100, endpoints: 10, modelsAtEach: 10, routes: 10, wide: true });
    const [before, after] = [router.status(off), router.status(off)];
    assert.equal(after.offered, before.offered);
    assert.equal(after.endpoints[0]?.models, before.endpoints[0]?.models);
    healthRegistry.record({ endpoint: 'e1', model: modelName(10), at: router.clock.now(), kind: 'traffic', failureClass: 'network', message: 'refused' });
    const changed = router.status(off).offered;
    assert.notEqual(changed, before.offered);
    const other = (id: string): unknown[] => [before.offered, changed].map(list => list.find(one => one.id === id));
    const [first, second] = other(`model:${modelName(99)}`);
    assert.equal(second, first, 'a model at other endpoints is the same object');
    const [before10, after10] = other(`model:${modelName(10)}`);
    assert.notDeepEqual(after10, before10);
  });
});

describe('a change is applied in linear time', () => {
  const size: Size = { models: 10_000, endpoints: 1000, modelsAtEach: 10, routes: 1000, wide: true };

  test('a list of 10,000 models, and those of 1,000 endpoints one after the other', () => {
    const config = resolved(size);
    const directory = new ModelDirectory(emptyConfig);
    directory.configure(config);
    directory.servedBy(modelName(0));
    let at = 1;
    const adoptAll = (): void => {
      at += 1;
      for (const [endpoint, { models }] of largeLists(size)) directory.apply(endpoint, [...models, { name: `only-at-${at}` }], at);
      assert.deepEqual(directory.servedBy(modelName(10)), ['e1', 'wide']);
      assert.equal(directory.servedBy(`only-at-${at}`).length, 1001);
      assert.equal(directory.servedBy(`only-at-${at - 1}`).length, 0);
    };
    assert.ok(leastMs(adoptAll, 3) < generousMs);
  });

  test('a configuration of 1,000 endpoints whose routes name none of them', () => {
    const { endpoints } = { endpoints: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`endpoint-${index}`, { provider: 'openai-compatible', baseUrl: 'https://relay.example.com/v1' }])) };
    const routesOf = (count: number): Record<string, unknown> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, { targets: Array.from({ length: 10 }, (_unused, step) => `endpiont-${index}-${step}/m`) }]));
    const resolve = (count: number): number => resolveConfig({ endpoints, routes: routesOf(count) }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' }).problems.length;
    assert.equal(resolve(100), 1100);
    assertLinear('routes of unknown endpoints', () => resolve(100), () => resolve(1000));
  });

  test('a chain of aliases', () => {
    const chain = (count: number): unknown => resolveConfig({ endpoints: {}, routes: {}, aliases: Object.fromEntries(Array.from({ length: count }, (_, index) => [`alias-${index}`, `alias-${index + 1}`])) },
      { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' }).config.aliases?.get('alias-0');
    assert.equal(chain(2000), 'alias-2000');
    assertLinear('aliases', () => chain(2000), () => chain(20_000));
  });
});
