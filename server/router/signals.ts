import type { Clock } from '../base/clock.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { Pricer } from '../pricing/pricing.ts';
import type { Signals } from '../routing/signals.ts';
import type { Turns } from '../routing/turns.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';

export interface SignalSources {
  readonly healthRegistry: Pick<HealthRegistry, 'health' | 'inFlight'>;
  readonly timers: Pick<AdaptiveTimeouts, 'usual'>;
  readonly pricer: Pick<Pricer, 'priceAttempt'>;
  readonly clock: Clock;
  readonly turns: Turns;
}

/** The signals of strategies, from what health, timeouts and pricing know. One object serves all requests. */
export function createSignals({ healthRegistry, timers, pricer, clock, turns }: SignalSources): Signals {
  return {
    turn: (route, request) => turns.of(route, request),
    inFlight: ({ endpoint }) => healthRegistry.inFlight(endpoint.name),
    errorRate: ({ endpoint }) => healthRegistry.health(endpoint.name, clock.now()).errorRate,
    firstTokenMs: ({ endpoint, model }, kind) => timers.usual(endpoint.name, model, kind).firstTokenMs,
    tokensPerSecond: ({ endpoint, model }, kind) => timers.usual(endpoint.name, model, kind).tokensPerSecond,
    costMicroUsd: ({ price }, usage) => pricer.priceAttempt({ ...price, usage, usageEstimated: true, at: clock.now() }).microUsd,
  };
}
