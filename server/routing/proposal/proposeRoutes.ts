import type { ProposedRoute, ProposedRouteName, ProposedTarget } from '../../api/firstRun/proposedRoutes.ts';
import { targetName } from '../../api/targetName.ts';

/** A model at an endpoint, with what decides whether it is proposed. */
export interface ProposableModel {
  endpoint: string;
  /** As the provider lists it. */
  listedName: string;
  /** Canonical model name. */
  model: string;
  /** The endpoint is on this machine. */
  local: boolean;
  /** The endpoint passes requests on to many makers' models. */
  relay: boolean;
  /** Every model of the endpoint answers quickly, whatever its size. */
  fastHost: boolean;
  /** Small and quick, as its maker names it. */
  fastModel: boolean;
  /** Where it stands among the known models, the newest of each maker first; absent: it is not known. */
  rank?: number | undefined;
  /** What a request of usual size costs there, in millionths of a US dollar; absent: not known. */
  microUsd?: number | undefined;
  pricing?: string | undefined;
}

/** More targets than these make a route longer and not safer. */
const mostTargets = 4;

type Order = (one: ProposableModel, other: ProposableModel) => number;
const byPrice: Order = (one, other) => (one.microUsd ?? 0) - (other.microUsd ?? 0);
const dearestFirst: Order = (one, other) => byPrice(other, one);
const newestFirst: Order = (one, other) => (one.rank ?? 0) - (other.rank ?? 0);

/** Routes over these models: of each endpoint one model, and relays after the makers. Pure. */
export function proposeRoutes(models: readonly ProposableModel[]): ProposedRoute[] {
  const hosted = models.filter(({ local, rank, microUsd }) => !local && rank !== undefined && (microUsd ?? 0) > 0);
  const fast = hosted.filter(({ fastModel, fastHost }) => fastModel || fastHost);
  return [
    route('best', hosted, dearestFirst, dearestFirst),
    route('fast', fast, newestFirst, (one, other) => Number(other.fastHost) - Number(one.fastHost) || byPrice(one, other)),
    route('cheap', hosted, byPrice, byPrice),
    route('local', models.filter(({ local }) => local), () => 0, () => 0),
  ].filter(({ targets }) => targets.length > 0);
}

/** @param within which model of an endpoint comes first @param among which endpoint does */
function route(name: ProposedRouteName, models: readonly ProposableModel[], within: Order, among: Order): ProposedRoute {
  const byEndpoint = Map.groupBy(models, ({ endpoint }) => endpoint);
  const chosen = [...byEndpoint.values()].flatMap(of => [...of].sort(within).slice(0, 1));
  const makers = chosen.filter(({ relay }) => !relay).sort(among);
  const first = makers[0];
  // A relay that has the first model backs it up with the same one.
  const relays = chosen.filter(({ relay }) => relay).map(one => byEndpoint.get(one.endpoint)?.find(({ model }) => model === first?.model) ?? one).sort(among);
  return { name, targets: [...makers, ...relays].slice(0, mostTargets).map(targetOf) };
}

function targetOf({ endpoint, listedName, pricing }: ProposableModel): ProposedTarget {
  return { target: targetName(endpoint, listedName), ...(pricing === undefined ? {} : { pricing }) };
}
