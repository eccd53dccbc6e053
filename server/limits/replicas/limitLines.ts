import type { LimitClaim } from '../limitClaims.ts';
import type { Refusal } from '../rateWindow.ts';
import { heldRefusal, remembered, type RememberedRefusal } from '../rememberedRefusal.ts';
import type { TakeAnswer, TakeOrder } from './countOrders.ts';

interface Waiting {
  readonly claim: LimitClaim;
  /** @param refusal undefined: it asks for itself */
  go(refusal: Refusal | undefined): void;
}

/** Where so many could ask at once, every request asks for itself again. */
const enoughAtOnce = 64;
const mostRemembered = 5_000;
/** A limit at which no request was refused for so long has no line. */
const keptMs = 1_000;
/** No refusal holds for longer: the clock was set back. */
const longestMs = 120_000;

/** Requests of this server at one limit that was reached. */
class LimitLine {
  readonly scope: string;
  /** No request was refused since this moment, in milliseconds since the epoch. */
  keptUntil = 0;
  #atOnce = 1;
  #asking = 0;
  #waiting: Waiting[] = [];

  constructor(scope: string) {
    this.scope = scope;
  }

  get isIdle(): boolean {
    return this.#asking === 0 && this.#waiting.length === 0;
  }

  /** No request has to wait. */
  get isOpen(): boolean {
    return this.#atOnce === Infinity;
  }

  /** Waits for a turn. @returns why the request is refused without asking; undefined: it is to ask, and `answered` is to be called */
  turn(claim: LimitClaim): Promise<Refusal | undefined> | undefined {
    if (this.#asking < this.#atOnce) {
      this.#asking += 1;
      return undefined;
    }
    return new Promise(resolve => { this.#waiting.push({ claim, go: resolve }); });
  }

  /** One that asked has its answer. @param answer undefined: it failed */
  answered(answer: TakeAnswer | undefined): void {
    this.#asking -= 1;
    if (answer?.taken === true) this.#atOnce = 2 * this.#atOnce >= enoughAtOnce ? Infinity : 2 * this.#atOnce;
    else if (answer?.kind === 'limit' && answer.claim !== undefined && answer.claim.scope === this.scope) {
      const { claim: { tokens }, refusal } = answer;
      this.#atOnce = 1;
      const isRefused = ({ claim }: Waiting): boolean => refusal.tokensOnly !== true || claim.tokens >= tokens;
      const refused = this.#waiting.filter(isRefused);
      this.#waiting = this.#waiting.filter(one => !isRefused(one));
      for (const one of refused) one.go(refusal);
    }
    while (this.#asking < this.#atOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#asking += 1;
      next.go(undefined);
    }
  }
}

/**
 * The limits at which requests of this server were refused. It bounds what they ask of the store there: one asks for all of them. Where it is refused, so are those that wait
 * behind it; where it is admitted, the next ones ask, twice as many each time, so that free places are taken within a few calls.
 */
export class LimitLines {
  readonly #lines = new Map<string, LimitLine>();
  readonly #refused = new Map<string, RememberedRefusal>();

  /** The last refusal at a limit, while it still holds. @param now milliseconds since the epoch */
  look(scope: string, promptTokens: number, now: number): Refusal | undefined {
    return heldRefusal(this.#refused.get(scope), promptTokens, now);
  }

  /** The line at which an order waits; undefined where none of its limits was reached lately. */
  of({ claims, ofToken }: Pick<TakeOrder, 'claims' | 'ofToken'>): { readonly line: LimitLine; readonly claim: LimitClaim } | undefined {
    if (this.#lines.size === 0) return undefined;
    for (const list of [claims, ofToken]) {
      for (const claim of list) {
        const line = this.#lines.get(claim.scope);
        if (line !== undefined) return { line, claim };
      }
    }
    return undefined;
  }

  /** A request was refused at a limit. @param now milliseconds since the epoch */
  reached(claim: LimitClaim, refusal: Refusal, now: number): void {
    const { scope } = claim;
    let line = this.#lines.get(scope);
    if (line === undefined) this.#lines.set(scope, line = new LimitLine(scope));
    line.keptUntil = Math.max(line.keptUntil, refusal.retryAt + keptMs);
    if (this.#refused.size >= mostRemembered) this.#refused.clear();
    this.#refused.set(scope, remembered(claim, refusal, now));
  }

  /** Something of a limit was taken or given back: it is worth another look. */
  moved(scope: string): void {
    this.#refused.delete(scope);
  }

  /** Drops lines where no request waits. @param now milliseconds since the epoch */
  forget(now: number): void {
    for (const [scope, line] of this.#lines) if (line.isIdle && (line.isOpen || now >= line.keptUntil || line.keptUntil - now > longestMs)) this.#lines.delete(scope);
  }
}
