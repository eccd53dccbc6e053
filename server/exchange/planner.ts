import type { PlannedTarget, RequestKind } from '../api/receipt.ts';
import { WaybillError } from '../base/failure.ts';
import type { SpendTerms } from '../routing/caps/allowance.ts';
import { writableTokens, type KeptAway, type PlanResult, type RoutingRequest } from '../routing/plan.ts';
import { ExchangeRoutingRequest } from './conversation/routingRequest.ts';
import { ignoredHeaders } from './purpose/ignoredHeaders.ts';
import type { FailureOfExchange, Look } from './machine/exchangeState.ts';
import type { ReceiptDraft } from './receiptDraft.ts';
import type { ExchangeInput } from './request.ts';
import type { RunningExchange } from './runningExchange.ts';
import type { ExchangeServices } from './services.ts';

/** Plans the targets of one exchange, at its start and each time it looks again, and keeps the receipt's plan. */
export class ExchangePlanner {
  readonly #services: ExchangeServices;
  readonly #input: ExchangeInput;
  readonly #draft: ReceiptDraft;
  readonly #exchange: RunningExchange;
  readonly #request: ExchangeRoutingRequest;

  /** @param kind what kind of work the request is */
  constructor(services: ExchangeServices, input: ExchangeInput, kind: RequestKind, draft: ReceiptDraft, exchange: RunningExchange) {
    this.#services = services;
    this.#input = input;
    this.#request = new ExchangeRoutingRequest(input, kind, services);
    this.#draft = draft;
    this.#exchange = exchange;
  }

  /** The request as routes go by it. */
  get request(): RoutingRequest {
    return this.#request;
  }

  /** What the attempts may cost, since the first plan; undefined: nothing caps them. */
  get spendTerms(): SpendTerms | undefined {
    return this.#request.spendTerms;
  }

  /** A name that holds a secret is looked up nowhere and shown redacted. @returns the error for the caller; undefined for other names */
  refusedName(): FailureOfExchange | undefined {
    if (!this.#services.holds(this.#input.requestedModel)) return undefined;
    const { plan } = this.#draft.receipt;
    plan.requestedModel = this.#services.redact(plan.requestedModel);
    return { error: new WaybillError('key-as-name', 'bad-request', 'The name of the model has a key in it, so nothing was sent; check the settings of the tool.', { status: 400 }) };
  }

  /** The conversation that the request belongs to, where an endpoint chooses among its keys by it; to be read beside the first plan, while the body is there. */
  get conversation(): string | undefined {
    return this.#services.routeTable().rotatesKeys ? this.#request.conversation : undefined;
  }

  /** Makes the plan. @param keepsPlan the receipt keeps its plan, and learns of more targets left out */
  plan(keepsPlan: boolean): PlanResult {
    const { requirements, requestedModel } = this.#input;
    const { planned } = this.#services.events;
    const view = this.#services.view(requirements.estimatedInputTokens, writableTokens(requirements));
    const result = this.#services.makePlan(this.#request, view);
    // A name that nothing has may be anything, even a key that went into the wrong field.
    const isKnown = result.plan.targets.length + result.plan.excluded.length > 0;
    const plan = isKnown ? result.plan : { ...result.plan, requestedModel: this.#services.redact(requestedModel) };
    // With them, a dry run applies other rules to the request later. The record shares the object, and adds none.
    plan.requirements = requirements;
    const ignored = ignoredHeaders(this.#input.headers);
    if (ignored !== undefined) plan.ignored = ignored;
    if (keepsPlan) this.#draft.addExcluded(plan);
    else this.#draft.planned(plan);
    if (planned.hasListeners) planned.emit({ exchange: this.#exchange, plan, route: plan.route });
    return result;
  }

  /** Looks at all targets once more. */
  look(keepsPlan: boolean): Look {
    const now = this.#services.clock.now();
    const atMs = performance.now();
    const { plan, coolingDown, unfit, capped } = this.plan(keepsPlan);
    return { targets: plan.targets, coolingDown, unfit, capped, now, atMs };
  }

  /**
   * Of targets that are all kept away, the one most likely to answer all the same: one that no provider said anything
   * against, else the one that is available soonest.
   * @param candidates soonest first
   * @param now milliseconds since the epoch
   */
  best(candidates: readonly KeptAway[], now: number): PlannedTarget | undefined {
    const targets = candidates.map(({ target }) => target);
    const best = this.#services.healthRegistry.bestUnavailable(targets, now);
    return targets.find(one => one.endpoint === best?.endpoint && one.model === best.model) ?? targets[0];
  }
}
