import type { Cost } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import type { HandedKey } from '../../keys/keyHandles.ts';
import type { Reservation } from '../../limits/allowances/allowances.ts';
import type { RateRequest, RateTicket } from '../../limits/rateLimiter.ts';
import type { AdmissionRequest, ImmediateAdmissionControl, KeyRequest, Permit, Refusal, UsedTokens } from '../admission.ts';
import type { EarlyPlace } from './earlyAttempts.ts';
import { allowancePart, breakerPart, earlyPart, keyPart, limitsPart, pausePart, type AdmissionPart, type Grant, type KeyPart } from './admissionParts.ts';

/** What admission in one process is made of. */
export interface AdmissionSources {
  readonly clock: Clock;
  readonly pauses: Parameters<typeof pausePart>[0];
  readonly keys: Parameters<typeof keyPart>[0];
  readonly healthRegistry: Parameters<typeof breakerPart>[0];
  readonly limiter: Parameters<typeof limitsPart>[0] & Parameters<typeof keyPart>[1];
  readonly early: Parameters<typeof earlyPart>[0];
  readonly allowances: Parameters<typeof allowancePart>[0];
}

/** Admission whose permits show what their parts gave. */
export interface PartsAdmission extends ImmediateAdmissionControl {
  acquire(request: AdmissionRequest): AttemptPermit | Refusal;
}

/**
 * Admission in one process: pause, key, breaker, limits, the place of an early attempt, and money, in this order. The order decides which reason a person reads where
 * several parts would refuse, and what asks a common count of several servers comes last, because that costs the most.
 */
export function createAdmissionControl({ clock, pauses, keys, healthRegistry, limiter, early, allowances }: AdmissionSources): PartsAdmission {
  const key = keyPart(keys, limiter);
  return admissionControlOf(clock, key, [pausePart(pauses), key, breakerPart(healthRegistry), limitsPart(limiter, key), earlyPart(early), allowancePart(allowances)]);
}

/** Admission made of parts, which are asked in their order. @param key that one of them which chooses keys */
export function admissionControlOf(clock: Clock, key: Pick<KeyPart, 'usable'>, parts: readonly AdmissionPart[]): PartsAdmission {
  return {
    acquire(request) {
      const permit = new AttemptPermit(parts, request, clock.now());
      let taken = 0;
      let refusal: Refusal | undefined;
      try {
        while (taken < parts.length && (refusal = parts[taken]?.take(permit)) === undefined) taken += 1;
      } catch (cause) {
        giveBackFirst(parts, taken, permit, 'unsent', false);
        throw cause;
      }
      if (refusal === undefined) return permit;
      giveBackFirst(parts, taken, permit, 'unsent', false);
      return refusal;
    },

    hasUsableKey: request => key.usable(request, rateRequest(request, clock.now())) !== undefined,
  };
}

/** The permit of one attempt: what its parts gave, and whether they have it back. */
export class AttemptPermit implements Permit, Grant {
  readonly admitted = true;
  readonly request: AdmissionRequest;
  readonly rate: RateRequest;
  key: HandedKey | undefined;
  trial = false;
  ticket: RateTicket | undefined;
  early = false;
  place: EarlyPlace | undefined;
  reservation: Reservation | undefined;
  readonly #parts: readonly AdmissionPart[];
  #isOver = false;

  constructor(parts: readonly AdmissionPart[], request: AdmissionRequest, now: number) {
    this.#parts = parts;
    this.request = request;
    this.rate = rateRequest(request, now);
  }

  get reserves(): boolean {
    return this.reservation !== undefined;
  }

  refund(): void {
    this.#end('unsent', false);
  }

  settle(used: UsedTokens, cost?: Cost): void {
    this.#end(used, true, cost);
  }

  release(used: UsedTokens, cost?: Cost): void {
    this.#end(used, false, cost);
  }

  #end(used: UsedTokens, proved: boolean, cost?: Cost): void {
    if (this.#isOver) return;
    this.#isOver = true;
    giveBackFirst(this.#parts, this.#parts.length, this, used, proved, cost);
  }
}

/** Gives back what the first `count` parts gave, the last one first. A part that throws keeps none of the others from it. */
function giveBackFirst(parts: readonly AdmissionPart[], count: number, grant: Grant, used: UsedTokens, proved: boolean, cost?: Cost): void {
  let failed: { cause: unknown } | undefined;
  for (let index = count - 1; index >= 0; index -= 1) {
    try {
      parts[index]?.giveBack?.(grant, used, proved, cost);
    } catch (cause) {
      failed ??= { cause };
    }
  }
  if (failed !== undefined) throw failed.cause;
}

function rateRequest({ endpoint, model, estimatedInputTokens, maxOutputTokens }: KeyRequest, now: number): RateRequest {
  return { endpoint: endpoint.name, keyId: undefined, model, promptTokens: estimatedInputTokens, writableTokens: maxOutputTokens ?? 0, now };
}
