import type { RunningDrill } from '../api/drill.ts';
import type { KeyStatus } from '../api/status.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { RoutingView } from '../routing/plan.ts';
import type { KnownKey, ResilienceView } from '../routing/resilience/whatIfView.ts';
import type { KeyPool } from '../keys/keyPool.ts';

/** The parts that a resilience report reads, at one moment. */
export interface ResilienceSources {
  view: RoutingView;
  healthRegistry: HealthRegistry;
  keys: KeyPool;
  drills: readonly RunningDrill[];
  now: number;
}

/** The state as resilience reports see it. */
export function resilienceState({ view, healthRegistry, keys, drills, now }: ResilienceSources): ResilienceView {
  return {
    table: view.table,
    now: view.now,
    signals: view.signals,
    random: view.random,
    paused: endpoint => view.paused(endpoint),
    admission: (endpoint, model) => view.admission(endpoint, model),
    keysBlocked: endpoint => view.keysBlocked(endpoint),
    drills: () => drills,
    keys: endpoint => keys.status(endpoint, now).map((key): KnownKey => ({
      id: key.id, name: keyName(key), usable: key.state === 'ok' || key.state === 'unused', rejected: key.state === 'rejected',
    })),
    trouble(endpoint) {
      const health = healthRegistry.health(endpoint, now);
      if (health.state !== 'down') return undefined;
      // The text stands in the middle of a sentence.
      return (health.lastError?.message ?? 'it is down').replace(/\.$/, '');
    },
  };
}

/** A key as a person knows it: its label, and its last four characters where they may be shown. */
export function keyName({ label, last4 }: Pick<KeyStatus, 'label' | 'last4'>): string {
  return last4 === '' ? label : `${label} …${last4}`;
}
