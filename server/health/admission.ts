import type { Admission, HealthTarget, BestUnavailable } from './healthReader.ts';
import { breakerAdmission, breakerWords, takeTrial, trialUnderWay, type Breaker } from './breaker/breaker.ts';
import { cooldownReason, refusalWords } from './breaker/cooldown.ts';
import { endpointVerdict, type EndpointHealth } from './endpointHealth.ts';
import { modelHealth } from './modelHealth.ts';
import { waitWords } from './wording.ts';

/** Whether an attempt at a model (absent: at the endpoint as a whole) may be sent now. Changes nothing. */
export function admit(health: EndpointHealth, model: string | undefined, now: number): Admission {
  const breaker = breakersAdmission(health, model, now);
  const cooldown = health.cooldowns.coolingDown(model, now);
  if (cooldown === undefined || (!breaker.admitted && breaker.retryAt >= cooldown.until)) return breaker;
  return { admitted: false, reason: cooldownReason(cooldown, now), retryAt: cooldown.until, cause: cooldown.failureClass, why: refusalWords(cooldown) };
}

function breakersAdmission(health: EndpointHealth, model: string | undefined, now: number): Admission {
  const endpoint = breakerAdmission(health.breaker, health.inFlight, now);
  if (model === undefined) return endpoint.admitted ? modelsAdmission(health, now) ?? endpoint : endpoint;
  const known = health.models.get(model);
  if (known === undefined) return endpoint;
  const own = breakerAdmission(known.breaker, known.inFlight, now, 'model');
  if (own.admitted) return endpoint.admitted && own.trial ? own : endpoint;
  return endpoint.admitted || own.retryAt > endpoint.retryAt ? own : endpoint;
}

/** Why the endpoint as a whole is kept away although it can be reached: most models there fail. */
function modelsAdmission(health: EndpointHealth, now: number): Admission | undefined {
  const { until, named } = endpointVerdict(health, now);
  if (until === undefined || named === undefined) return undefined;
  return { admitted: false, retryAt: until, reason: `${breakerWords(named)}, next try in ${waitWords(until - now)}` };
}

/** Admits an attempt and takes the trial slots that it fills. @param force nothing refuses it */
export function enterEndpoint(health: EndpointHealth, model: string | undefined, now: number, force: boolean): Admission {
  const regular = admit(health, model, now);
  if (!regular.admitted && !force) return regular;
  const isEarly = !regular.admitted && health.cooldowns.ownConsecutiveFailures(model, now) === undefined;
  health.inFlight += 1;
  const known = model === undefined ? undefined : modelHealth(health.models, model, now, health.config.windowMs);
  if (known !== undefined) {
    known.inFlight += 1;
    known.usedAt = now;
  }
  const ofEndpoint = needsTrial(health.breaker, health.inFlight - 1, now);
  // While an attempt at this model is a trial, a second one would be taken for it when it ends.
  const isTrialUnderWay = known !== undefined && (trialUnderWay(known.breaker, now) || (trialUnderWay(health.breaker, now) && health.trialModel === model));
  if (isTrialUnderWay) return isEarly ? { admitted: true, trial: false, early: true } : { admitted: true, trial: false };
  if (ofEndpoint) {
    health.breaker = takeTrial(health.breaker, now);
    health.trialModel = model;
  }
  const ofModel = known !== undefined && needsTrial(known.breaker, known.inFlight - 1, now);
  if (ofModel) known.breaker = takeTrial(known.breaker, now);
  const trial = ofEndpoint || ofModel;
  return isEarly ? { admitted: true, trial, early: true } : { admitted: true, trial };
}

/** Whether an attempt that is admitted now, regularly or by force, is a trial. */
function needsTrial(breaker: Breaker, inFlight: number, now: number): boolean {
  if (breaker.state === 'open') return true;
  const admission = breakerAdmission(breaker, inFlight, now);
  return admission.admitted && admission.trial;
}

/** Of targets that only health keeps away, the one most likely to answer; see `HealthRegistry.bestUnavailable`. */
export function bestUnavailableOf(candidates: readonly HealthTarget[], healthOf: (endpoint: string) => EndpointHealth | undefined, now: number): BestUnavailable | undefined {
  let best: (BestUnavailable & { consecutiveFailures: number }) | undefined;
  for (const { endpoint, model } of candidates) {
    const health = healthOf(endpoint);
    if (health === undefined) continue;
    const admission = admit(health, model, now);
    const ownConsecutiveFailures = health.cooldowns.ownConsecutiveFailures(model, now);
    if (admission.admitted || ownConsecutiveFailures === undefined) continue;
    const consecutiveFailures = ownConsecutiveFailures + Math.max(reopenings(health.breaker), reopenings(health.models.get(model)?.breaker));
    if (best === undefined || consecutiveFailures < best.consecutiveFailures || (consecutiveFailures === best.consecutiveFailures && admission.retryAt < best.retryAt)) best = { endpoint, model, retryAt: admission.retryAt, consecutiveFailures };
  }
  return best === undefined ? undefined : { endpoint: best.endpoint, model: best.model, retryAt: best.retryAt };
}

function reopenings(breaker: Breaker | undefined): number {
  switch (breaker?.state) {
    case 'open': return breaker.timesOpened + (breaker.forcedFailures ?? 0);
    case 'half-open': return breaker.timesOpened + (breaker.forcedFrom?.forcedFailures ?? 0);
    default: return 0;
  }
}
