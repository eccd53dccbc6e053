import type { PlannedTarget, Plan, RequestKind } from '../api/receipt.ts';
import type { HedgeConfig, RouteConfig } from '../config/config.ts';
import { hedgeOf } from '../config/defaults.ts';
import type { ExchangeInput } from './request.ts';
import type { ExchangeServices } from './services.ts';

/** The configuration where no route sets one: inline completions only. */
const withoutRoute = hedgeOf(undefined);

/** Waits for the moment at which a second target is to be asked; see HedgePolicy for when that is allowed. */
export class HedgeTimer {
  #services: ExchangeServices;
  #config: HedgeConfig;
  /** The route whose hedge budget is used. */
  readonly route: string;
  #kind: RequestKind;
  #stream: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(services: ExchangeServices, config: HedgeConfig, route: string, kind: RequestKind, stream: boolean) {
    this.#services = services;
    this.#config = config;
    this.route = route;
    this.#kind = kind;
    this.#stream = stream;
  }

  /** For an exchange that may be hedged; undefined for the many that may not. */
  static of(services: ExchangeServices, input: ExchangeInput, route: RouteConfig | undefined, kind: RequestKind, plan: Plan): HedgeTimer | undefined {
    const config = route?.hedge ?? withoutRoute;
    const inline = input.caller.purpose === 'inline' || input.body.kind === 'completion';
    if (config.when === 'never' || (config.when === 'inline' && !inline) || plan.targets.length < 2) return undefined;
    // The first token of a buffered answer is the whole answer. Only for short answers do the two come at the same time.
    if (!input.stream && !inline) return undefined;
    const name = route?.name ?? plan.requestedModel;
    services.hedges.requested(name);
    return new HedgeTimer(services, config, name, kind, input.stream);
  }

  /** An attempt was sent: `hedge` is called when its answer takes longer to begin than it usually does. */
  arm(target: PlannedTarget, hedge: () => void): void {
    this.stop();
    this.#wait(target, hedge, 0, 0);
  }

  /** Asks the policy when the moment has come. After a no it is asked again later: the longer an attempt takes, the likelier it stalls. */
  #wait(target: PlannedTarget, hedge: () => void, asked: number, waitedMs: number): void {
    const { timers, hedges } = this.#services;
    const { afterMs } = this.#config;
    const dueMs = afterMs ?? timers.hedgeAfterMs(target.endpoint, target.model, this.#kind, { stream: this.#stream, asked });
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => {
      if (hedges.mayHedge(this.route, this.#config, () => this.#services.hedgeSpentToday(this.route), asked)) hedge();
      else if (afterMs === undefined) this.#wait(target, hedge, asked + 1, dueMs);
    }, Math.max(1, dueMs - waitedMs));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
