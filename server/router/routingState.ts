import type { Random } from '../base/clock.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { RateLimiter } from '../limits/rateLimiter.ts';
import type { RoutingView } from '../routing/plan.ts';
import type { RouteTable } from '../routing/routeTable.ts';
import type { Signals } from '../routing/signals.ts';

/** The parts of the server whose state decides where a request can go. */
export interface RoutingState {
  /** The route table of the moment. */
  routeTable(): RouteTable;
  readonly healthRegistry: Pick<HealthRegistry, 'admission'>;
  readonly limiter: Pick<RateLimiter, 'admission' | 'keyAdmission'>;
  readonly keys: Pick<KeyPool, 'hasKeys' | 'blocked'>;
  /** Absent: nothing is paused. */
  readonly pauses?: { reason(endpoint: string, now: number): string | undefined } | undefined;
  readonly signals: Signals;
  readonly random: Random;
  /** Absent: no canary takes part. */
  readonly canaries?: { arm: NonNullable<RoutingView['arm']> } | undefined;
  /** Absent: nothing is known of caches. */
  readonly warm?: RoutingView['warm'];
}
