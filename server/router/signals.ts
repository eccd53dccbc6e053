import type { Clock } from '../base/clock.ts';
import { textTokens } from '../api/tokenEstimate.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import type { ExpectedUsage } from '../pricing/expectedUsage.ts';
import type { Pricer } from '../pricing/pricing.ts';
import type { ResolvedTarget } from '../routing/routeTable.ts';
import type { SignalRequest, Signals } from '../routing/signals.ts';
import type { Turns } from '../routing/turns.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { FirstTokenAverages } from '../timeouts/firstTokenAverages.ts';

export interface SignalSources {
  readonly healthRegistry: Pick<HealthRegistry, 'health' | 'inFlight'>;
  readonly timers: Pick<AdaptiveTimeouts, 'usual'>;
  readonly pricer: Pick<Pricer, 'priceAttempt'>;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly firstTokens: FirstTokenAverages;
  readonly expectedUsage: ExpectedUsage;
}

/** The estimate of a prompt is a lower bound; a likely one is larger by this factor. */
const likelyPrompt = textTokens(1_000_000, 'likely') / textTokens(1_000_000, 'lower');

/** The signals of strategies, from what health, timeouts and pricing know. One object serves all requests. */
export function createSignals({ healthRegistry, timers, pricer, clock, turns, firstTokens, expectedUsage }: SignalSources): Signals {
  function costMicroUsd({ price }: ResolvedTarget, usage: Parameters<Signals['costMicroUsd']>[1]): number | undefined {
    const { microUsd, unpriced } = pricer.priceAttempt({ ...price, usage, usageEstimated: true, at: clock.now() });
    // A list that states $0 for what is not free states no price.
    return unpriced === undefined ? microUsd : undefined;
  }

  function expectedCostMicroUsd(target: ResolvedTarget, { caller: { tool }, kind, requirements }: SignalRequest): number | undefined {
    const { name, model } = target;
    const prompt = Math.round(requirements.estimatedInputTokens * likelyPrompt);
    const cacheReadTokens = Math.round(prompt * expectedUsage.cachedShare({ tool, target: name }));
    const outputTokens = (requirements.answers ?? 1) * Math.min(requirements.maxOutputTokens ?? Infinity, expectedUsage.outputTokens({ tool, kind, model }));
    return costMicroUsd(target, { inputTokens: prompt - cacheReadTokens, cacheReadTokens, outputTokens });
  }

  return {
    turn: (route, request) => turns.of(route, request),
    inFlight: ({ endpoint }) => healthRegistry.inFlight(endpoint.name),
    errorRate: ({ endpoint }) => healthRegistry.health(endpoint.name, clock.now()).errorRate,
    firstTokenMs: ({ endpoint, model }, kind) => timers.usual(endpoint.name, model, kind).firstTokenMs,
    tokensPerSecond: ({ endpoint, model }, kind) => timers.usual(endpoint.name, model, kind).tokensPerSecond,
    firstTokenAverage: ({ endpoint, model }, { kind, stream }) => firstTokens.of(endpoint.name, model, kind, stream, clock.now()),
    probeMs: ({ endpoint }) => firstTokens.probeMs(endpoint.name),
    costMicroUsd, expectedCostMicroUsd,
  };
}
