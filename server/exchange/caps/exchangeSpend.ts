import type { CapScope } from '../../api/settings.ts';
import type { CapConfig, RouteConfig } from '../../config/config.ts';
import type { Allowance, SpendLeft, SpendTerms } from '../../routing/caps/allowance.ts';
import { digestOf, namedConversation } from '../conversation/conversationId.ts';
import type { ExchangeInput } from '../request.ts';
import type { ExchangeServices } from '../services.ts';
import { askedQuestion } from './question.ts';

type SpendServices = Pick<ExchangeServices, 'spending'> & { readonly clock: Pick<ExchangeServices['clock'], 'now'> };

/** The money that the attempts of one exchange may cost. Whose it is is found out with the first plan, while the body is there. */
export class ExchangeSpend {
  readonly #services: SpendServices;
  readonly #input: ExchangeInput;
  readonly #conversation: () => string;
  #terms: SpendTerms | undefined;

  constructor(services: SpendServices, input: ExchangeInput, conversation: () => string) {
    this.#services = services;
    this.#input = input;
    this.#conversation = conversation;
  }

  /** What holds since the first plan under caps; undefined: nothing does. */
  get terms(): SpendTerms | undefined {
    return this.#terms;
  }

  /** What is left at this moment. @param budgets there are some */
  left(ofAll: CapConfig | undefined, route: RouteConfig | undefined, budgets: boolean): SpendLeft {
    // Whoever looks again found nothing to try: a peer may have allowed more.
    const fresh = this.#terms !== undefined;
    const terms = this.#terms ??= this.#made(ofAll, route, budgets);
    const { spending } = this.#services;
    return { ...terms, left: spending.allowances.left(terms.allowances, fresh), isPriced: spending.pricesReady() === undefined };
  }

  #made(ofAll: CapConfig | undefined, route: RouteConfig | undefined, budgets: boolean): SpendTerms {
    const owners = new Map<CapScope, string>();
    // A shadow has a cap of its own, and what it spends is in budgets.
    const capped = this.#input.shadow === undefined;
    const allowances: Allowance[] = !capped ? [] : [...this.#allowances(ofAll, undefined, owners), ...this.#allowances(route?.caps, route?.name, owners)];
    if (budgets) allowances.push(...this.#services.spending.budgets?.of({ input: this.#input, route: route?.name, conversation: this.#conversation }) ?? []);
    return { allowances, needsPrice: allowances.some(({ budget }) => budget === undefined) && (route?.caps?.unpriced ?? ofAll?.unpriced ?? 'pass-over') === 'pass-over' };
  }

  #allowances(caps: CapConfig | undefined, route: string | undefined, owners: Map<CapScope, string>): Allowance[] {
    if (caps === undefined) return [];
    return caps.limits.map(({ scope, microUsd }) => {
      let owner = owners.get(scope);
      if (owner === undefined) owners.set(scope, owner = this.#ownerOf(scope));
      // No route has an empty name.
      return { key: `${scope}/${route ?? ''}/${owner}`, scope, route, limitMicroUsd: microUsd, whenReached: caps.whenReached, ...(scope === 'request' ? { ofProcess: true } : {}) };
    });
  }

  #ownerOf(scope: CapScope): string {
    switch (scope) {
      case 'request': return this.#input.id;
      case 'turn': return this.#turn();
      case 'conversation': return this.#conversation();
      case 'session': return this.#session();
    }
  }

  /** What an agent of the caller's does belongs to the turn of the conversation that started it. */
  #turn(): string {
    const { allowances } = this.#services.spending;
    const { agent, caller: { tool } } = this.#input;
    const session = this.#sessionId();
    if (session !== undefined && (agent !== undefined || session !== this.#input.caller.conversation)) {
      const parent = digestOf('given', tool, session, '');
      const turn = allowances.turn(parent, undefined, undefined);
      if (turn !== '') return digestOf('turn', parent, turn);
    }
    const { digest, begins } = askedQuestion(this.#input);
    const conversation = this.#conversation();
    return digestOf('turn', conversation, allowances.turn(conversation, digest, begins));
  }

  /** The caller's session: the one it names, a window of the editor, else what a tool asks without a long pause. */
  #session(): string {
    const { spending, clock } = this.#services;
    const { inbound, caller: { tool, workspace } } = this.#input;
    if (inbound === 'lsp') return digestOf('window', spending.window);
    const named = this.#sessionId() ?? namedConversation(this.#input);
    if (named !== undefined) return digestOf('session', tool, named);
    const unnamed = digestOf('sessions', tool, workspace ?? '');
    return digestOf('session', unnamed, spending.allowances.session(unnamed, clock.now()));
  }

  /** The id that the caller gave; OpenCode gives those of its agents one of their own, beside that of the session that started them. */
  #sessionId(): string | undefined {
    const parent = this.#input.headers?.['x-parent-session-id'];
    return typeof parent === 'string' && parent !== '' ? parent : this.#input.caller.conversation;
  }
}
