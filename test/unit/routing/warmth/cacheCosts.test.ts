import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { totalsOf, type Scenario } from './cacheSimulation.ts';
import { recordedAfternoon } from './recordedSessions.ts';
import { recordedTotals } from './recordedSimulation.ts';
import { warmCachesPage } from './warmCachesPage.ts';

const runs = 3;

/** What cache-aware routing costs, as a part of what another policy costs. */
function shares(scenario: Scenario): { ofBlind: number; ofNever: number } {
  const { microUsd: { aware, blind, never } } = totalsOf(scenario, runs);
  return { ofBlind: aware / blind, ofNever: aware / never };
}

describe('sessions of agents cost', () => {
  it('a quarter less where targets take turns, and no more than without any switch', () => {
    const { ofBlind, ofNever } = shares('regions');
    assert.ok(ofBlind < 0.8, String(ofBlind));
    assert.ok(ofNever < 1.01, String(ofNever));
  });

  it('less than with blind strategies that go by prices, and what never switching costs where prices are near each other', () => {
    const { ofBlind, ofNever } = shares('prices');
    assert.ok(ofBlind < 0.97, String(ofBlind));
    assert.ok(ofNever < 1.01, String(ofNever));
  });

  it('less where a target is out now and then, than with a return as soon as it is back', () => {
    const { ofBlind, ofNever } = shares('outages');
    assert.ok(ofBlind < 0.98, String(ofBlind));
    assert.ok(ofNever < 0.98, String(ofNever));
  });

  it('less where kinds of work go to targets of their own, and each request still gets a target that is good enough', () => {
    const { ofBlind } = shares('kinds');
    assert.ok(ofBlind < 0.985, String(ofBlind));
  });

  it('a fifth less than without any switch, where a higher kind of work has to pay, too', () => {
    const { ofBlind, ofNever } = shares('saving');
    assert.ok(ofBlind < 0.75, String(ofBlind));
    assert.ok(ofNever < 0.85, String(ofNever));
  });

  it('less on what real agents sent, too, where targets take turns, go by prices or are out now and then', () => {
    const recording = recordedAfternoon();
    for (const [scenario, ofBlind, ofNever] of [['regions', 0.8, 1.005], ['prices', 0.98, 1.005], ['outages', 0.995, 0.995], ['saving', 0.75, 0.9]] as const) {
      const { microUsd: { aware, blind, never } } = recordedTotals(recording, scenario, 20);
      assert.ok(aware / blind < ofBlind && aware / never < ofNever, `${scenario}: ${aware / blind} of blind, ${aware / never} of never`);
    }
  });

  it('a thirtieth more at most on what real agents sent, where kinds of work go to targets of their own at once', () => {
    const { microUsd: { aware, blind } } = recordedTotals(recordedAfternoon(), 'kinds', 20);
    assert.ok(aware / blind < 1.03, String(aware / blind));
  });

  it('what docs/warm-caches.md says', () => {
    assert.equal(readFileSync(new URL('../../../../docs/warm-caches.md', import.meta.url), 'utf8'), warmCachesPage(), 'run node test/unit/routing/warmth/writeWarmCachesPage.ts');
  });
});
