import type { Admission, HealthTarget, LeastBad } from './healthReader.ts';
import { breakerAdmission, breakerWords, takeTrial, trialUnderWay, type Breaker } from './breaker/breaker.ts';
import { restReason } from './breaker/cooldown.ts';
import { wholeBreaker, type Watch } from './endpointHealth.ts';
import { modelWatch } from './modelHealth.ts';
import { waitWords } from './wording.ts';

/** Whether an attempt at a model (absent: at the endpoint as a whole) may go now. Changes nothing. */
export function admit(watch: Watch, model: string | undefined, now: number): Admission {
  const breaker = breakersAdmission(watch, model, now);
  const rest = watch.cooldowns.resting(model, now);
  if (rest === undefined || (!breaker.admitted && breaker.retryAt >= rest.until)) return breaker;
  return { admitted: false, reason: restReason(rest, now), retryAt: rest.until, cause: rest.failureClass };
}

function breakersAdmission(watch: Watch, model: string | undefined, now: number): Admission {
  const endpoint = breakerAdmission(watch.breaker, watch.inFlight, now);
  if (model === undefined) return endpoint.admitted ? modelsAdmission(watch, now) ?? endpoint : endpoint;
  const known = watch.models.get(model);
  if (known === undefined) return endpoint;
  const own = breakerAdmission(known.breaker, known.inFlight, now, 'model');
  if (own.admitted) return endpoint.admitted && own.trial ? own : endpoint;
  return endpoint.admitted || own.retryAt > endpoint.retryAt ? own : endpoint;
}

/** Why the endpoint as a whole is kept away though it can be reached: most models there fail. */
function modelsAdmission(watch: Watch, now: number): Admission | undefined {
  const { until, named } = wholeBreaker(watch, now);
  if (until === undefined || named === undefined) return undefined;
  return { admitted: false, retryAt: until, reason: `${breakerWords(named)}, next try in ${waitWords(until - now)}` };
}

/** Lets an attempt in and takes the trial slots that are its. Forced: only a wait that the provider named refuses it. */
export function enterWatch(watch: Watch, model: string | undefined, now: number, force: boolean): Admission {
  const regular = admit(watch, model, now);
  if (!regular.admitted && (!force || watch.cooldowns.ownStrikes(model, now) === undefined)) return regular;
  watch.inFlight += 1;
  const known = model === undefined ? undefined : modelWatch(watch.models, model, now, watch.config.windowMs);
  if (known !== undefined) {
    known.inFlight += 1;
    known.usedAt = now;
  }
  const ofEndpoint = needsTrial(watch.breaker, watch.inFlight - 1, now);
  // An attempt at this model that is a trial already will end as one: a second one would be taken for it.
  const busy = known !== undefined && (trialUnderWay(known.breaker, now) || (trialUnderWay(watch.breaker, now) && watch.trialModel === model));
  if (busy) return { admitted: true, trial: false };
  if (ofEndpoint) {
    watch.breaker = takeTrial(watch.breaker, now);
    watch.trialModel = model;
  }
  const ofModel = known !== undefined && needsTrial(known.breaker, known.inFlight - 1, now);
  if (ofModel) known.breaker = takeTrial(known.breaker, now);
  return { admitted: true, trial: ofEndpoint || ofModel };
}

/** Whether an attempt let in now, regularly or forced, is the one that decides. */
function needsTrial(breaker: Breaker, inFlight: number, now: number): boolean {
  if (breaker.state === 'open') return true;
  const admission = breakerAdmission(breaker, inFlight, now);
  return admission.admitted && admission.trial;
}

/** Of targets that only health keeps away, the one most likely to answer; see the board. */
export function leastBadOf(candidates: readonly HealthTarget[], watchOf: (endpoint: string) => Watch | undefined, now: number): LeastBad | undefined {
  let best: (LeastBad & { strikes: number }) | undefined;
  for (const { endpoint, model } of candidates) {
    const watch = watchOf(endpoint);
    if (watch === undefined) continue;
    const admission = admit(watch, model, now);
    const ownStrikes = watch.cooldowns.ownStrikes(model, now);
    if (admission.admitted || ownStrikes === undefined) continue;
    const strikes = ownStrikes + Math.max(reopenings(watch.breaker), reopenings(watch.models.get(model)?.breaker));
    if (best === undefined || strikes < best.strikes || (strikes === best.strikes && admission.retryAt < best.retryAt)) best = { endpoint, model, retryAt: admission.retryAt, strikes };
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
