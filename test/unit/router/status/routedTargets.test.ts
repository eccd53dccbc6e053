import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TargetStatus } from '../../../../server/api/status.ts';
import type { EndpointSettings, RouteSettings } from '../../../../server/api/settings.ts';
import { snapshotRouter, type SnapshotRouter } from '../snapshotRouter.ts';

const endpoints = { north: { models: { m: { contextWindow: 64_000, prices: { inputPerMTok: 3, outputPerMTok: 15 } }, other: {} } }, south: { models: { m: {}, other: {} } }, west: { models: { m: {}, other: {} }, billing: 'subscription' } } satisfies Record<string, Partial<EndpointSettings>>;

function router(routes: Record<string, RouteSettings>): SnapshotRouter {
  return snapshotRouter({ endpoints, routes });
}

function targets(of: SnapshotRouter): Record<string, TargetStatus> {
  return of.snapshot().targets ?? assert.fail('no targets');
}

describe('what the targets of routes can do now', () => {
  it('is there for each that a route names, by the name as it is written: its own, a canary\'s, a shadow\'s, the last resort, those of roles and kinds', () => {
    const made = router({ best: { targets: ['north/m', 'south/m'], canary: { targets: ['west/m'] }, byRole: { subagent: 'north/other' }, byKind: { 'low-cost': 'cheap' }, shadow: { target: 'west/other' }, lastResort: { targets: ['south/other'], kinds: ['high-quality'] } }, cheap: { targets: ['south/m'] } });
    assert.deepEqual(Object.keys(targets(made)).sort(), ['north/m', 'north/other', 'south/m', 'south/other', 'west/m', 'west/other']);
  });

  it('has the context window and the price where they are known, as the user pays it', () => {
    const found = targets(router({ best: { targets: ['north/m', 'south/m', 'west/m'] } }));
    assert.equal(found['west/m']?.pricing, 'covered by a subscription');
    assert.equal(found['north/m']?.contextWindow, 64_000);
    assert.match(found['north/m']?.pricing ?? '', /\$3.*\$15/);
    assert.deepEqual(Object.keys(found['south/m'] ?? {}), ['condition']);
  });

  it('is the condition of that target, and not of another model at the same endpoint', () => {
    const made = router({ best: { targets: ['north/m', 'north/other', 'south/m'] } });
    made.answer('south');
    made.refuse('north', 'rate-limit', 60_000);
    const found = targets(made);
    assert.equal(found['north/m']?.condition.kind, 'rate-limited');
    assert.notEqual(found['north/other']?.condition.kind, 'rate-limited');
    assert.equal(found['south/m']?.condition.kind, 'healthy');
  });

  it('is absent where there is no route', () => {
    assert.equal(router({}).snapshot().targets, undefined);
  });
});
