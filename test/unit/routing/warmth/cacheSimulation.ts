import assert from 'node:assert/strict';
import type { TokenUsage } from '../../../../server/api/conversation.ts';
import type { Plan } from '../../../../server/api/receipt.ts';
import type { Random } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { createHealthRegistry } from '../../../../server/health/registry.ts';
import { ModelDirectory } from '../../../../server/models/modelDirectory.ts';
import { ExpectedUsage } from '../../../../server/pricing/expectedUsage.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { createSignals } from '../../../../server/router/signals.ts';
import { makePlan } from '../../../../server/routing/makePlan.ts';
import type { RoutingRequest, RoutingView } from '../../../../server/routing/plan.ts';
import { RouteTable, type ResolvedTarget } from '../../../../server/routing/routeTable.ts';
import { Turns } from '../../../../server/routing/turns.ts';
import { WarmCaches, type Answered } from '../../../../server/routing/warmth/warmCaches.ts';
import { createAdaptiveTimeouts } from '../../../../server/timeouts/adaptiveTimeouts.ts';
import { FirstTokenAverages } from '../../../../server/timeouts/firstTokenAverages.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { ask, plainRequirements } from '../routingFixture.ts';
import { sessions, type SessionTurn } from './sessions.ts';

/** `aware`: as the server plans. `blind`: each request as its route proposes. `never`: the first target of a conversation, whatever is proposed, unless it is out. */
export const policies = ['aware', 'blind', 'never'] as const;
export type Policy = (typeof policies)[number];

const claude = (inputPerMTok: number, outputPerMTok: number): unknown => ({
  provider: 'anthropic-compatible', baseUrl: 'https://one.example.com/v1',
  models: { 'claude-x': { prices: { inputPerMTok, outputPerMTok, cacheReadPerMTok: inputPerMTok / 10, cacheWritePerMTok: inputPerMTok * 1.25 } } },
});
/** Prices in US dollars for a million tokens: what is read from a cache costs a tenth, what is written to it a quarter more. */
const endpoints = { small: claude(1, 5), middle: claude(3, 15), large: claude(5, 25), east: claude(3, 15), west: claude(3, 15), reader: claude(3, 20), writer: claude(3.6, 8) };

/** The routes that are tried, each with what it shows. */
export const scenarios = {
  kinds: 'kinds of work: small for low cost, middle, large for high quality (`byKind`)',
  saving: 'the same kinds of work, and a higher kind has to pay, too (`higherKinds: when-it-pays`)',
  regions: 'two regions of one model in turn (`round-robin`)',
  prices: 'cheap prompts or cheap answers (`cheapest`)',
  outages: 'a first choice that is out for some minutes now and then (`priority`)',
} as const;
export type Scenario = keyof typeof scenarios;

const routes = {
  kinds: { targets: ['middle/claude-x'], byKind: { 'low-cost': 'small/claude-x', 'high-quality': 'large/claude-x' } },
  saving: { targets: ['middle/claude-x'], byKind: { 'low-cost': 'small/claude-x', 'high-quality': 'large/claude-x' }, warmCache: { higherKinds: 'when-it-pays' } },
  regions: { strategy: 'round-robin', targets: ['east/claude-x', 'west/claude-x'] },
  prices: { strategy: 'cheapest', targets: ['reader/claude-x', 'writer/claude-x'] },
  outages: { targets: ['east/claude-x', 'west/claude-x'] },
} as const;

const pricer = createPricer({ log: silentLog });
await pricer.ready();
const { config, problems } = resolveConfig({ endpoints, routes }, { catalog: { providers, findProvider }, supportedProtocols: ['anthropic-messages'], source: 'settings' });
assert.deepEqual(problems, []);

export const start = Date.UTC(2026, 10, 20, 12);
export const lifetimeMs = 300_000;
/** Of the prompts that should lie in a cache (LiteLLM, "autorouter_prompt_caching_benchmark": 99.3 %). */
export const hitRate = 0.993;
/** What stays the same when a conversation is written anew: instructions and tools. */
const commonTokens = 9000;

export interface Outcome {
  microUsd: number;
  readonly turns: number;
  /** Turns at another target than the one before. */
  readonly switches: number;
  /** What was planned for the last turns. */
  readonly plans: readonly Plan[];
}

/** A router on a virtual clock, with targets that are out now and then. */
export class SimulatedRouter {
  now = start;
  readonly warm = new WarmCaches();
  readonly #scenario: Scenario;
  readonly #policy: Policy;
  readonly #random: Random;
  readonly #expectedUsage = new ExpectedUsage();
  readonly #signals;
  readonly #table: RouteTable;
  readonly #isOut: (endpoint: string, now: number) => boolean;

  constructor(scenario: Scenario, policy: Policy, seed: number, random: Random) {
    this.#scenario = scenario;
    this.#policy = policy;
    this.#random = random;
    const directory = new ModelDirectory(emptyConfig);
    directory.configure(config);
    this.#table = new RouteTable({ config, directory, facts: () => ({}) });
    this.#signals = createSignals({
      healthRegistry: createHealthRegistry({ random: () => 0.5, startedAt: start }), timers: createAdaptiveTimeouts(), pricer, clock: { now: () => this.now }, turns: new Turns(random), firstTokens: new FirstTokenAverages(),
      expectedUsage: this.#expectedUsage,
    });
    this.#isOut = outagesOf(scenario, seed);
  }

  /** @param home the target that serves while nothing is to be switched; undefined: none yet */
  plan(request: Pick<RoutingRequest, 'conversation' | 'purpose'> & { estimatedTokens: number }, home: string | undefined): { plan: Plan; chosen: ResolvedTarget } {
    const view: RoutingView = {
      table: this.#table, now: this.now, signals: this.#signals, random: this.#random, paused: () => undefined, keysBlocked: () => undefined, warm: this.#policy === 'aware' ? this.warm : undefined,
      admission: endpoint => (this.#isOut(endpoint, this.now) ? { admitted: false, reason: 'it is out', retryAt: this.now + 60_000 } : { admitted: true, trial: false }),
    };
    const { estimatedTokens, conversation, purpose } = request;
    const { plan, targets } = makePlan({ ...ask(this.#scenario, { ...plainRequirements, estimatedInputTokens: estimatedTokens }), conversation, purpose }, view);
    const chosen = (this.#policy === 'never' ? targets.find(target => target.name === home) : undefined) ?? targets[0] ?? assert.fail('no target');
    return { plan, chosen };
  }

  /** @returns what the provider charges, in millionths of a US dollar */
  charge(chosen: ResolvedTarget, usage: TokenUsage): number {
    this.#expectedUsage.observe({ tool: 'vscode-chat', kind: 'normal', target: chosen.name, model: chosen.model }, usage);
    return pricer.priceAttempt({ ...chosen.price, usage, usageEstimated: false, at: this.now }).microUsd ?? assert.fail('no price');
  }

  answered(chosen: ResolvedTarget, plan: Plan, answer: Pick<Answered, 'conversation' | 'startedAt' | 'usage' | 'estimatedTokens' | 'kind'>): void {
    this.warm.answered({ ...answer, target: chosen.name, provider: chosen.endpoint.provider.id, upstreamModel: chosen.upstreamModel, led: true, forced: plan.cache?.forced === true });
  }
}

/** Plays one session on a virtual clock against providers that keep a prompt for five minutes after its last use, and sums what they charge. */
export function play(name: string, scenario: Scenario, policy: Policy, seed: number): Outcome {
  const random = seededRandom(seed);
  const chance = seededRandom(seed + 1000);
  const router = new SimulatedRouter(scenario, policy, seed, random);
  const caches = new Map<string, { tokens: number; at: number }>();
  const plans: Plan[] = [];
  let microUsd = 0;
  let before: { target: string; turn: SessionTurn } | undefined;
  let home: string | undefined;
  let switches = 0;
  const turns = sessions.get(name) ?? assert.fail(name);
  for (const turn of turns) {
    router.now += turn.gap * 1000 * (0.8 + 0.4 * random());
    const estimatedTokens = Math.round(turn.prompt * 0.8);
    const { plan, chosen } = router.plan({ conversation: name, estimatedTokens, purpose: { role: 'main', kind: turn.kind, why: 'the trace says so' } }, home);
    home ??= chosen.name;
    const isRewritten = before !== undefined && turn.prompt < before.turn.prompt / 2;
    if (isRewritten) for (const cache of caches.values()) cache.tokens = Math.min(cache.tokens, commonTokens);
    const cache = caches.get(chosen.name);
    const isHit = cache !== undefined && router.now - cache.at < lifetimeMs && chance() < hitRate;
    const cacheReadTokens = isHit ? Math.min(cache.tokens, turn.prompt) : 0;
    const usage: TokenUsage = { inputTokens: 0, cacheReadTokens, cacheWriteTokens: turn.prompt - cacheReadTokens, outputTokens: turn.output };
    microUsd += router.charge(chosen, usage);
    caches.set(chosen.name, { tokens: turn.prompt, at: router.now });
    router.answered(chosen, plan, { conversation: name, startedAt: router.now, usage, estimatedTokens, kind: turn.kind });
    if (before !== undefined && before.target !== chosen.name) switches += 1;
    before = { target: chosen.name, turn };
    plans.push(plan);
  }
  return { microUsd, turns: turns.length, switches, plans };
}

/** The first choice is out for one to six minutes, about three times an hour. */
function outagesOf(scenario: Scenario, seed: number): (endpoint: string, now: number) => boolean {
  if (scenario !== 'outages') return () => false;
  const random = seededRandom(seed + 2000);
  const spans: { from: number; to: number }[] = [];
  for (let from = start; from < start + 4 * 3_600_000;) {
    from += -Math.log(1 - random()) * 1_200_000;
    const to = from + 60_000 + random() * 300_000;
    spans.push({ from, to });
    from = to;
  }
  return (endpoint, now) => endpoint === 'east' && spans.some(span => now >= span.from && now < span.to);
}

export interface Totals { readonly microUsd: Readonly<Record<Policy, number>>; readonly switches: Readonly<Record<Policy, number>>; readonly turns: number }

/** Every session, so many times. */
export function totalsOf(scenario: Scenario, runs: number, names: Iterable<string> = sessions.keys()): Totals {
  const microUsd = { aware: 0, blind: 0, never: 0 };
  const switches = { aware: 0, blind: 0, never: 0 };
  let turns = 0;
  for (const name of names) for (let seed = 1; seed <= runs; seed++) for (const policy of policies) {
    const outcome = play(name, scenario, policy, seed);
    microUsd[policy] += outcome.microUsd;
    switches[policy] += outcome.switches;
    if (policy === 'aware') turns += outcome.turns;
  }
  return { microUsd, switches, turns };
}
