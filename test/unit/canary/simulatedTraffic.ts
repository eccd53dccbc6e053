import { advanced } from '../../../server/canary/advance.ts';
import { armOf } from '../../../server/canary/assignment.ts';
import type { Observation } from '../../../server/canary/observation.ts';
import { observed } from '../../../server/canary/observe.ts';
import { isLive, newRollout, type Rollout } from '../../../server/canary/rollout.ts';
import type { CanaryConfig } from '../../../server/config/config.ts';
import { seededRandom } from '../support/seededRandom.ts';

/** A canary with every default of the settings. */
export const defaults: CanaryConfig = {
  targets: [{ endpoint: 'new', model: 'm' }], stages: [5, 15, 30, 50, 100], advance: 'requests', stageMs: 3_600_000, stageRequests: 200, minRequests: 20, failuresInARow: 8,
  gates: { errorRate: 0.05, successRate: 0.95, p99Ratio: 2 },
};

/** What the providers of a simulated run do. Rates are 0..1, and may change with the number of the request. */
export interface Providers {
  baselineFails(request: number): number;
  canaryFails(request: number, stage: number): number;
  /** Milliseconds; absent: both alike, log-normal around a second. */
  canaryLatency?(random: () => number): number;
}

export interface Run {
  rollout: Rollout;
  /** Requests that the canary's targets got. */
  toCanary: number;
  requests: number;
  /** Requests that the canary's targets got, by the stage in which they came. */
  toCanaryAt: number[];
}

/** Log-normal around a second, as the times of language models are. */
export function usualLatency(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.round(1000 * Math.exp(0.6 * normal));
}

export interface Traffic {
  seed: number;
  rules?: CanaryConfig;
  requests: number;
  /** Requests of one conversation, one after the other; 1: each request comes from another one. */
  conversationLength?: number;
  /** Conversations that run at the same time. */
  atOnce?: number;
  /** Times are measured too. */
  measured?: boolean;
}

/** One canary over simulated traffic on a virtual clock, a request a second. */
export function simulated(providers: Providers, { seed, rules = defaults, requests, conversationLength = 1, atOnce = 1, measured = false }: Traffic): Run {
  const random = seededRandom(seed);
  let rollout = newRollout(`run-${String(seed)}`, 'new/m', 0);
  let toCanary = 0;
  const toCanaryAt = rules.stages.map(() => 0);
  let request = 0;
  for (; request < requests && isLive(rollout); request++) {
    const conversation = `${String(Math.floor(request / (conversationLength * atOnce)))}.${String(request % atOnce)}`;
    const arm = armOf(rollout, rules, conversation, random)?.arm ?? 'baseline';
    const fails = (rate: number): boolean => random() < rate;
    const observation: Observation = { arm, failed: fails(arm === 'canary' ? providers.canaryFails(request, rollout.stage) : providers.baselineFails(request)), answered: false };
    observation.answered = !observation.failed;
    if (arm === 'canary') {
      toCanary += 1;
      toCanaryAt[rollout.stage] = (toCanaryAt[rollout.stage] ?? 0) + 1;
    }
    if (arm === 'canary' && observation.failed) observation.takenOver = fails(providers.baselineFails(request)) ? 'failed' : 'answered';
    if (!observation.failed && measured) {
      const ms = arm === 'canary' && providers.canaryLatency !== undefined ? providers.canaryLatency(random) : usualLatency(random);
      Object.assign(observation, { firstTokenMs: ms, totalMs: ms * 4 });
    }
    rollout = advanced(observed(rollout, observation, rules, request * 1000), rules, request * 1000);
  }
  return { rollout, toCanary, toCanaryAt, requests: request };
}

export function wasRolledBack({ rollout }: Run): boolean {
  return rollout.phase.kind === 'rolled-back';
}
