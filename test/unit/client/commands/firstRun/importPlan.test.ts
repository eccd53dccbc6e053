import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyLine, plannedEndpoints, routeChanges, triedLine, withRouteChanges } from '../../../../../client/commands/firstRun/importPlan.ts';
import type { FoundKey } from '../../../../../client/connect/keys/foundKey.ts';
import { providerOffers } from '../../../../../server/catalog/offers.ts';

const offers = providerOffers();
const anthropic = offers.find(({ id }) => id === 'anthropic') ?? assert.fail();
const found = (changes: Partial<FoundKey> = {}): FoundKey => ({ place: 'Environment of the editor', source: 'ANTHROPIC_API_KEY', provider: 'anthropic', secret: 'sk-ant-api03-AbCdEfGh9f3c', ...changes });

describe('keys that are imported', () => {
  it('show their last four characters and no more, before and after they are tried', () => {
    const key = found();
    const held = [{ endpoint: 'work', label: 'key 1', secret: key.secret }];
    const lines = [keyLine(key, anthropic, []), keyLine(key, anthropic, held), keyLine(found({ secret: 'short12' }), anthropic, [])];
    assert.deepEqual(lines.map(({ description }) => description), ['ANTHROPIC_API_KEY …9f3c', 'ANTHROPIC_API_KEY …9f3c', 'ANTHROPIC_API_KEY a short key']);
    assert.match(lines[1]?.detail ?? '', /stored already, as "key 1" of work/);
    const [plan] = plannedEndpoints([key], offers, {});
    const tried = triedLine({ plan: plan ?? assert.fail(), key: plan?.keys[0], result: { ok: false, message: 'anthropic rejects the key.', models: [] } });
    for (const line of [...lines, tried]) assert.ok(!`${line.label} ${line.description} ${line.detail}`.includes('AbCdEfGh'));
  });

  it('of one provider go to one endpoint, which may be there already', () => {
    const keys = [found(), found({ secret: 'sk-ant-api03-other0000', place: 'Continue' }), found({ provider: 'groq', secret: 'gsk_AbCdEfGh', source: 'GROQ_API_KEY' })];
    const plans = plannedEndpoints(keys, offers, { mine: { provider: 'groq', priority: 2 }, anthropic: { provider: 'openai' } });
    assert.deepEqual(plans.map(({ name, isNew, settings, keys: of }) => [name, isNew, settings, of.map(({ label }) => label)]), [
      ['anthropic-2', true, { provider: 'anthropic' }, ['ANTHROPIC_API_KEY', 'ANTHROPIC_API_KEY-2']],
      ['mine', false, { provider: 'groq', priority: 2 }, ['GROQ_API_KEY']],
    ]);
  });

  it('of another address are another endpoint', () => {
    const at = found({ provider: 'anthropic-compatible', baseUrl: 'https://gateway.example' });
    assert.deepEqual(plannedEndpoints([found(), at], offers, {}).map(({ name, settings }) => [name, settings.baseUrl]), [['anthropic', undefined], ['anthropic-compatible', 'https://gateway.example']]);
  });
});

describe('routes that are written after an import', () => {
  const best = { name: 'best' as const, targets: [{ target: 'a/x' }, { target: 'b/y' }] };

  it('keep what is there, and a second run changes nothing', () => {
    const own = { best: { strategy: 'sticky' as const, targets: ['b/y'] } };
    const [change] = routeChanges([best], own);
    assert.deepEqual([change?.kind, change?.targets], ['extended', ['b/y', 'a/x']]);
    const written = withRouteChanges(own, routeChanges([best], own));
    assert.deepEqual(written, { best: { strategy: 'sticky', targets: ['b/y', 'a/x'] } });
    assert.equal(routeChanges([best], written)[0]?.kind, 'same');
    assert.deepEqual(withRouteChanges({}, routeChanges([best], {})), { best: { targets: ['a/x', 'b/y'] } });
  });

  it('keep what was edited while they were looked at', () => {
    const changes = routeChanges([best], { best: { targets: ['b/y'] } });
    assert.deepEqual(withRouteChanges({ best: { targets: ['c/z', 'b/y'], strategy: 'sticky' } }, changes), { best: { targets: ['c/z', 'b/y', 'a/x'], strategy: 'sticky' } });
    assert.deepEqual(withRouteChanges({ best: { targets: ['own/m'] } }, routeChanges([best], {})), { best: { targets: ['own/m', 'a/x', 'b/y'] } });
  });
});
