import type { Attempt, Plan, PlannedTarget, Receipt } from '../api/receipt.ts';
import { keptTitle } from './conversation/keptTitle.ts';
import { usedFeatures } from './conversation/usedFeatures.ts';
import { roundMs } from './attempt/timers.ts';
import type { UnpricedAttempt } from './events.ts';
import type { ExchangeInput } from './request.ts';
import { redactCaller } from './redactFailure.ts';
import type { ExchangeServices } from './services.ts';

/** The receipt of an exchange while it is written, with what its attempts are priced by. No text in it holds a known secret. */
export class ReceiptDraft {
  readonly receipt: Receipt;
  readonly #services: Pick<ExchangeServices, 'redact' | 'config'>;
  /** The attempts of the receipt, in the same order. */
  #ended: readonly UnpricedAttempt[] = [];
  readonly #startedAtMs = performance.now();

  /** @param startedAt milliseconds since the epoch */
  constructor(input: ExchangeInput, services: Pick<ExchangeServices, 'redact' | 'config'>, startedAt: number) {
    this.#services = services;
    const { id, inbound, protocol, stream, caller, requestedModel, shadow } = input;
    this.receipt = {
      id, inbound, protocol, stream, caller: redactCaller(caller, services), startedAt, totalMs: 0,
      outcome: 'open', features: usedFeatures(input), plan: { requestedModel, kind: 'model', strategy: 'none', targets: [], excluded: [] },
      attempts: [], usage: {}, cost: { certainty: 'unknown' },
    };
    if (shadow !== undefined) this.receipt.shadow = shadow;
    if (services.config().keepTitles === true) {
      const title = keptTitle(input, services);
      if (title !== undefined) this.receipt.title = title;
    }
  }

  /** When the exchange began, by the monotonic clock. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  /** The attempts that ended, numbered 1..n, with what each is priced by. */
  get ended(): readonly UnpricedAttempt[] {
    return this.#ended;
  }

  /** Since the exchange began, in milliseconds. */
  elapsedMs(): number {
    return roundMs(performance.now() - this.#startedAtMs);
  }

  /** The receipt so far. @param running records of the attempts that still run */
  progress(running: readonly Attempt[]): Receipt {
    const { receipt } = this;
    const attempts = running.length === 0 ? receipt.attempts : [...receipt.attempts, ...running].sort((a, b) => a.number - b.number);
    return { ...receipt, attempts, totalMs: this.elapsedMs() };
  }

  /** The exchange belongs to a trace. @param trace 32 hex digits */
  traced(trace: string): void {
    this.receipt.plan = { ...this.receipt.plan, trace };
  }

  /** Takes the first plan over. What the request was taken for is its purpose, where its caller said none. */
  planned(plan: Plan): void {
    const { receipt } = this;
    const { trace } = receipt.plan;
    receipt.plan = trace === undefined ? plan : { ...plan, trace };
    if (plan.purpose !== undefined && receipt.caller.purpose === undefined) receipt.caller = { ...receipt.caller, purpose: plan.purpose.role };
  }

  /** Adds what a later look leaves out. The first plan and its reasons stay: the later look must not hide them. */
  addExcluded({ excluded }: Plan): void {
    const { plan } = this.receipt;
    const more = excluded.filter(later => !plan.excluded.some(first => first.target === later.target));
    this.receipt.plan = { ...plan, excluded: [...plan.excluded, ...more] };
  }

  /** Says why a target was left out, where the plan does not say it yet. */
  exclude({ target }: PlannedTarget, reason: string): void {
    const { excluded } = this.receipt.plan;
    if (!excluded.some(one => one.target === target)) excluded.push({ target, reason });
  }

  /** An attempt ended; of two that ran at once the second may end first. */
  addAttempt(attempt: UnpricedAttempt): void {
    this.#ended = [...this.#ended, attempt].sort((a, b) => a.record.number - b.record.number);
    this.receipt.attempts = this.#ended.map(({ record }) => record);
  }

  close(outcome: Receipt['outcome'], failureClass: Receipt['failureClass'], message: string | undefined): void {
    const { receipt } = this;
    receipt.totalMs = this.elapsedMs();
    receipt.outcome = outcome;
    receipt.failureClass = failureClass;
    receipt.message = message === undefined ? undefined : this.#services.redact(message);
  }
}
