import { targetName } from '../../api/targetName.ts';
import type { AdmissionSources } from '../../exchange/attempt/admissionControl.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';

/** A target whose breaker is half-open gets no more than one copy in so many milliseconds. */
const halfOpenMs = 1_000;

/**
 * What admission of copies that shadows send is made of. They go where callers may go and take nothing from them but what the
 * provider counts: a place and tokens of the limits. A refused key is tried by callers only, and nothing that is kept away is
 * asked. A half-open breaker keeps its trial for a caller; copies go there one by one, because a target may have no callers.
 */
export function shadowAdmissionSources({ keys, healthRegistry, ...others }: Omit<AdmissionSources, 'healthRegistry'> & { readonly healthRegistry: Pick<HealthRegistry, 'admission'> }): AdmissionSources {
  const lastCopies = new Map<string, number>();
  return {
    ...others,
    keys: {
      pick: (endpoint, tried, now, permits, model, conversation) => keys.pick(endpoint, tried, now, permits, model, conversation),
      pickRefused: () => undefined,
      taken: () => undefined,
      used: () => undefined,
      areApart: (endpoint, one, other) => keys.areApart(endpoint, one, other),
      blocked: (endpoint, required, now, permits, model) => keys.blocked(endpoint, required, now, permits, model),
      hasKeys: endpoint => keys.hasKeys(endpoint),
    },
    healthRegistry: {
      enter(endpoint, model, now) {
        const admission = healthRegistry.admission(endpoint, model, now);
        if (!admission.admitted || !admission.trial) return admission;
        const place = targetName(endpoint, model ?? '');
        const last = lastCopies.get(place);
        if (last !== undefined && now - last < halfOpenMs) return { admitted: false, reason: 'its breaker is half-open and had a copy a moment ago', retryAt: last + halfOpenMs };
        lastCopies.set(place, now);
        return { admitted: true, trial: false };
      },
      release: () => undefined,
    },
  };
}
