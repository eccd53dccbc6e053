import { nextLargerContext } from '../routing/makePlan.ts';
import type { UpstreamAttempt } from './attempt/attempt.ts';
import type { AttemptEnd } from './attempt/machine.ts';
import { keyRequest } from './attempt/launch.ts';
import { wasCutShort } from './attempt/outcome.ts';
import type { AttemptFailure, Walk } from './machine/exchangeState.ts';
import { isAboutKey } from './machine/failover.ts';
import type { ExchangeInput } from './request.ts';
import type { ExchangeServices } from './services.ts';
import { triedKeysAfter } from './machine/triedTargets.ts';

/** The facts that decide what follows from a failed attempt. Health and keys have already learnt of the failure. */
export function failureOf(
  services: ExchangeServices, input: ExchangeInput, { tried, queue }: Walk, attempt: UpstreamAttempt,
  { error, raw, begun }: Extract<AttemptEnd, { kind: 'failed' }>, ways: Pick<AttemptFailure, 'canRestart' | 'canResume'>,
): AttemptFailure {
  const { endpoint, target, key } = attempt.origin;
  const { failureClass } = error;
  return {
    error, raw, begun, cutShort: wasCutShort(attempt, error), keyId: key?.id, sharedLimits: endpoint.provider.sharedLimits === true,
    anotherKey: key !== undefined && isAboutKey(failureClass)
      && services.admission.hasUsableKey(keyRequest(endpoint, target.model, input, triedKeysAfter(tried, endpoint.name, key.id, failureClass))),
    largerContexts: failureClass === 'context-overflow' ? nextLargerContext(queue, target, services.routeTable()) : undefined,
    canRestart: ways.canRestart, canResume: ways.canResume, atMs: performance.now(),
  };
}
