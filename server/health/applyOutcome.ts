import type { FailureClass } from '../api/failure.ts';
import type { Outcome } from './healthReader.ts';
import { releaseTrial, breakerAfter, trialUnderWay, type Breaker, type BreakerOutcome } from './breaker/breaker.ts';
import type { EndpointHealth } from './endpointHealth.ts';
import { factsOf, isNotTheApi, mayBeLink } from './network/networkTracker.ts';
import { modelHealth } from './modelHealth.ts';

/** Which trials ended with an attempt. */
export interface EndedTrials { readonly ofEndpoint: boolean; readonly ofModel: boolean }

/** The trials that end with an attempt. @param trial what `enter` answered; absent: the attempt counts as the trial if one is under way */
export function endedTrials(health: EndpointHealth, model: string | undefined, trial: boolean | undefined): EndedTrials {
  if (trial === false) return noTrials;
  const known = model === undefined ? undefined : health.models.get(model);
  return {
    ofEndpoint: trialUnderWay(health.breaker) && health.trialModel === model,
    ofModel: known !== undefined && trialUnderWay(known.breaker),
  };
}

export const noTrials: EndedTrials = { ofEndpoint: false, ofModel: false };

/** Frees the trial slots of an attempt that proved nothing. */
export function releaseTrials(health: EndpointHealth, model: string | undefined, ended: EndedTrials): void {
  if (ended.ofEndpoint) health.breaker = releaseTrial(health.breaker);
  const known = ended.ofModel && model !== undefined ? health.models.get(model) : undefined;
  if (known !== undefined) known.breaker = releaseTrial(known.breaker);
}

/** Whether a failure lies with the caller, this machine, its proxy or a kept connection, and says nothing of the endpoint. */
export function isNoEvidence({ failureClass, code }: Pick<Outcome, 'failureClass' | 'code'>): boolean {
  return failureClass === 'cancelled' || failureClass === 'local' || code === 'kept-connection-lost' || factsOf(code).ofProxy === true;
}

/** A class that proves neither that something works nor that it fails. */
const provesNothing: FailureClass = 'bad-request';

/** Applies an outcome to the breaker of the connection and to that of the model: to each the part that concerns it. */
export function applyToBreakers(health: EndpointHealth, outcome: Outcome, ended: EndedTrials): void {
  const { model, at, foreign } = outcome;
  const base = { at, kind: outcome.kind, asked: outcome.asked, message: outcome.message, foreign, mayBeLink: mayBeLink(outcome) };
  // Outcomes of peers arrive late. What happened before the last success no longer counts.
  if (foreign === true && at < health.notes.lastSuccessAt) releaseTrials(health, model, { ...noTrials, ofEndpoint: ended.ofEndpoint });
  else health.breaker = breakerAfter(health.breaker, health.config, { ...base, trial: ended.ofEndpoint, failureClass: forEndpoint(health.breaker, outcome) });
  if (model !== undefined) applyToModel(health, model, outcome, { ...base, trial: ended.ofModel });
  // A probe asks no model for anything. It is evidence for models only after a probe failed in the same way as they do.
  else if (outcome.kind === 'probe' && outcome.failureClass === undefined && health.notes.probeBroken) {
    for (const known of health.models.values()) if (known.breaker.state === 'open') known.breaker = breakerAfter(known.breaker, health.config, { ...base, trial: false });
  }
}

function applyToModel(health: EndpointHealth, model: string, outcome: Outcome, base: BreakerOutcome): void {
  const { at, failureClass } = outcome;
  const known = modelHealth(health.models, model, at, health.config.windowMs);
  known.usedAt = outcome.foreign === true ? Math.max(known.usedAt, at) : at;
  if (outcome.foreign === true && at < known.lastSuccessAt) return;
  known.breaker = breakerAfter(known.breaker, health.config, { ...base, failureClass: forModel(outcome) });
  if (failureClass === undefined) known.lastSuccessAt = Math.max(known.lastSuccessAt, at);
}

/** Whether a failure lies with the connection, in which no model had a part. */
function ofConnection(outcome: Outcome): boolean {
  const { failureClass, phase, code } = outcome;
  return failureClass === 'network' || code === 'connection-reset' || isNotTheApi(outcome) || (failureClass === 'timeout' && (phase === 'connect' || factsOf(code).timer === 'connect'));
}

function forEndpoint(breaker: Breaker, outcome: Outcome): FailureClass | undefined {
  const { failureClass, model, code } = outcome;
  if (failureClass === undefined || model === undefined || ofConnection(outcome)) return failureClass;
  // A timer that ran out after connecting, or a login that failed, says nothing about the connection.
  if (failureClass === 'timeout' || factsOf(code).beforeLogin === true) return provesNothing;
  // An answer of any kind came over a working connection. It is evidence for the connection and for nothing else.
  return breaker.state === 'closed' || breaker.cause.mayBeLink ? undefined : provesNothing;
}

function forModel(outcome: Outcome): FailureClass | undefined {
  return outcome.failureClass !== undefined && ofConnection(outcome) ? provesNothing : outcome.failureClass;
}
