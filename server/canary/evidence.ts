import type { CanaryArm } from '../api/canary.ts';

/*
 * Evidence against the canary as test martingales: under "no difference" the expected value of each stays 1 however
 * often it is looked at, so it exceeds 1/alpha with a probability of at most alpha (Ville's inequality).
 *
 * The comparison counts failures only, after Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data"
 * (arXiv 2011.03567): without a difference a failure falls on the canary with the probability of its share of the
 * traffic, whatever the failure rate is at that moment. An outage of both arms is therefore no evidence.
 */

/** How many times as often as the baseline the canary may fail: assumptions of the same weight. */
const ratios = [3, 8, 20, 60] as const;

/** The logarithm of the likelihood ratio for each assumption. */
export type Evidence = readonly number[];

export const noEvidence: Evidence = ratios.map(() => 0);

/** A failure, or another bad event, fell on an arm. @param share of the canary in the traffic around it, 0..1 */
export function withEvent(evidence: Evidence, arm: CanaryArm, share: number): Evidence {
  if (share <= 0 || share >= 1) return evidence;
  return evidence.map((log, index) => {
    const ratio = ratios[index] ?? 1;
    const all = share * ratio + 1 - share;
    return log + Math.log((arm === 'canary' ? ratio : 1) / all);
  });
}

/** How many times likelier the events are if the canary is worse. */
export function strength(evidence: Evidence): number {
  return evidence.reduce((sum, log) => sum + Math.exp(Math.min(log, 700)) / ratios.length, 0);
}

/** How far above the limit the true rate may be. */
const excesses = [2, 4, 8, 16] as const;
const highestRate = 0.95;

export const noExcess: Evidence = excesses.map(() => 0);

/** Evidence that the rate of an event is above a limit. @param limit 0..1, both excluded */
export function withTrial(evidence: Evidence, happened: boolean, limit: number): Evidence {
  return evidence.map((log, index) => {
    const rate = Math.min(highestRate, limit * (excesses[index] ?? 1));
    if (rate <= limit) return log;
    return log + Math.log(happened ? rate / limit : (1 - rate) / (1 - limit));
  });
}

/** As `strength`, for evidence of `withTrial`. */
export function excessStrength(evidence: Evidence): number {
  return evidence.reduce((sum, log) => sum + Math.exp(Math.min(log, 700)) / excesses.length, 0);
}

/** Traffic of the last requests by arm, each weighing a little less than the one after it. */
export interface RecentTraffic {
  readonly baseline: number;
  readonly canary: number;
  /** What the canary was meant to get of it. States of earlier versions lack it. */
  readonly meant?: number | undefined;
}

/** A conversation stays with its arm, so traffic comes in runs: the memory is about as long as a usual run. */
const memory = 20;
/** How far the share of so few requests strays by chance, in standard deviations. */
const usualStraying = 2;

export const noTraffic: RecentTraffic = { baseline: 0, canary: 0, meant: 0 };

/** @param share what the canary was meant to get when the arm was drawn, 0..1 */
export function withRequest({ baseline, canary, meant = canary }: RecentTraffic, arm: CanaryArm, share: number): RecentTraffic {
  const kept = 1 - 1 / memory;
  return { baseline: baseline * kept + (arm === 'baseline' ? 1 : 0), canary: canary * kept + (arm === 'canary' ? 1 : 0), meant: meant * kept + share };
}

/**
 * The canary's share of the traffic around a request: what it is meant to get, or what it got of late where that is
 * clearly more, because few conversations run. The larger share is the weaker evidence.
 */
export function localShare({ baseline, canary, meant = canary }: RecentTraffic, share: number): number {
  const all = baseline + canary;
  if (all === 0) return share;
  const [ofLate, expected] = [canary / all, Math.min(1, meant / all)];
  const chance = usualStraying * Math.sqrt(expected * (1 - expected) / Math.max(1, 2 * all - 1));
  return ofLate > expected + chance ? Math.max(share, ofLate) : share;
}
