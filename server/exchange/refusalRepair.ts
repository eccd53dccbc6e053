import type { WaybillError } from '../base/failure.ts';
import { parseExact } from '../base/exactJson.ts';
import { isObject } from '../base/json.ts';
import { refusedParts } from '../protocols/repairs/refusedParts.ts';
import type { Repair } from '../protocols/repairs/repair.ts';
import type { UpstreamAttempt } from './attempt/attempt.ts';
import { isDrilled } from './attempt/callFacts.ts';
import { formOf } from './learntRepairs.ts';
import type { ExchangeInput, RequestBody } from './request.ts';
import type { ExchangeServices } from './services.ts';

/** So many repaired attempts a target gets in one exchange: servers name one part at a time. */
export const mostRepairedAttempts = 3;

/**
 * What a failed attempt teaches about its target: parts of the request that the provider refuses by name and that can be
 * left out. It is learnt at once, and taken back where the repaired attempt is refused all the same.
 *
 * @param error as the provider said it, before redaction
 * @param repaired what earlier attempts of this exchange taught about the target
 * @returns what to leave out from now on; undefined where the refusal teaches nothing
 */
export function learnFromRefusal(
  services: Pick<ExchangeServices, 'repairs' | 'clock'>, input: ExchangeInput, attempt: UpstreamAttempt, error: WaybillError, begun: boolean, repaired: readonly (readonly Repair[])[],
): readonly Repair[] | undefined {
  if (error.failureClass !== 'bad-request' || error.code === 'reasoning-rejected' || begun || isDrilled(attempt.call)) return undefined;
  const { endpoint, target } = attempt.origin;
  const { kind } = input.body;
  const refused = repaired.length >= mostRepairedAttempts ? [] : partsOf(attempt, error, kind);
  const taught = { endpoint, form: formOf(kind, endpoint.protocol), model: target.upstreamModel };
  // Another request may have taught the same meanwhile; this one was still sent with it.
  if (refused.length > 0) return services.repairs.learn(taught, refused, services.clock.now());
  services.repairs.forget(taught, repaired.flat(), services.clock.now());
  return undefined;
}

function partsOf(attempt: UpstreamAttempt, error: WaybillError, kind: RequestBody['kind']): Repair[] {
  const { body: pieces, headers } = attempt.request;
  const body = pieces === undefined ? undefined : parseExact(Buffer.concat(pieces).toString('utf8'));
  if (!isObject(body)) return [];
  return refusedParts({ message: error.detail ?? '', param: error.providerParam, code: error.providerCode }, {
    protocol: attempt.origin.endpoint.protocol, operation: kind === 'conversation' ? undefined : kind, body, headers,
  });
}
