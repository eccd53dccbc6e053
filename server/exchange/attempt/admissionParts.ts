import type { Cost } from '../../api/receipt.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';
import { handleOf, type HandedKey } from '../../keys/keyHandles.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { Allowances, Reservation } from '../../limits/allowances/allowances.ts';
import { beyondReason } from '../../routing/caps/allowance.ts';
import type { RateLimiter, RateRequest, RateTicket } from '../../limits/rateLimiter.ts';
import type { EarlyAttempts, EarlyPlace } from './earlyAttempts.ts';
import type { AdmissionRequest, KeyRequest, Refusal, UsedTokens } from '../admission.ts';

/** What an attempt asks for, and what the parts gave it so far. Each part writes its own field and reads those of earlier parts. */
export interface Grant {
  readonly request: AdmissionRequest;
  /** The request as limits see it; `keyId` follows `key`. */
  readonly rate: RateRequest;
  key: HandedKey | undefined;
  trial: boolean;
  ticket: RateTicket | undefined;
  /** The provider said that it would refuse: only the last resort let the attempt through. */
  early: boolean;
  /** The place of an early attempt. */
  place: EarlyPlace | undefined;
  /** What is reserved of allowances. */
  reservation: Reservation | undefined;
}

/**
 * One thing an attempt needs leave from. Parts are asked in a fixed order; when one refuses, those before it give back what
 * they gave, the last one first.
 */
export interface AdmissionPart {
  /** Takes what the attempt needs, or nothing. @returns undefined when it was taken */
  take(grant: Grant): Refusal | undefined;
  /**
   * Ends what `take` began. Absent where nothing was taken that others wait for.
   * @param proved the attempt says something about its provider, and the health registry records it
   * @param cost what the attempt cost, where money is reserved for it and its end says so
   */
  giveBack?(grant: Grant, used: UsedTokens, proved: boolean, cost: Cost | undefined): void;
}

/** Chooses the key. It comes first: the limits count by key. */
export interface KeyPart extends AdmissionPart {
  /** Puts the next usable key in the place of the grant's. @returns false when there is none, and the grant is as before */
  takeAnother(grant: Grant, excludedKeys: ReadonlySet<string>): boolean;
  /** A key that could be used now. */
  usable(request: KeyRequest, rate: RateRequest): HandedKey | undefined;
}

/** @param limiter keys at a limit are passed over */
export function keyPart(keys: Pick<KeyPool, 'pick' | 'pickRefused' | 'taken' | 'used' | 'blocked' | 'hasKeys' | 'areApart'>, limiter: Pick<RateLimiter, 'keyAdmission'>): KeyPart {
  function pick({ endpoint, model, conversation, apartFrom }: KeyRequest, rate: RateRequest, excludedKeys: ReadonlySet<string>): HandedKey | undefined {
    return keys.pick(endpoint.name, excludedKeys, rate.now, key => {
      rate.keyId = handleOf(key);
      return limiter.keyAdmission(rate).admitted && (apartFrom === undefined || keys.areApart(endpoint.name, apartFrom, rate.keyId));
    }, model, conversation);
  }

  function take(grant: Grant, key: HandedKey): void {
    const { request: { endpoint, model, conversation, estimatedInputTokens }, rate } = grant;
    grant.key = key;
    rate.keyId = handleOf(key);
    keys.taken(endpoint.name, rate.keyId, model, rate.now, conversation, estimatedInputTokens);
  }

  function giveBack({ request: { endpoint, estimatedInputTokens }, key, rate }: Grant, used: UsedTokens): void {
    if (key === undefined || used === 'unknown') return;
    keys.used(endpoint.name, handleOf(key), (used === 'unsent' ? 0 : used) - estimatedInputTokens, rate.now);
  }

  /** A key that the provider said something against. From here on its figures do not refuse the request. */
  function pickRefused({ endpoint, model, excludedKeys }: KeyRequest, rate: RateRequest): HandedKey | undefined {
    rate.lastResort = true;
    return keys.pickRefused(endpoint.name, excludedKeys, rate.now, key => {
      rate.keyId = handleOf(key);
      return limiter.keyAdmission(rate).admitted;
    }, model);
  }

  function blockedReason({ endpoint, model }: KeyRequest, rate: RateRequest): string | undefined {
    return keys.blocked(endpoint.name, endpoint.provider.keyRequired, rate.now, key => {
      rate.keyId = handleOf(key);
      return limiter.keyAdmission(rate);
    }, model)?.reason;
  }

  return {
    take(grant) {
      const { request, rate } = grant;
      let key = pick(request, rate, request.excludedKeys);
      if (key === undefined && request.lastResort && keys.hasKeys(request.endpoint.name)) {
        key = pickRefused(request, rate);
        grant.early = key !== undefined;
      }
      if (key === undefined && (request.endpoint.provider.keyRequired || keys.hasKeys(request.endpoint.name))) {
        return { admitted: false, reason: blockedReason(request, rate) ?? 'no key of it can be used now' };
      }
      rate.keyId = undefined;
      if (key !== undefined) take(grant, key);
      return undefined;
    },

    giveBack,

    takeAnother(grant, excludedKeys) {
      const key = pick(grant.request, grant.rate, excludedKeys);
      if (key === undefined) {
        grant.rate.keyId = grant.key === undefined ? undefined : handleOf(grant.key);
        return false;
      }
      giveBack(grant, 'unsent');
      take(grant, key);
      return true;
    },

    usable: (request, rate) => pick(request, rate, request.excludedKeys) ?? (request.lastResort ? pickRefused(request, rate) : undefined),
  };
}

/** A pause that a person ordered after the plan was made. @param pauses why requests go around an endpoint, as the end of a sentence */
export function pausePart(pauses: { reason(endpoint: string, now: number): string | undefined }): AdmissionPart {
  return {
    take({ request: { endpoint }, rate }) {
      const reason = pauses.reason(endpoint.name, rate.now);
      return reason === undefined ? undefined : { admitted: false, reason };
    },
  };
}

/** The breakers and cooldowns of the endpoint and of the model there. */
export function breakerPart(healthRegistry: Pick<HealthRegistry, 'enter' | 'release'>): AdmissionPart {
  return {
    take(grant) {
      const { request: { endpoint, model, lastResort }, rate } = grant;
      const admission = healthRegistry.enter(endpoint.name, model, rate.now, lastResort ? forced : undefined);
      if (!admission.admitted) return { admitted: false, reason: admission.reason };
      grant.trial = admission.trial;
      if (admission.early === true) grant.early = true;
      return undefined;
    },

    giveBack({ request: { endpoint, model }, trial }, _used, proved) {
      if (!proved) healthRegistry.release(endpoint.name, model, trial);
    },
  };
}

const forced = { force: true } as const;

/**
 * The limits of the endpoint and of its keys.
 *
 * What peers used of a key shows only when the common count is asked. So a key whose limit refuses here is replaced by the
 * next one, until one is admitted or none is left; the last refusal is the answer then.
 */
export function limitsPart(limiter: Pick<RateLimiter, 'enter' | 'release' | 'refund'>, key: Pick<KeyPart, 'takeAnother'>): AdmissionPart {
  return {
    take(grant) {
      let usedUp: Set<string> | undefined;
      for (;;) {
        const entry = limiter.enter(grant.rate);
        if (entry.admitted) {
          grant.ticket = entry.ticket;
          return undefined;
        }
        if (grant.request.lastResort && grant.rate.lastResort !== true && entry.ownLimit !== true) {
          grant.rate.lastResort = true;
          grant.early = true;
          continue;
        }
        if (entry.ofKey !== true || grant.key === undefined) return { admitted: false, reason: entry.reason };
        usedUp ??= new Set(grant.request.excludedKeys);
        usedUp.add(handleOf(grant.key));
        if (!key.takeAnother(grant, usedUp)) return { admitted: false, reason: entry.reason };
      }
    },

    giveBack({ ticket }, used) {
      if (ticket === undefined) return;
      if (used === 'unsent') limiter.refund(ticket);
      else limiter.release(ticket, used === 'unknown' ? undefined : used);
    },
  };
}

/** The place of an attempt at a target whose provider said that it would refuse it: one at a time, and not too many in a row. */
export function earlyPart(early: Pick<EarlyAttempts, 'enter' | 'leave'>): AdmissionPart {
  return {
    take(grant) {
      if (!grant.early) return undefined;
      const { request: { endpoint, model }, rate } = grant;
      grant.place = early.enter(endpoint.name, model, rate.now);
      return grant.place === undefined ? { admitted: false, reason: 'the provider asked for a wait that is not over, and another request is finding out whether it still holds' } : undefined;
    },

    giveBack({ place }) {
      if (place !== undefined) early.leave(place);
    },
  };
}

/**
 * What the attempt is expected to cost, of every allowance that holds for it. At its end what it cost takes the place of that; where
 * nobody knows what it cost, or not all of it, it counts for no less than was expected.
 */
export function allowancePart(allowances: Pick<Allowances, 'reserve' | 'settle'>): AdmissionPart {
  return {
    take(grant) {
      const { spend } = grant.request;
      if (spend === undefined) return undefined;
      const reserved = allowances.reserve(spend.allowances, spend.microUsd);
      if ('misfit' in reserved) return { admitted: false, reason: beyondReason(reserved.misfit, spend.microUsd) };
      grant.reservation = reserved;
      return undefined;
    },

    giveBack({ reservation }, used, _proved, cost) {
      if (reservation === undefined) return;
      const known = used === 'unsent' ? 0 : cost?.microUsd;
      allowances.settle(reservation, known, used === 'unsent' || cost?.unpriced === undefined);
    },
  };
}
