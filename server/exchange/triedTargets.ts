import type { PlannedTarget } from '../api/receipt.ts';
import type { WaybillError } from '../base/failure.ts';
import type { PlanResult, UnfitTarget } from '../routing/plan.ts';
import { wasCutShort } from './attempt/outcome.ts';
import { isAboutKey, nextStep, retryableWhenNothingElse, worthWaitingFor, type FailoverStep } from './failover.ts';
import type { RunningAttempt } from './attempt/runningAttempt.ts';

const none: ReadonlySet<string> = new Set();

/** What an exchange has learnt of its targets and keys by trying them. */
export class TriedTargets {
  /** By target. */
  readonly lastFailure = new Map<string, WaybillError>();
  /** Targets that turned out to be unable to serve such a request at all. */
  readonly unfit: UnfitTarget[] = [];
  #keys = new Map<string, Set<string>>();
  #retried = new Set<string>();
  #stripped = new Set<string>();
  /** Targets that were given up sooner than their full timers say, because others were left then. */
  #cutShort = new Set<string>();

  /** Ids of keys of an endpoint that are used up for this exchange. */
  keysOf(endpoint: string): ReadonlySet<string> {
    return this.#keys.get(endpoint) ?? none;
  }

  /** Keys that rested have had their pause. */
  forgetKeys(): void {
    this.#keys.clear();
  }

  /** Whether a target is to be sent no reasoning that another provider made. */
  isStripped(target: PlannedTarget): boolean {
    return this.#stripped.has(target.target);
  }

  /** An attempt failed, seen or unseen. */
  failed(attempt: RunningAttempt, error: WaybillError): void {
    const { target } = attempt.origin;
    this.lastFailure.set(target.target, error);
    if (wasCutShort(attempt, error)) this.#cutShort.add(target.target);
  }

  /** No target but those whose window is larger can serve the prompt. */
  tooLongFor(target: PlannedTarget): void {
    this.unfit.push({ target: target.target, tooLong: true });
  }

  cannotServe(target: PlannedTarget): void {
    this.unfit.push({ target: target.target, tooLong: false });
  }

  isUnfit(target: PlannedTarget): boolean {
    return this.unfit.some(one => one.target === target.target);
  }

  /**
   * What follows from a failure that nobody saw; takes note of it.
   * @param anotherKey whether a key is usable that is not among those given
   */
  stepAfter({ origin }: RunningAttempt, error: WaybillError, anotherTarget: boolean, anotherKey: (tried: ReadonlySet<string>) => boolean): FailoverStep {
    const { endpoint, target, key } = origin;
    const tried = this.#keys.get(endpoint.name) ?? new Set<string>();
    if (key !== undefined && isAboutKey(error.failureClass)) tried.add(key.id);
    this.#keys.set(endpoint.name, tried);
    const step = nextStep({
      failureClass: error.failureClass, code: error.code, anotherTarget,
      anotherKey: key !== undefined && anotherKey(tried),
      sharedLimits: endpoint.provider.sharedLimits === true,
      stripped: this.#stripped.has(target.target),
    });
    if (step === 'resend-without-reasoning') this.#stripped.add(target.target);
    return step;
  }

  /** The first target that is worth one more try now that nothing else is left. @param patienceLeftMs how long the caller still waits */
  worthAnotherTry(targets: readonly PlannedTarget[], patienceLeftMs: number): PlannedTarget | undefined {
    return targets.find(({ target }) => {
      const failure = this.lastFailure.get(target);
      if (failure === undefined || this.#retried.has(target) || (failure.retryAfterMs ?? 0) > patienceLeftMs) return false;
      return retryableWhenNothingElse(failure.failureClass, failure.code) || (failure.failureClass === 'timeout' && this.#cutShort.has(target));
    });
  }

  /** The one more try is made. */
  retried(target: PlannedTarget): void {
    this.#retried.add(target.target);
  }

  worthWaiting(target: PlannedTarget): boolean {
    if (this.isUnfit(target)) return false;
    const failure = this.lastFailure.get(target.target);
    return failure === undefined || worthWaitingFor(failure.failureClass);
  }

  /** Targets that rest and were not asked yet. */
  untried(coolingDown: PlanResult['coolingDown']): PlannedTarget[] {
    return coolingDown.map(cooldown => cooldown.target).filter(target => !this.lastFailure.has(target.target) && !this.isUnfit(target));
  }
}
