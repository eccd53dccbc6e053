import type { Cost } from '../../api/receipt.ts';
import { WaybillError } from '../../base/failure.ts';
import { handleOf, type HandedKey } from '../../keys/keyHandles.ts';
import type { LimitClaim } from '../../limits/limitClaims.ts';
import type { CountHold } from '../../limits/replicas/countCalls.ts';
import type { HoldEnd, TakeAnswer } from '../../limits/replicas/countOrders.ts';
import type { ReplicaCounts } from '../../limits/replicas/replicaCounts.ts';
import { tokenRefusal } from '../../limits/tokenRefusal.ts';
import { beyondReason, beyondShareReason } from '../../routing/caps/allowance.ts';
import type { AdmissionControl, AdmissionRequest, Admitted, Permit, UsedTokens } from '../admission.ts';
import type { AttemptPermit, PartsAdmission } from './admissionControl.ts';

/** What the limits of a token are asked for. */
export interface TokenClaims {
  /** What the first attempt of an exchange takes for its token, in words that name whose it is; undefined: nothing, or it was taken. */
  claimsOf(exchange: string): { readonly claims: readonly LimitClaim[]; readonly name: string } | undefined;
  /** It was taken; the end of the exchange gives it back. */
  taken(exchange: string, hold: CountHold, counts: ReplicaCounts): void;
}

interface Sources {
  /** Undefined: no server on another machine counts with this one. */
  readonly counts: () => ReplicaCounts | undefined;
  readonly tokens: TokenClaims;
  readonly now: () => number;
}

/**
 * Admission where servers on several machines count together. What this process decides comes first; then one call of the store takes
 * limits and money together. Without such a store the answer of this process is the answer, at once.
 */
export function withReplicas(inner: PartsAdmission, sources: Sources): AdmissionControl {
  function acquire(request: AdmissionRequest): Admitted | Promise<Admitted> {
    const admitted = inner.acquire(request);
    const counts = sources.counts();
    if (counts === undefined || !admitted.admitted) return admitted;
    const ofToken = request.exchange === undefined ? undefined : sources.tokens.claimsOf(request.exchange);
    const claims = admitted.ticket?.claims ?? [];
    const allowances = admitted.reservation?.allowances.filter(one => one.ofProcess !== true) ?? [];
    if (claims.length === 0 && allowances.length === 0 && ofToken === undefined) return admitted;
    const asked = counts.take({ claims, ofToken: ofToken?.claims ?? [], allowances, microUsd: admitted.reservation?.microUsd ?? 0 });
    return asked.then(answer => {
      if (answer.taken) {
        if (answer.token !== undefined && request.exchange !== undefined) sources.tokens.taken(request.exchange, answer.token, counts);
        return new ReplicaPermit(admitted, counts, answer.hold);
      }
      admitted.refund();
      return refused(request, admitted, answer, ofToken);
    }, (cause: unknown) => {
      admitted.refund();
      throw cause;
    });
  }

  function refused(request: AdmissionRequest, { key }: AttemptPermit, answer: Exclude<TakeAnswer, { taken: true }>, ofToken: ReturnType<TokenClaims['claimsOf']>): Admitted | Promise<Admitted> {
    switch (answer.kind) {
      case 'allowance': return { admitted: false, reason: beyondReason(answer.misfit, request.spend?.microUsd ?? 0) };
      case 'share': return refusedWhileAway(beyondShareReason(answer.misfit, request.spend?.microUsd ?? 0), answer.retryAfterMs);
      case 'away': return refusedWhileAway(answer.reason, answer.retryAfterMs);
      case 'limit': {
        const { claim, refusal } = answer;
        if (claim !== undefined && ofToken?.claims.includes(claim) === true) return { admitted: false, reason: refusal.reason, fatal: tokenFailure(ofToken.name, refusal.reason, refusal.retryAt - sources.now()) };
        const reason = refusal.reason;
        // Another key may be free.
        if (claim === undefined || claim.scope === request.endpoint.name || key === undefined) return { admitted: false, reason };
        const next = acquire({ ...request, excludedKeys: new Set([...request.excludedKeys, handleOf(key)]) });
        return next instanceof Promise ? next.then(one => (one.admitted ? one : { ...one, reason })) : next.admitted ? next : { ...next, reason };
      }
    }
  }

  return { acquire, hasUsableKey: request => inner.hasUsableKey(request) };
}

/** A permit whose limits and money a store holds, too. */
class ReplicaPermit implements Permit {
  readonly admitted = true;
  readonly #inner: AttemptPermit;
  readonly #counts: ReplicaCounts;
  readonly #hold: CountHold;
  #isOver = false;

  constructor(inner: AttemptPermit, counts: ReplicaCounts, hold: CountHold) {
    this.#inner = inner;
    this.#counts = counts;
    this.#hold = hold;
  }

  get key(): HandedKey | undefined { return this.#inner.key; }
  get trial(): boolean { return this.#inner.trial; }
  get reserves(): boolean { return this.#inner.reserves; }

  refund(): void {
    this.#inner.refund();
    this.#end('unsent');
  }

  settle(used: UsedTokens, cost?: Cost): void {
    this.#inner.settle(used, cost);
    this.#end(used, cost);
  }

  release(used: UsedTokens, cost?: Cost): void {
    this.#inner.release(used, cost);
    this.#end(used, cost);
  }

  #end(used: UsedTokens, cost?: Cost): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#counts.settle(this.#hold, endOf(used, cost));
  }
}

/** No wait of the request mends it: the caller is told when to try again. */
function refusedWhileAway(reason: string, retryAfterMs: number): Admitted {
  return { admitted: false, reason, failure: new WaybillError('own-limit', 'local', `Nothing was sent: ${reason}.`, { retryAfterMs }) };
}

function endOf(used: UsedTokens, cost: Cost | undefined): HoldEnd {
  return { isSent: used !== 'unsent', tokens: typeof used === 'number' ? used : undefined, microUsd: cost?.microUsd, isAll: cost?.unpriced === undefined };
}

function tokenFailure(name: string, reason: string, waitMs: number): { error: WaybillError; status: number } {
  const { message, waitS } = tokenRefusal(name, reason, waitMs);
  return { error: new WaybillError('own-limit', 'rate-limit', message, { retryAfterMs: waitS * 1000 }), status: 429 };
}
