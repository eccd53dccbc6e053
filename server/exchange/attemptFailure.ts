import { nextLargerContext } from '../routing/makePlan.ts';
import type { UpstreamAttempt } from './attempt/attempt.ts';
import type { AttemptEnd } from './attempt/machine.ts';
import { keyRequest } from './attempt/launch.ts';
import { wasCutShort } from './attempt/outcome.ts';
import type { AttemptFailure, Walk } from './machine/exchangeState.ts';
import { isAboutKey } from './machine/failover.ts';
import { handleOf } from '../keys/keyHandles.ts';
import type { ExchangeInput } from './request.ts';
import type { ExchangeServices } from './services.ts';
import { recordKey, triedKeysOf } from './machine/triedTargets.ts';

/** The facts that decide what follows from a failed attempt. Health and keys have already learnt of the failure. */
export function failureOf(
  services: ExchangeServices, input: ExchangeInput, { tried, queue }: Walk, attempt: UpstreamAttempt,
  { error, raw, begun }: Extract<AttemptEnd, { kind: 'failed' }>, ways: Pick<AttemptFailure, 'canRestart' | 'canResume' | 'repairs'>,
): AttemptFailure {
  const { endpoint, target, key, started: { role } } = attempt.origin;
  const { failureClass } = error;
  const handle = key === undefined ? undefined : handleOf(key);
  const isLeft = (lastResort: boolean, apartFrom?: string): boolean => handle !== undefined && isAboutKey(error)
    && services.admission.hasUsableKey({ ...keyRequest(endpoint, target.model, input, triedKeysOf(recordKey(tried, target, handle, error), target), lastResort), apartFrom });
  const freeKey = isLeft(false);
  // Keys of the account that was limited rest by now; one that is known to be of another account meets another limit.
  const sharedLimits = endpoint.provider.sharedLimits === true && !(failureClass === 'rate-limit' && freeKey && isLeft(false, handle));
  // A rate limit is no reason to ask another key that is limited too.
  const keyRests = !freeKey && failureClass !== 'rate-limit' && (queue.length === 0 || role === 'last-resort') && isLeft(true);
  return {
    error, raw, begun, cutShort: wasCutShort(attempt, error), keyId: handle, sharedLimits,
    anotherKey: freeKey || keyRests, keyRests,
    largerContexts: failureClass === 'context-overflow' ? nextLargerContext(queue, target, services.routeTable()) : undefined,
    repairs: ways.repairs, canRestart: ways.canRestart, canResume: ways.canResume, atMs: performance.now(),
  };
}
