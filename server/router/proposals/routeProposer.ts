import type { ProposeRoutesResult } from '../../api/firstRun/proposedRoutes.ts';
import type { Clock } from '../../base/clock.ts';
import { isFastModel, isFastProvider } from '../../catalog/facts/fastModels.ts';
import { knownModelRank, modelFacts } from '../../catalog/modelFacts.ts';
import { canonicalModelName } from '../../catalog/modelNames.ts';
import type { EndpointConfig } from '../../config/config.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import { proposeRoutes } from '../../routing/proposal/proposeRoutes.ts';
import type { ProposableModel } from '../../routing/proposal/proposeRoutes.ts';

/** A request of usual size, by which models are compared. */
const usualUsage = { inputTokens: 6_000, outputTokens: 1_000 };
/** Models of servers on this machine that answer no chat. */
const notForChat = /embed|rerank|whisper|tts|clip/i;

export interface ProposedFrom { endpoint: EndpointConfig; models: readonly string[] }

/** Proposes routes from what the catalog and the price table know of listed models. */
export class RouteProposer {
  readonly #pricer: Pricer;
  readonly #clock: Clock;

  constructor({ pricer, clock }: { pricer: Pricer; clock: Clock }) {
    this.#pricer = pricer;
    this.#clock = clock;
  }

  async propose(endpoints: readonly ProposedFrom[]): Promise<ProposeRoutesResult> {
    await this.#pricer.ready();
    return proposeRoutes(endpoints.flatMap(one => this.#proposable(one)));
  }

  /** The chat models of an endpoint that can use tools; of hosted ones those with a list price of their maker, where any has one. */
  #proposable({ endpoint, models }: ProposedFrom): ProposableModel[] {
    const all = models.map(listedName => ({ listedName, model: canonicalModelName(listedName) })).filter(({ listedName, model }) => !notForChat.test(listedName) && modelFacts(model).tools !== false);
    const current = all.filter(({ model }) => modelFacts(model).pricing !== undefined);
    const local = endpoint.local === true;
    return (local || current.length === 0 ? all : current).map(({ listedName, model }): ProposableModel => ({
      endpoint: endpoint.name, listedName, model, local,
      relay: endpoint.provider.makerPrefix === true, fastHost: isFastProvider(endpoint.provider.id), fastModel: isFastModel(model),
      rank: knownModelRank(model), microUsd: this.#price(endpoint, listedName, model), pricing: local ? undefined : modelFacts(model).pricing,
    }));
  }

  #price(endpoint: EndpointConfig, upstreamModel: string, model: string): number | undefined {
    const { name, provider, billing, models } = endpoint;
    return this.#pricer.priceAttempt({
      usage: usualUsage, usageEstimated: false, model, upstreamModel, endpointName: name, provider, billing, configPrices: models[upstreamModel]?.prices ?? models[model]?.prices, at: this.#clock.now(),
    }).microUsd;
  }
}
