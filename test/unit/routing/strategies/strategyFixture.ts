import type { StrategyName } from '../../../../server/api/settings.ts';
import type { RoutingRequest } from '../../../../server/routing/plan.ts';
import type { Signals } from '../../../../server/routing/signals.ts';
import { strategies } from '../../../../server/routing/strategies/strategies.ts';
import type { Choice } from '../../../../server/routing/strategies/strategy.ts';
import { Turns } from '../../../../server/routing/turns.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { ask, FakeRoutingView } from '../routingFixture.ts';

/** Choices of a route, each a target `NAME/m`, with their weights. */
export function choicesOf(weights: Readonly<Record<string, number>>): Choice[] {
  const view = new FakeRoutingView(Object.fromEntries(Object.keys(weights).map(name => [name, { models: ['m'] }])));
  return Object.entries(weights).map(([name, weight]) => ({ name, weight, first: view.table.target(name, 'm') ?? fail(name) }));
}

/** A strategy of one route with the state of a server that has just started; nothing is measured but what a test gives. */
export class StrategyUnderTest {
  readonly #name: StrategyName;
  readonly #signals: Signals;
  readonly #random: () => number;

  constructor(name: StrategyName, seed: number, signals: Partial<Signals> = {}) {
    this.#name = name;
    this.#random = seededRandom(seed);
    const turns = new Turns(this.#random);
    this.#signals = { ...new FakeRoutingView({}).signals, turn: (route, request) => turns.of(route, request), ...signals };
  }

  /** @param changed what differs from a request of the editor's chat */
  order(choices: readonly Choice[], changed: Partial<RoutingRequest> = {}): readonly Choice[] {
    return strategies[this.#name](choices, { route: 'r', request: { ...ask('r'), ...changed }, signals: this.#signals, random: this.#random }).order;
  }

  first(choices: readonly Choice[], changed: Partial<RoutingRequest> = {}): string {
    return this.order(choices, changed)[0]?.name ?? fail('no choice');
  }
}

function fail(what: string): never {
  throw new Error(what);
}
