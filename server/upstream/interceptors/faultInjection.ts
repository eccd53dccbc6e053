import { defaultSlowMs, type RunningDrill } from '../../api/drill.ts';
import { codecFor } from '../../protocols/registry.ts';
import type { CallPlace, Dispatch, Interceptor, ResponseListener, UpstreamCall, UpstreamRequest } from '../call.ts';
import { DelayFault } from './delayFault.ts';
import { injectedRefusal, type FaultInjector } from './faultInjector.ts';
import { RefuseFault } from './refuseFault.ts';
import { TruncateFault } from './truncateFault.ts';

/** Makes the faults of the running fire drills. While none runs, a call costs one look at an empty list. */
export function faultInjection(injector: FaultInjector): Interceptor {
  return next => (place, request, listener) => {
    const drill = injector.matching(place.name, request.about);
    return drill === undefined ? next(place, request, listener) : faultyCall(injector, drill, next, place, request, listener);
  };
}

function faultyCall(injector: FaultInjector, drill: RunningDrill, next: Dispatch, place: CallPlace, request: UpstreamRequest, listener: ResponseListener): UpstreamCall {
  const endpoint = place.name;
  const send = (through: ResponseListener): UpstreamCall => next(place, request, through);
  switch (drill.fault) {
    case 'down': return new RefuseFault(listener, injectedRefusal(endpoint));
    case 'rate-limit':
    case 'dead-key': return new RefuseFault(listener, injector.refusal(drill, place.protocol));
    case 'slow': return new DelayFault({ listener, endpoint, slowMs: drill.slowMs ?? defaultSlowMs, send, hold: release => injector.hold(drill.id, release) });
    case 'cut': return new TruncateFault({ listener, endpoint, send, decoder: codecFor(place.protocol).createStreamDecoder(place.provider.dialect) });
  }
}
