import { hopsHeader } from '../../base/hops.ts';
import type { Interceptor } from '../call.ts';

/** Marks requests to other Waybills with this instance, so that one that comes back here is known. */
export function hops(instance: string): Interceptor {
  return next => (place, request, listener) => {
    if (place.provider.id !== 'waybill') return next(place, request, listener);
    const passed = request.hops === undefined ? instance : `${request.hops},${instance}`;
    return next(place, { ...request, headers: { ...request.headers, [hopsHeader]: passed } }, listener);
  };
}
