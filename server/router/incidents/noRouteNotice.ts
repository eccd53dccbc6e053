import { saidOf, type Condition } from '../../api/condition.ts';
import type { EndpointState } from '../../api/endpoints/pause.ts';
import { said, told, type Said } from '../../api/localization/said.ts';
import type { NoticeParams } from '../../api/messages.ts';
import type { FailureClass } from '../../api/failure.ts';

/** Conditions of which people are told by a notice of their own. */
const toldApart: ReadonlySet<Condition['kind']> = new Set(['key-rejected', 'out-of-money', 'offline', 'portal']);
/** Endpoints beyond so many are counted, not named. */
const mostNamed = 3;

/** A request failed, and no endpoint can serve another one now. @returns undefined where nobody has to be told, or is told otherwise */
export function noRouteNotice(failureClass: FailureClass | undefined, states: readonly EndpointState[], now: number): NoticeParams | undefined {
  if (failureClass === undefined || !isOfProviders(failureClass)) return undefined;
  const enabled = states.filter(({ condition }) => condition.kind !== 'disabled');
  if (enabled.length === 0 || enabled.every(({ condition }) => toldApart.has(condition.kind))) return undefined;
  const named = enabled.slice(0, mostNamed).map(({ endpoint, condition }): Said => said('{0}: {1}', endpoint, saidOf(condition, now))).reduce((all, one) => said('{0}; {1}', all, one));
  const list = enabled.length > mostNamed ? said('{0}; and {1} more', named, enabled.length - mostNamed) : named;
  return { kind: 'no-route', endpoint: '', ...told(said('No provider can answer a request now. {0}. Wait, resume or repair one, or add another provider.', list)) };
}

/** The failure is not the request's, the caller's or this machine's. */
function isOfProviders(failureClass: FailureClass): boolean {
  switch (failureClass) {
    case 'network': case 'timeout': case 'server': case 'overloaded': case 'rate-limit': case 'quota': case 'auth': return true;
    case 'context-overflow': case 'content-policy': case 'model-not-found': case 'bad-request': case 'local': case 'cancelled': return false;
  }
}
