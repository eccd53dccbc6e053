import type { Requirements } from '../../api/routes/requirements.ts';
import type { ArmOfPlan } from '../../api/canary.ts';
import type { DryRunReport } from '../../api/rules/dryRun.ts';
import type { Purpose } from '../../api/purpose.ts';
import type { Attempt, Caller, Cost, Receipt, RequestKind } from '../../api/receipt.ts';
import { promptTokens } from '../../api/usage.ts';
import type { Random } from '../../base/clock.ts';
import type { NetworkAwareHealthRegistry } from '../../health/healthReader.ts';
import type { ExpectedUsage } from '../../pricing/expectedUsage.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import { makePlan } from '../../routing/makePlan.ts';
import type { RoutingRequest, RoutingView } from '../../routing/plan.ts';
import { resolveName } from '../../routing/resolveName.ts';
import type { ResolvedTarget, RouteTable } from '../../routing/routeTable.ts';
import type { Turns } from '../../routing/turns.ts';
import { firstTokenSampleOf, type FirstTokenAverages } from '../../timeouts/firstTokenAverages.ts';
import { createSignals } from '../signals.ts';
import { DryRunCount } from './dryRunCount.ts';
import { rulesOf } from './rulesOf.ts';

/** What is learnt from the recorded requests while they are gone through. Made in app/rulesParts.ts. */
export interface ReplayParts {
  readonly random: Random;
  readonly healthRegistry: Pick<NetworkAwareHealthRegistry, 'configure' | 'record' | 'admission' | 'health'>;
  readonly firstTokens: FirstTokenAverages;
  readonly expectedUsage: ExpectedUsage;
  readonly turns: Turns;
}

export interface DryRunOptions {
  /** The rules in force; undefined: none are known, so every request is planned anew. */
  before: RouteTable | undefined;
  after: RouteTable;
  parts: ReplayParts;
  pricer: Pick<Pricer, 'priceAttempt'>;
}

/** What a request would have become. */
type Fate = { kind: 'target'; target: ResolvedTarget } | { kind: 'unserved'; why: string };

/**
 * Applies other rules to recorded requests, one after the other in the order in which they began. Each is planned by the
 * planner of the server, with the health that its targets had at that moment: what was recorded of other attempts until then
 * is what it knows. The same requests and rules always give the same report.
 *
 * A request keeps its recorded target and cost where the rules for its name are the same before and after. Targets that
 * failed for the very request are passed over, as they would have been then.
 */
export class DryRun {
  readonly #options: DryRunOptions;
  readonly #count = new DryRunCount();
  readonly #clock = { now: 0 };
  readonly #signals: RoutingView['signals'];
  readonly #touched = new Map<string, boolean>();
  /** Ends of recorded attempts that are not learnt yet, the latest first. */
  readonly #pending: EndedAttempt[] = [];
  /** Ends of requests under way, by endpoint. */
  readonly #running = new Map<string, number[]>();
  readonly #missing = { requirements: 0, purpose: 0, conversation: 0, touched: 0 };

  constructor(options: DryRunOptions) {
    this.#options = options;
    const { after, parts, pricer } = options;
    parts.healthRegistry.configure(after.config.endpoints);
    this.#signals = createSignals({
      healthRegistry: { health: (endpoint, now) => parts.healthRegistry.health(endpoint, now), inFlight: endpoint => this.#inFlight(endpoint) },
      timers: { usual: () => ({ firstTokenMs: undefined, tokensPerSecond: undefined }) }, pricer, clock: { now: () => this.#clock.now }, turns: parts.turns, firstTokens: parts.firstTokens, expectedUsage: parts.expectedUsage,
    });
  }

  /** The next recorded request. Receipts come in the order of their start. */
  add(receipt: Receipt): void {
    const { startedAt, plan: { requestedModel, requirements }, attempts, caller, stream } = receipt;
    // A drill says nothing about what would have been, and copies that a shadow sends are no requests of callers.
    if (receipt.outcome === 'open' || receipt.shadow !== undefined || attempts.some(({ drill, role }) => drill === true || role === 'shadow')) return;
    this.#clock.now = startedAt;
    this.#learnUntil(startedAt);
    for (const attempt of attempts) this.#keep({ at: attempt.startedAt + attempt.totalMs, attempt, stream, tool: caller.tool, answers: requirements?.answers });
    const recorded = recordedTarget(receipt);
    if (!this.#isTouched(requestedModel)) {
      this.#count.same(receipt, recorded);
      this.#runs(recorded, startedAt + receipt.totalMs);
      return;
    }
    this.#missing.touched += 1;
    const fate = this.#fateOf(receipt);
    if (fate.kind === 'unserved') {
      if (recorded === undefined) this.#count.same(receipt, undefined);
      else this.#count.unserved(receipt, recorded, fate.why);
      return;
    }
    this.#runs(fate.target.name, startedAt + receipt.totalMs);
    if (fate.target.name === recorded) this.#count.same(receipt, recorded);
    else this.#count.moved(receipt, recorded ?? 'nothing', fate.target.name, this.#costAt(fate.target, receipt));
  }

  report(range: { from: number; to: number }, problems: DryRunReport['problems']): DryRunReport {
    return { ...range, ...this.#count.report(), assumptions: this.#assumptions(), problems };
  }

  #fateOf(receipt: Receipt): Fate {
    const { after } = this.#options;
    const request = this.#requestOf(receipt);
    const { plan, targets, coolingDown } = makePlan(request, this.#viewFor(receipt));
    const failed = new Set(receipt.attempts.flatMap(({ outcome, target }) => (outcome === 'failed' ? [target] : [])));
    const next = targets.find(({ name }) => !failed.has(name));
    if (next !== undefined) return { kind: 'target', target: next };
    // With nothing else left, the server asks the one that is available soonest.
    const kept = coolingDown.find(({ target }) => !failed.has(target.target));
    const waited = kept === undefined ? targets[0] : after.target(kept.target.endpoint, kept.target.model);
    if (waited !== undefined) return { kind: 'target', target: waited };
    const [first] = plan.excluded;
    return { kind: 'unserved', why: first === undefined ? 'the name means nothing with these rules' : `${first.target}: ${first.reason}` };
  }

  #requestOf({ id, plan, caller, stream, attempts, usage }: Receipt): RoutingRequest {
    if (plan.requirements === undefined) this.#missing.requirements += 1;
    const requirements: Requirements = plan.requirements ?? { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: promptTokens(usage) ?? 0 };
    const resolved = resolveName(plan.requestedModel, this.#options.after);
    if (resolved?.purposes !== undefined && plan.purpose === undefined) this.#missing.purpose += 1;
    if (resolved?.strategy === 'sticky') this.#missing.conversation += 1;
    return new RecordedRequest(plan.requestedModel, requirements, caller, attempts[0]?.kind ?? 'normal', stream, `${caller.tool} ${caller.conversation ?? id}`, plan.purpose);
  }

  /** Keys and limits are taken to be free, and nothing to be paused; a canary's arm is the recorded one. */
  #viewFor({ plan }: Receipt): RoutingView {
    const { after, parts } = this.#options;
    const now = this.#clock.now;
    return {
      table: after, now, signals: this.#signals, random: parts.random,
      admission: (endpoint, model) => parts.healthRegistry.admission(endpoint, model, now),
      paused: () => undefined, keysBlocked: () => undefined,
      arm: (route): ArmOfPlan | undefined => (plan.route === route.name && plan.canary !== undefined ? { arm: plan.canary.arm, share: plan.canary.share, why: plan.canary.why } : undefined),
    };
  }

  #isTouched(name: string): boolean {
    const known = this.#touched.get(name);
    if (known !== undefined) return known;
    const { before, after } = this.#options;
    const touched = before === undefined || rulesOf(name, before) !== rulesOf(name, after);
    this.#touched.set(name, touched);
    return touched;
  }

  /** What the tokens of the request cost elsewhere; undefined where no price or no count is known. */
  #costAt({ price, name }: ResolvedTarget, { attempts, startedAt, target }: Receipt): Cost | undefined {
    const before = attempts.find(one => one.target === name && one.outcome === 'ok');
    if (before !== undefined) return before.cost;
    const answered = attempts.findLast(one => one.target === target && one.outcome === 'ok') ?? attempts.findLast(({ usage }) => usage.outputTokens !== undefined);
    if (answered === undefined) return undefined;
    const { reportedCostMicroUsd: _reported, ...usage } = answered.usage;
    const cost = this.#options.pricer.priceAttempt({ ...price, usage, usageEstimated: answered.usageEstimated, at: startedAt });
    return cost.unpriced === undefined ? cost : undefined;
  }

  /** Recorded attempts that had ended by then. */
  #learnUntil(now: number): void {
    for (let next = this.#pending.at(-1); next !== undefined && next.at <= now; next = this.#pending.at(-1)) {
      this.#pending.pop();
      this.#learn(next);
    }
  }

  #learn({ at, attempt, stream, tool, answers }: EndedAttempt): void {
    const { before, after, parts } = this.#options;
    const { endpoint, model, kind = 'normal', outcome, failureClass, usage, target } = attempt;
    const place = after.config.endpoints.get(endpoint);
    const placeBefore = before?.config.endpoints.get(endpoint);
    // What another address answered says nothing about this one.
    if (place === undefined || (placeBefore !== undefined && placeBefore.baseUrl !== place.baseUrl) || outcome === 'interrupted' || failureClass === 'local') return;
    parts.healthRegistry.record({
      endpoint, model, at, kind: 'traffic', foreign: true, failureClass: outcome === 'ok' ? undefined : failureClass, startedAt: attempt.startedAt,
      message: attempt.message, firstTokenMs: attempt.firstTokenMs, totalMs: attempt.totalMs, retryAfterMs: attempt.retryAfterMs,
    });
    const sample = firstTokenSampleOf(attempt, stream);
    if (sample !== undefined) parts.firstTokens.observe(endpoint, model, kind, stream, at, sample);
    if (outcome === 'ok' && !attempt.usageEstimated) parts.expectedUsage.observe({ tool, kind, target, model }, usage, answers);
  }

  #keep(ended: EndedAttempt): void {
    let index = this.#pending.length;
    while (index > 0 && (this.#pending[index - 1]?.at ?? Infinity) < ended.at) index -= 1;
    this.#pending.splice(index, 0, ended);
  }

  #runs(target: string | undefined, until: number): void {
    const endpoint = target?.slice(0, target.indexOf('/'));
    if (endpoint === undefined) return;
    const ends = this.#running.get(endpoint);
    if (ends === undefined) this.#running.set(endpoint, [until]);
    else ends.push(until);
  }

  #inFlight(endpoint: string): number {
    const ends = (this.#running.get(endpoint) ?? []).filter(end => end > this.#clock.now);
    this.#running.set(endpoint, ends);
    return ends.length;
  }

  #assumptions(): string[] {
    const { requirements, purpose, conversation, touched } = this.#missing;
    const all = `of ${touched} requests that the change touches`;
    return [
      this.#options.before === undefined ? 'The rules in force then are not known, so every request was planned anew.' : 'Requests whose rules are the same before and after stand as they were recorded.',
      'Endpoints had the health that the recorded attempts show; what was not asked then counts as healthy.',
      'Not replayed: keys and limits, which count as free; caps, which count as not reached; the prompt caches of conversations (`warmCache`) and response caches, which count as empty; shadows, which send nothing.',
      'A request keeps the arm of a canary that was recorded; without one it goes to the route\'s own targets.',
      'A request that goes elsewhere has the same tokens there, those read from a cache included, and succeeds at its first target; its price is the one of that time.',
      'Strategies with a memory (round-robin, weighted, least-busy, fastest, cheapest) begin without one at the first of these requests.',
      ...(requirements > 0 ? [`${requirements} ${all} were recorded without what they needed of a target (tools, images, size); their recorded prompt stands for it.`] : []),
      ...(purpose > 0 ? [`${purpose} ${all} were recorded without their purpose, so byRole and byKind do not move them.`] : []),
      ...(conversation > 0 ? [`${conversation} ${all} are spread by conversation as their caller named it, so a conversation may have another place than it would get.`] : []),
    ];
  }
}

/** A request from its record. A class, so that strategies tell one request from another. */
/** A recorded attempt that has ended by the time of a request. `answers`: how many were asked for; undefined: one. */
interface EndedAttempt { at: number; attempt: Attempt; stream: boolean; tool: string; answers: number | undefined }

class RecordedRequest implements RoutingRequest {
  readonly requestedModel: string;
  readonly requirements: Requirements;
  readonly caller: Caller;
  readonly kind: RequestKind;
  readonly stream: boolean;
  readonly conversation: string;
  readonly purpose: Purpose | undefined;

  constructor(requestedModel: string, requirements: Requirements, caller: Caller, kind: RequestKind, stream: boolean, conversation: string, purpose: Purpose | undefined) {
    this.requestedModel = requestedModel;
    this.requirements = requirements;
    this.caller = caller;
    this.kind = kind;
    this.stream = stream;
    this.conversation = conversation;
    this.purpose = purpose;
  }
}

/** Where a request went: the target that answered, else the one that was asked first. */
function recordedTarget({ target, attempts }: Receipt): string | undefined {
  return target ?? attempts[0]?.target;
}
