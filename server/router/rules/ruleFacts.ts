import { conditionText } from '../../api/condition.ts';
import type { Cost } from '../../api/receipt.ts';
import type { Config } from '../../config/config.ts';
import type { Described, RulesKnowledge } from '../../config/language/knowledge.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import type { ResolvedTarget, RouteTable } from '../../routing/routeTable.ts';
import type { Conditions } from '../status/conditions.ts';

export interface RuleFactsOptions {
  /** Of the file that is edited. */
  table: RouteTable;
  /** The configuration in use. */
  used: Config;
  conditions: Pick<Conditions, 'ofTarget' | 'ofEndpoint'>;
  pricer: Pick<Pricer, 'priceAttempt'>;
  /** Milliseconds since the epoch. */
  now: number;
}

/** So many targets of a route, or places of a model, are listed. */
const mostListed = 12;

/** What a person who writes rules wants to know of the things in them: price, context window, health of now. */
export class RuleFacts implements RulesKnowledge {
  readonly #options: RuleFactsOptions;

  constructor(options: RuleFactsOptions) {
    this.#options = options;
  }

  endpoints(): readonly string[] {
    return [...this.#options.used.endpoints.keys()];
  }

  modelsAt(endpoint: string): readonly string[] {
    return this.#options.table.modelsOf(endpoint);
  }

  target(endpoint: string, model: string): Described | undefined {
    const target = this.#options.table.namedTarget(endpoint, model);
    if (target === undefined) return undefined;
    const { upstreamModel, facts: { contextWindow, maxOutputTokens, tools, images, thinking } } = target;
    const answer = maxOutputTokens === undefined ? '' : `; an answer has at most ${count(maxOutputTokens)}`;
    const can = [tools === false ? 'no tools' : tools === true ? 'tools' : '', images === true ? 'images' : images === false ? 'no images' : '', thinking === true ? 'thinking' : ''].filter(word => word !== '');
    return [
      `Health now: ${this.#health(target)}.`,
      `Price: ${this.#price(target)}.`,
      `Context window: ${contextWindow === undefined ? 'not known' : `${count(contextWindow)} tokens`}${answer}.`,
      ...(can.length === 0 ? [] : [`It has ${can.join(', ')}.`]),
      ...(upstreamModel === model ? [] : [`Its provider calls it \`${upstreamModel}\`.`]),
    ];
  }

  endpoint(name: string): Described | undefined {
    const { table, used, conditions, now } = this.#options;
    const endpoint = table.config.endpoints.get(name);
    if (endpoint === undefined) return undefined;
    const inUse = used.endpoints.get(name);
    const models = table.modelsOf(name).length;
    return [
      `Health now: ${inUse?.baseUrl === endpoint.baseUrl ? conditionText(conditions.ofEndpoint(inUse), now) : notUsed}.`,
      `Provider: ${endpoint.provider.name}, at \`${addressOf(endpoint.baseUrl)}\`.`,
      `${models === 0 ? 'No model is known there yet' : `${count(models)} models are known there`}.`,
    ];
  }

  route(name: string): Described | undefined {
    const route = this.#options.table.config.routes.get(name);
    if (route === undefined) return undefined;
    const targets = this.#options.table.targetsOfRoute(name) ?? [];
    return [`Strategy: ${route.strategy}. Targets now:`, listed(targets.map(target => `- \`${target.name}\`: ${target.endpoint === undefined ? 'no such endpoint' : `${this.#health(target)}, ${this.#price(target)}`}`))];
  }

  model(name: string): Described {
    const targets = this.#options.table.targetsOfName(name);
    if (targets.length === 0) return ['No endpoint is known to serve it.'];
    return ['Served by:', listed(targets.map(target => `- \`${target.name}\`: ${this.#health(target)}, ${this.#price(target)}`))];
  }

  /** Health is of the endpoint in use; one that the file changes has none yet. */
  #health({ endpoint, model }: ResolvedTarget): string {
    const { used, conditions, now } = this.#options;
    return used.endpoints.get(endpoint.name)?.baseUrl === endpoint.baseUrl ? conditionText(conditions.ofTarget(endpoint.name, model), now) : notUsed;
  }

  #price({ price }: ResolvedTarget): string {
    return priceText(this.#options.pricer.priceAttempt({ ...price, usage: { inputTokens: 1000, outputTokens: 1000 }, usageEstimated: false, at: this.#options.now }));
  }
}

const notUsed = 'not in use yet';

/** `$2 in, $8 out, $0.5 cached in for a million tokens (provider list, 2026-11)`. */
function priceText({ priceUsed, priceSource, priceAsOf, microUsd, unpriced }: Cost): string {
  const source = [priceSource, priceAsOf].filter(part => part !== undefined).join(', ');
  const from = source === '' ? '' : ` (${source})`;
  if (unpriced !== undefined) return `not known for certain${from}`;
  if (priceUsed === undefined) return microUsd === 0 ? `nothing${from}` : 'not known';
  const { inputPerMTok, outputPerMTok, cacheReadPerMTok } = priceUsed;
  return `$${inputPerMTok} in, $${outputPerMTok} out${cacheReadPerMTok === undefined ? '' : `, $${cacheReadPerMTok} cached in`} for a million tokens${from}`;
}

function listed(lines: readonly string[]): string {
  return [...lines.slice(0, mostListed), ...(lines.length > mostListed ? [`- and ${lines.length - mostListed} more`] : [])].join('\n');
}

/** Without user names, passwords and queries, which may hold secrets. */
function addressOf(baseUrl: string): string {
  try {
    const { origin, pathname } = new URL(baseUrl);
    return `${origin}${pathname === '/' ? '' : pathname}`;
  } catch {
    return 'its address';
  }
}

function count(tokens: number): string {
  return tokens.toLocaleString('en-US');
}

