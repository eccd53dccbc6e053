import type { FailureClass } from '../api/failure.ts';
import type { Outcome } from './healthReader.ts';
import { releaseTrial, settleBreaker, trialUnderWay, type Breaker, type BreakerOutcome } from './breaker/breaker.ts';
import type { EndpointHealth } from './endpointHealth.ts';
import { isPage, mayBeLink } from './network/networkTracker.ts';
import { modelHealth } from './modelHealth.ts';

/** Which of the trials under way an attempt was. */
export interface EndedTrials { readonly ofEndpoint: boolean; readonly ofModel: boolean }

/** @param trial what `enter` answered; absent: the attempt is taken for the trial if one is under way */
export function endedTrials(health: EndpointHealth, model: string | undefined, trial: boolean | undefined): EndedTrials {
  if (trial === false) return noTrials;
  const known = model === undefined ? undefined : health.models.get(model);
  return {
    ofEndpoint: trialUnderWay(health.breaker) && health.trialModel === model,
    ofModel: known !== undefined && trialUnderWay(known.breaker),
  };
}

export const noTrials: EndedTrials = { ofEndpoint: false, ofModel: false };

/** The attempt proved nothing: its trial's place is free again. */
export function releaseTrials(health: EndpointHealth, model: string | undefined, ended: EndedTrials): void {
  if (ended.ofEndpoint) health.breaker = releaseTrial(health.breaker);
  const known = ended.ofModel && model !== undefined ? health.models.get(model) : undefined;
  if (known !== undefined) known.breaker = releaseTrial(known.breaker);
}

/** Whether a failure is one of the caller, of this machine or of a connection that was kept, and none of the endpoint. */
export function saysNothing({ failureClass, code }: Pick<Outcome, 'failureClass' | 'code'>): boolean {
  return failureClass === 'cancelled' || failureClass === 'local' || code === 'kept-connection-lost';
}

/** What proves neither that a thing works nor that it does not. */
const proofOfNothing: FailureClass = 'bad-request';

/** Gives an outcome to the breaker of the connection and to that of the model, each what speaks of it. */
export function applyToBreakers(health: EndpointHealth, outcome: Outcome, ended: EndedTrials): void {
  const { model, at, foreign } = outcome;
  const base = { at, kind: outcome.kind, asked: outcome.asked, message: outcome.message, foreign, mayBeLink: mayBeLink(outcome) };
  // Other windows' outcomes arrive late: what happened before the last success is settled.
  if (foreign === true && at < health.notes.lastSuccessAt) releaseTrials(health, model, { ...noTrials, ofEndpoint: ended.ofEndpoint });
  else health.breaker = settleBreaker(health.breaker, health.config, { ...base, trial: ended.ofEndpoint, failureClass: forEndpoint(health.breaker, outcome) });
  if (model !== undefined) applyToModel(health, model, outcome, { ...base, trial: ended.ofModel });
  // What a probe asks for is no model's work, unless it had failed as the models do: then something is well again.
  else if (outcome.kind === 'probe' && outcome.failureClass === undefined && health.notes.probeBroken) {
    for (const known of health.models.values()) if (known.breaker.state === 'open') known.breaker = settleBreaker(known.breaker, health.config, { ...base, trial: false });
  }
}

function applyToModel(health: EndpointHealth, model: string, outcome: Outcome, base: BreakerOutcome): void {
  const { at, failureClass } = outcome;
  const known = modelHealth(health.models, model, at, health.config.windowMs);
  known.usedAt = outcome.foreign === true ? Math.max(known.usedAt, at) : at;
  if (outcome.foreign === true && at < known.lastSuccessAt) return;
  known.breaker = settleBreaker(known.breaker, health.config, { ...base, failureClass: forModel(outcome) });
  if (failureClass === undefined) known.lastSuccessAt = Math.max(known.lastSuccessAt, at);
}

/** Whether a failure is one of the connection: no model had a part in it. */
function ofConnection(outcome: Outcome): boolean {
  const { failureClass, phase, code } = outcome;
  return failureClass === 'network' || code === 'connection-reset' || isPage(outcome) || (failureClass === 'timeout' && (phase === 'connect' || code === 'connect-timeout'));
}

function forEndpoint(breaker: Breaker, outcome: Outcome): FailureClass | undefined {
  const { failureClass, model, code } = outcome;
  if (failureClass === undefined || model === undefined || ofConnection(outcome)) return failureClass;
  // A timer that ran out later, or a key that was never sent, says nothing of the way there.
  if (failureClass === 'timeout' || code?.startsWith('google-') === true) return proofOfNothing;
  // An answer, whatever it says, came over a connection that works. It mends what was wrong with that, and nothing else.
  return breaker.state === 'closed' || breaker.cause.mayBeLink ? undefined : proofOfNothing;
}

function forModel(outcome: Outcome): FailureClass | undefined {
  return outcome.failureClass !== undefined && ofConnection(outcome) ? proofOfNothing : outcome.failureClass;
}
