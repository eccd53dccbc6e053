import type { Requirements } from '../../api/routes/requirements.ts';
import type { Purpose } from '../../api/purpose.ts';
import type { Caller, RequestKind } from '../../api/receipt.ts';
import type { CapConfig, RouteConfig } from '../../config/config.ts';
import type { SpendLeft, SpendTerms } from '../../routing/caps/allowance.ts';
import type { RoutingRequest } from '../../routing/plan.ts';
import { ExchangeSpend } from '../caps/exchangeSpend.ts';
import { purposeOf, type PurposeServices } from '../purpose/purposeOf.ts';
import type { ExchangeInput } from '../request.ts';
import type { ExchangeServices } from '../services.ts';
import { conversationId } from './conversationId.ts';

type RequestServices = PurposeServices & Partial<Pick<ExchangeServices, 'spending'>>;

/** The request of an exchange, as routes go by it. What costs time to find out is found out when it is first asked for. */
export class ExchangeRoutingRequest implements RoutingRequest {
  readonly requestedModel: string;
  readonly requirements: Requirements;
  readonly caller: Caller;
  readonly kind: RequestKind;
  readonly stream: boolean;
  readonly ownBudget: boolean | undefined;
  readonly #input: ExchangeInput;
  readonly #services: RequestServices | undefined;
  #conversation: string | undefined;
  #purpose: Purpose | undefined;
  #spend: ExchangeSpend | undefined;

  /** @param services absent: what it is for is not found out, and nothing caps what it costs */
  constructor(input: ExchangeInput, kind: RequestKind, services?: RequestServices) {
    this.requestedModel = input.requestedModel;
    this.requirements = input.requirements;
    this.caller = input.caller;
    this.kind = kind;
    this.stream = input.stream;
    this.ownBudget = input.ownBudget;
    this.#input = input;
    this.#services = services;
  }

  get allowedModels(): readonly string[] | undefined {
    return this.#input.allowedModels;
  }

  get conversation(): string {
    return this.#conversation ??= conversationId(this.#input);
  }

  get purpose(): Purpose | undefined {
    return this.#purpose ??= this.#services === undefined ? undefined : purposeOf(this.#input, this, this.#services);
  }

  /** What its attempts may cost, since a plan asked; undefined: nothing caps it. */
  get spendTerms(): SpendTerms | undefined {
    return this.#spend?.terms;
  }

  spend(ofAll: CapConfig | undefined, route: RouteConfig | undefined, budgets: boolean): SpendLeft | undefined {
    const { clock, spending } = this.#services ?? {};
    // A shadow has a cap of its own, and what it spends is in budgets.
    if (clock === undefined || spending === undefined || (this.#input.shadow !== undefined && !budgets)) return undefined;
    this.#spend ??= new ExchangeSpend({ clock, spending }, this.#input, () => this.conversation);
    return this.#spend.left(ofAll, route, budgets);
  }
}
