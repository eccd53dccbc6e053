import type { RequestKind } from '../api/receipt.ts';
import { WaybillError } from '../base/failure.ts';
import type { RouteConfig } from '../config/config.ts';
import { acquirePermit, launchAttempt, type LaunchOrder } from './attempt/launch.ts';
import type { AttemptOwner, UpstreamAttempt } from './attempt/attempt.ts';
import type { ExchangeAttempt, ExchangeEvent, ExchangeState } from './machine/exchangeState.ts';
import { pendingOf, runningOf, walkOf } from './machine/machine.ts';
import type { ExchangeInput } from './request.ts';
import type { Resumption } from './resumption.ts';
import type { ExchangeServices } from './services.ts';
import { triedKeysOf } from './machine/triedTargets.ts';

/** The exchange that a launcher works for. */
export interface LaunchOwner extends AttemptOwner {
  /** Where the exchange stands now. */
  readonly state: ExchangeState;
  /** The request of an attempt is built; it is not sent yet. */
  onBuilt(attempt: UpstreamAttempt): void;
  /** The answer to a launch that had to wait for its permit, or another event of the exchange. */
  onEvent(event: ExchangeEvent): void;
  /** A launch that had to wait for its permit failed inside of Waybill. */
  onBroken(cause: unknown): void;
}

/** What all launches of an exchange have in common, once its plan is made. */
export interface LaunchTerms {
  readonly input: ExchangeInput;
  readonly kind: RequestKind;
  readonly route: RouteConfig | undefined;
  /** More than one target could serve such a request, now or later. */
  readonly severalTargets: boolean;
  readonly resumption: Resumption | undefined;
  /** The conversation that the request belongs to; absent where no key is chosen by it. */
  readonly conversation?: string | undefined;
  /** What the caller gets is written down. */
  readonly records: boolean;
  /** What the attempts may cost; undefined: nothing caps them. */
  readonly spend: LaunchOrder['spend'];
}

type Admission = Awaited<ReturnType<typeof acquirePermit>>;

/** Acquires permits for the attempts of one exchange and builds their requests. A permit that is there at once costs no turn of the loop. */
export class AttemptLauncher {
  readonly #services: ExchangeServices;
  readonly #owner: LaunchOwner;
  readonly #terms: LaunchTerms;
  /** The permit that is waited for; undefined also where it is of no use any more. */
  #acquiring: Promise<Admission> | undefined;

  constructor(services: ExchangeServices, owner: LaunchOwner, terms: LaunchTerms) {
    this.#services = services;
    this.#owner = owner;
    this.#terms = terms;
  }

  /** @returns `ready`, `excluded` or `unsendable`; undefined where the permit comes later, and then the owner gets the event */
  acquire(attempt: ExchangeAttempt): ExchangeEvent | undefined {
    const order = this.#order(attempt);
    const admission = acquirePermit(this.#services, order);
    if (!(admission instanceof Promise)) return this.#launch(order, admission);
    this.#acquiring = admission;
    admission.then(late => { this.#answered(admission, late); }, (cause: unknown) => { this.#unanswered(admission, attempt, cause); });
    return undefined;
  }

  /** The permit that is waited for is refunded when it comes. */
  withdraw(): void {
    this.#acquiring = undefined;
  }

  #launch(order: LaunchOrder, admission: Admission): ExchangeEvent {
    if (!admission.admitted) return admission.fatal === undefined ? { type: 'excluded', reason: admission.reason, failure: admission.failure } : { type: 'unsendable', failure: admission.fatal };
    const launch = launchAttempt(this.#services, this.#owner, order, admission);
    switch (launch.kind) {
      case 'excluded': return { type: 'excluded', reason: launch.reason, unfit: launch.unfit };
      case 'fatal': return { type: 'unsendable', failure: launch.failure };
      case 'launched':
        this.#owner.onBuilt(launch.attempt);
        return { type: 'ready' };
    }
  }

  #answered(asked: Promise<Admission>, admission: Admission): void {
    try {
      const attempt = this.#acquiring === asked ? pendingOf(this.#owner.state) : undefined;
      if (attempt === undefined) {
        if (admission.admitted) admission.refund();
        return;
      }
      this.#acquiring = undefined;
      // What ran beside it may have ended meanwhile, so that the attempt has another role now.
      this.#owner.onEvent(this.#launch(this.#order(attempt), admission));
    } catch (cause) {
      this.#owner.onBroken(cause);
    }
  }

  /** Admission failed instead of answering: the target is passed over, so that the turn is not lost where another one can serve. */
  #unanswered(asked: Promise<Admission>, { target }: ExchangeAttempt, cause: unknown): void {
    this.#services.log.error(`The exchange ${this.#terms.input.id} got no answer whether ${target.target} may be tried`, cause);
    if (this.#acquiring !== asked) return;
    this.#acquiring = undefined;
    this.#owner.onEvent({
      type: 'excluded', reason: 'Waybill could not find out whether it may be tried now; its log says more',
      failure: new WaybillError('internal', 'local', 'Waybill could not find out whether the target may be tried.'),
    });
  }

  /** An attempt as it is to be launched now. */
  #order({ number, target, role }: ExchangeAttempt): LaunchOrder {
    const { state } = this.#owner;
    const { tried, queue } = walkOf(state);
    const { input, kind, route, severalTargets, resumption, conversation, records, spend } = this.#terms;
    return {
      input: resumption?.begun === true ? resumption.input(input) : input,
      target, number, role: input.shadow === undefined ? role : 'shadow', kind, route, spend,
      triedKeys: triedKeysOf(tried, target), conversation,
      strip: tried.stripped.has(target.target),
      replaceable: queue.length > 0 || runningOf(state).length > 0,
      // Over HTTP the only target's lifecycle events go straight through: no other target could take over unseen.
      held: anotherKey => severalTargets || input.protocol === 'editor' || resumption !== undefined || anotherKey(),
      rewrite: resumption !== undefined || input.shadow !== undefined,
      records,
    };
  }
}
