import type { AdmissionSources } from '../../exchange/attempt/admissionControl.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';

/**
 * What admission of copies that shadows send is made of. They go where callers may go and take nothing from them but what the
 * provider counts: a place and tokens of the limits. A half-open breaker waits for a caller, a refused key is tried by callers
 * only, and nothing that is kept away is asked.
 */
export function shadowAdmissionSources({ keys, healthRegistry, ...others }: Omit<AdmissionSources, 'healthRegistry'> & { readonly healthRegistry: Pick<HealthRegistry, 'admission'> }): AdmissionSources {
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
        return admission.admitted && admission.trial ? { admitted: false, reason: 'its breaker waits for a request of a caller', retryAt: now } : admission;
      },
      release: () => undefined,
    },
  };
}
