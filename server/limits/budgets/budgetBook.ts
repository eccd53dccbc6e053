import { setImmediate } from 'node:timers/promises';
import { momentText } from '../../api/localization/times.ts';
import { told } from '../../api/localization/said.ts';
import { liftedMicroUsd, type BudgetOrder, type BudgetResult, type BudgetStatus } from '../../api/budgets/budgetStatus.ts';
import type { NoticeParams } from '../../api/messages.ts';
import type { PlannedBudget, Receipt, SpendTotals } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { BudgetConfig, Config } from '../../config/config.ts';
import { LedgerUnavailableError } from '../../ledger/ledgerUnavailable.ts';
import type { LedgerReader, SharedState } from '../../ledger/ports.ts';
import { noWorkspace } from '../../ledger/spend.ts';
import type { Allowance, AllowanceLeft, BudgetAllowance } from '../../routing/caps/allowance.ts';
import type { Allowances } from '../allowances/allowances.ts';
import { BudgetInPeriod, conversationName, type BudgetedRequest, type StartOfBudget } from './budgetPeriod.ts';
import { dollarsText, nearMessage, reachedMessage, unpricedMessage } from './budgetTexts.ts';

export interface BudgetBookOptions {
  allowances: Pick<Allowances, 'allow' | 'forget' | 'known' | 'learn' | 'left' | 'restore' | 'maintain' | 'revision' | 'beat' | 'version'>;
  ledger: Pick<LedgerReader, 'spend' | 'spentBy'> & Pick<SharedState, 'revision'> & {
    /** The last read was of this server's part alone, though others spend too. Absent: there are no others. */
    readonly isPartial?: boolean | undefined;
  };
  config(): Config;
  /** Budgets of single tokens, each for the token that it names alone; the same list until one changes. Absent: there are none. */
  tokenBudgets?(): readonly BudgetConfig[];
  clock: Clock;
  log: Log;
  /** Resolves once every exchange of this process that has ended is priced and recorded. */
  recorded(): Promise<void>;
  /** What a person sees may have changed. */
  changed(): void;
  /** Somebody hears notices. */
  hasAudience(): boolean;
  notify(notice: NoticeParams): void;
}

/** The ledger has what was settled so long ago. */
const quietMs = 5_000;
/** What is counted is compared with the ledger so often, while requests are made. */
const compareEveryMs = 300_000;
/** And so soon again where something was under way. */
const compareAgainMs = 30_000;
/** Requests that wait for a hard budget read it again so soon, where its first read failed. */
const readAgainMs = 1_000;
/** Dead servers are looked for so often, while something is reserved. */
const orphansEveryMs = 5_000;
/** Of a budget that is for many, so many are followed and shown. */
const mostFollowed = 500;
const mostShown = 20;
/** So many budgets are compared before requests have their turn. */
const comparedAtOnce = 20;
const near = 1;
const reached = 2;

/** What the ledger is asked, and when: what is recorded later may not be in the answer. */
interface Asked { readonly at: number; readonly starts: Promise<ReadonlyMap<string, StartOfBudget>> }
interface MadeStatuses { readonly ofAllowances: number; readonly ofBudget: number; readonly statuses: readonly BudgetStatus[] }

/**
 * Budgets of days, weeks and months. What a period has cost before is read from the ledger once; from then on what attempts reserve and cost
 * is counted with all servers of the data folder (see Allowances), and a request asks memory and one transaction. While nothing of a budget is
 * under way, the count is set to what the ledger has, so that late prices and the requests of killed servers are in it.
 */
export class BudgetBook {
  readonly #options: BudgetBookOptions;
  readonly #guard: Guard;
  #configured: readonly BudgetConfig[] | undefined;
  #configuredOfTokens: readonly BudgetConfig[] | undefined;
  #budgets: BudgetInPeriod[] = [];
  /** Those that may be for any request. */
  #ofAll: readonly BudgetInPeriod[] = [];
  /** Those of single tokens, by the id of the token. */
  #ofTokens: ReadonlyMap<string, readonly BudgetInPeriod[]> = new Map();
  /** While the time is between these, no period begins or ends. */
  #from = -Infinity;
  #to = -Infinity;
  /** The first read of budgets that are new. */
  #reading: Promise<void> | undefined;
  #compareAt = -Infinity;
  /** When hard budgets that could not be read may be read again; undefined: there are none. */
  #readAgainAt: number | undefined;
  #comparedRevision = -1;
  #orphansAt = -Infinity;
  #revision: number | undefined;
  /** Statuses as they were made last, by budget. */
  readonly #made = new WeakMap<BudgetInPeriod, MadeStatuses>();
  /** What a person was told of, by key. */
  readonly #told = new Map<string, number>();

  constructor(options: BudgetBookOptions) {
    this.#options = options;
    this.#guard = new Guard('The count of budgets', options.log);
  }

  /** Resolves once what was spent before is known, or could not be read; undefined where it is known, or is not to be read again yet. */
  ready(): Promise<void> | undefined {
    this.#follow();
    if (this.#readAgainAt !== undefined && this.#reading === undefined && this.#options.clock.now() >= this.#readAgainAt) this.#readFirst();
    return this.#reading;
  }

  /** Why none of them can be counted: what a hard budget has cost is not known, neither from the ledger nor by what servers count. To be asked after `ready`. @returns a clause; undefined where all are known */
  whyUnread(allowances: readonly Allowance[]): string | undefined {
    if (this.#readAgainAt === undefined) return undefined;
    for (const { key, budget } of allowances) {
      if (budget?.isHard !== true || this.#budgets.every(({ isRead, prefix }) => isRead || !key.startsWith(prefix))) continue;
      const isCounted = this.#options.allowances.maintain(transaction => transaction.under(key, mostFollowed).some(one => one.key === key))?.value === true;
      if (!isCounted) return `what is used of the budget "${budget.name}" cannot be read from the ledger now, and it holds: try again, lift it, or let it only warn`;
    }
    return undefined;
  }

  /** The budgets that hold for a request, with those of each endpoint. */
  of(request: BudgetedRequest): BudgetAllowance[] {
    this.#follow();
    const found: BudgetAllowance[] = [];
    for (const budget of this.#ofAll) this.#addOf(budget, request, found);
    const { token } = request.input.caller;
    const ofToken = token === undefined ? undefined : this.#ofTokens.get(token);
    if (ofToken !== undefined) for (const budget of ofToken) this.#addOf(budget, request, found);
    return found;
  }

  /** What is left of the budgets that hold for a request that is made up and the first one of its conversation. */
  rehearsed(request: Pick<BudgetedRequest, 'input' | 'route'>): AllowanceLeft[] {
    this.#follow();
    const found: BudgetAllowance[] = [];
    const ofConversations: AllowanceLeft[] = [];
    for (const budget of this.#ofAll) {
      if (budget.config.per !== 'conversation') this.#addOf(budget, { ...request, conversation: () => '' }, found);
      else {
        const allowance = budget.allowanceOf('');
        if (allowance !== undefined) ofConversations.push({ ...allowance, leftMicroUsd: allowance.limitMicroUsd });
      }
    }
    return [...this.#options.allowances.left(found), ...ofConversations];
  }

  #addOf(budget: BudgetInPeriod, request: BudgetedRequest, found: BudgetAllowance[]): void {
    const names = budget.config.per === 'endpoint' ? this.#options.config().endpoints.keys() : [budget.nameOf(request)];
    for (const name of names) {
      const allowance = name === undefined ? undefined : budget.allowanceOf(name);
      if (allowance !== undefined) found.push(allowance);
    }
  }

  /** To be called about once a second. */
  tick(): void {
    this.#follow();
    if (this.#budgets.length === 0) return;
    const { allowances, clock, changed } = this.#options;
    const now = clock.now();
    allowances.beat();
    const revision = allowances.revision();
    if (revision !== this.#revision || revision === undefined) {
      this.#revision = revision;
      this.#learn(this.#budgets);
      changed();
    }
    const statuses = this.#all();
    if (now - this.#orphansAt >= orphansEveryMs && statuses.some(({ reservedMicroUsd }) => reservedMicroUsd > 0)) this.#freeOrphans(now);
    // Of what a new budget for each of something finds past its limit, only what somebody asks for is told.
    for (const status of statuses) if (status.of === undefined || allowances.known(status.key) !== undefined) this.#tell(status, status.state === 'reached' ? reached : status.state === 'near' ? near : 0);
    if (now >= this.#compareAt && this.#options.ledger.revision() !== this.#comparedRevision && this.#reading === undefined) this.#guard.start(() => this.#compare());
  }

  /** Those most used first; undefined where there are no budgets. */
  statuses(): BudgetStatus[] | undefined {
    this.#follow();
    if (this.#budgets.length === 0) return undefined;
    return this.#budgets.flatMap(budget => this.#statusesOf(budget).slice(0, mostShown));
  }

  /** Allows more of a budget, or takes that back. */
  act({ action, budget: asked, usd = 1 }: BudgetOrder): BudgetResult {
    this.#follow();
    const named = this.#budgets.find(({ config }) => config.name === asked);
    const budget = named ?? this.#budgets.find(one => one.isKey(asked));
    if (budget === undefined) return { refused: `There is no budget "${asked}" now.` };
    if (named !== undefined && named.config.per !== 'everything') return { refused: `The budget "${asked}" is for each ${named.config.per}: name it by its key, as GET /waybill/budgets has it.` };
    if (!Number.isFinite(usd) || usd <= 0 || usd > 1_000_000) return { refused: 'Allow an amount above 0 and up to 1,000,000 US dollars.' };
    const of = named === undefined ? budget.ofKey(asked) : undefined;
    const allowance = budget.allowanceOf(of ?? '');
    if (allowance === undefined) return { refused: `The budget "${budget.config.name}" is not for ${of ?? 'everything'}.` };
    const { allowances, changed } = this.#options;
    if (action === 'restore') allowances.restore(allowance);
    else if (action === 'lift' && (allowances.known(allowance.key)?.extra ?? 0) < liftedMicroUsd) allowances.allow([allowance], liftedMicroUsd);
    else if (action === 'allow') allowances.allow([allowance], Math.round(usd * 1e6));
    // When that is used up, a person is told again.
    this.#told.set(allowance.key, near);
    allowances.maintain(transaction => { transaction.keepTurn(allowance.key, toldOf, String(near)); });
    changed();
    const until = momentText(budget.range.to);
    switch (action) {
      case 'allow': return { message: `${dollarsText(Math.round(usd * 1e6))} more is allowed of the budget "${budget.config.name}" until ${until}.` };
      case 'lift': return { message: `The budget "${budget.config.name}" holds nothing back until ${until}.` };
      case 'restore': return { message: `The budget "${budget.config.name}" holds as it is set.` };
    }
  }

  /** A budget kept a request of no reader from being sent, or one whose price is not known was sent. */
  ended({ inbound, outcome, plan, shadow }: Receipt): void {
    if (plan.budgets === undefined || inbound !== 'http' || outcome !== 'failed' || shadow !== undefined) return;
    for (const planned of plan.budgets) if (planned.did === 'stopped' && planned.unpriced !== true) this.#withStatus(planned, status => { this.#tell(status, reached); });
  }

  priced({ attempts, plan }: Receipt): void {
    const unpriced = plan.budgets?.some(one => one.unpriced) === true ? attempts.find(({ cost }) => cost.certainty === 'unknown') : undefined;
    if (unpriced === undefined) return;
    for (const planned of plan.budgets ?? []) if (planned.unpriced === true) this.#withStatus(planned, status => { this.#tellUnpriced(status, unpriced.target); });
  }

  /** A name alone does not tell them apart: a token has budgets of a day and of a month, and its name may be that of another budget. */
  #withStatus({ name, period, per, of, limitMicroUsd }: PlannedBudget, work: (status: BudgetStatus) => void): void {
    const alike = this.#budgets.filter(({ config }) => config.name === name && config.period === period && config.per === per).filter(one => one.isFor(of ?? ''));
    const budget = alike.find(({ config }) => config.limitMicroUsd === limitMicroUsd) ?? alike[0];
    if (budget !== undefined) work(this.#statusOf(budget, of));
  }

  /** Budgets are those of the configuration and of now. */
  #follow(): void {
    const { config, clock, tokenBudgets } = this.#options;
    const { budgets } = config();
    const ofTokens = tokenBudgets?.();
    if (budgets === this.#configured && ofTokens === this.#configuredOfTokens && this.#budgets.length === 0) return;
    const now = clock.now();
    if (budgets === this.#configured && ofTokens === this.#configuredOfTokens && now >= this.#from && now < this.#to) return;
    this.#configured = budgets;
    this.#configuredOfTokens = ofTokens;
    const before = new Map(this.#budgets.map(budget => [budget.prefix, budget]));
    const periods = new Map(this.#budgets.map(({ series, range }) => [series, range.from]));
    let isNew = false;
    const inPeriod = (one: BudgetConfig): BudgetInPeriod => {
      const budget = new BudgetInPeriod(one, now);
      // A period that begins has cost nothing yet; one that goes on has cost what the ledger says.
      if ((periods.get(budget.series) ?? Infinity) < budget.range.from) budget.begin(new Map());
      const known = before.get(budget.prefix);
      if (known?.isRead === true) budget.begin(known.starts);
      if (known === undefined && !budget.isRead) isNew = true;
      return budget;
    };
    this.#ofAll = (budgets ?? []).map(inPeriod);
    const single = (ofTokens ?? []).map(inPeriod);
    this.#ofTokens = Map.groupBy(single, ({ config: { only } }) => [...only ?? []][0] ?? '');
    this.#budgets = [...this.#ofAll, ...single];
    this.#from = Math.max(-Infinity, ...this.#budgets.map(({ range }) => range.from));
    this.#to = Math.min(Infinity, ...this.#budgets.map(({ range }) => range.to));
    this.#revision = undefined;
    this.#compareFrom(now);
    this.#findUnread();
    if (isNew && this.#reading === undefined) this.#readFirst();
  }

  #readFirst(): void {
    this.#reading = this.#compare().catch((error: unknown) => { this.#guard.failed(error); }).finally(() => {
      this.#reading = undefined;
      this.#findUnread();
    });
  }

  #findUnread(): void {
    this.#readAgainAt = this.#budgets.some(({ config, isRead }) => config.isHard && !isRead) ? this.#options.clock.now() + readAgainMs : undefined;
  }

  /** The ledger is compared again from a moment on, even where nothing was recorded since. @param at milliseconds since the epoch */
  #compareFrom(at: number): void {
    this.#compareAt = at;
    this.#comparedRevision = -1;
  }

  /** Reads what the ledger has, and sets to it what is not under way. */
  async #compare(): Promise<void> {
    const { ledger, clock, recorded, changed } = this.#options;
    const budgets = this.#budgets;
    this.#compareAt = clock.now() + compareEveryMs;
    this.#comparedRevision = ledger.revision();
    // Budgets of many tokens ask the ledger the same.
    const asked = new Map<string, Asked>();
    try {
      await recorded();
      for (const [index, budget] of budgets.entries()) {
        // Requests go on meanwhile.
        if (index % comparedAtOnce === comparedAtOnce - 1) await setImmediate();
        if (budget.isRead && this.#isUnderWay(budget)) {
          this.#compareFrom(clock.now() + compareAgainMs);
          continue;
        }
        const { at, starts } = this.#readOnce(budget, asked);
        const named = namedBy(budget.config, await starts);
        // A part is a start where nothing else is known; what was counted is not set to it.
        if (ledger.isPartial === true) {
          if (!budget.isRead) budget.begin(named);
          this.#compareFrom(clock.now() + compareAgainMs);
          this.#learn([budget]);
          continue;
        }
        budget.begin(named);
        this.#announce(budget);
        // A plan that was made before has found nothing used.
        this.#options.allowances.forget(budget.prefix);
        if (!this.#isCorrected(budget, at - quietMs)) {
          this.#compareFrom(clock.now() + compareAgainMs);
        }
        this.#learn([budget]);
      }
    } catch (error) {
      this.#compareFrom(clock.now() + compareAgainMs);
      if (!(error instanceof LedgerUnavailableError)) throw error;
    }
    this.#findUnread();
    changed();
    // The configuration or the day changed meanwhile.
    if (budgets !== this.#budgets) await this.#compare();
  }

  /** Learns what is counted in the store. */
  #learn(budgets: readonly BudgetInPeriod[]): void {
    const counted = this.#options.allowances.learn(budgets.map(({ prefix }) => prefix), mostFollowed);
    for (const [index, budget] of budgets.entries()) for (const { key } of counted?.[index] ?? []) budget.saw(key);
  }

  /** Where servers with other ledgers count too, what this one has is in their count. */
  #announce(budget: BudgetInPeriod): void {
    this.#options.allowances.maintain(transaction => {
      if (transaction.begin === undefined) return;
      for (const [name, { microUsd }] of budget.starts) {
        const of = name === '' ? undefined : name;
        if (budget.isFor(name) && budget.isInLedger(of)) transaction.begin(budget.keyOf(of), microUsd);
      }
    });
  }

  /** Of all that it counts something is reserved, so that nothing could be set to what the ledger has. */
  #isUnderWay(budget: BudgetInPeriod): boolean {
    const counted = this.#options.allowances.maintain(transaction => transaction.under(budget.prefix, mostFollowed))?.value;
    return counted !== undefined && counted.length > 0 && counted.every(({ reserved }) => reserved > 0);
  }

  /** @returns whether every count is what the ledger has */
  #isCorrected(budget: BudgetInPeriod, unchangedSince: number): boolean {
    const done = this.#options.allowances.maintain(transaction => transaction.under(budget.prefix, mostFollowed).filter(({ key, used, unknown: counted }) => {
      const of = budget.ofKey(key);
      const { microUsd, unknown } = budget.startOf(of);
      // Once the ledger knows what everything cost, what nobody knew is in its sum.
      const kept = unknown > 0 ? counted : 0;
      return budget.isFor(of ?? '') && budget.isInLedger(of) && (used !== microUsd + kept || counted !== kept) && !transaction.correct(key, microUsd, unchangedSince, unknown > 0);
    }));
    return done?.value.length === 0;
  }

  #readOnce(budget: BudgetInPeriod, asked: Map<string, Asked>): Asked {
    const question = `${budget.config.per} ${String(budget.range.from)}`;
    let answer = asked.get(question);
    if (answer === undefined) asked.set(question, answer = { at: this.#options.clock.now(), starts: this.#read(budget) });
    return answer;
  }

  async #read({ config: { per }, range }: BudgetInPeriod): Promise<ReadonlyMap<string, StartOfBudget>> {
    const { ledger } = this.#options;
    if (per === 'branch' || per === 'route' || per === 'extension' || per === 'token' || per === 'conversation') {
      return new Map((await ledger.spentBy(range, per)).map(({ name, microUsd, unknown }) => [per === 'conversation' ? conversationName(name) : name, { microUsd, unknown }]));
    }
    const { totals, byEndpoint, byTool, byWorkspace } = await ledger.spend(range);
    if (per === 'everything') return new Map([['', { microUsd: totals.microUsd, unknown: unknownOf(totals) }]]);
    const groups = per === 'endpoint' ? byEndpoint : per === 'tool' ? byTool : byWorkspace;
    return new Map(groups.filter(({ name }) => per !== 'workspace' || name !== noWorkspace).map(group => [group.name, { microUsd: group.microUsd, unknown: unknownOf(group) }]));
  }

  #freeOrphans(now: number): void {
    this.#orphansAt = now;
    const freed = this.#options.allowances.maintain(transaction => transaction.freeOrphans());
    if (freed?.value !== true) return;
    this.#learn(this.#budgets);
    // By then peers have marked the requests of a dead server as interrupted.
    this.#compareFrom(Math.min(this.#compareAt, now + compareAgainMs));
    this.#options.changed();
  }

  #tell(status: BudgetStatus, level: number): void {
    if (level === 0 || (this.#told.get(status.key) ?? 0) >= level || status.lifted === true || !this.#isFirst(status.key, toldOf, level)) return;
    this.#options.notify({
      kind: level === reached ? 'budget-reached' : 'budget-near', endpoint: '', ...told(level === reached ? reachedMessage(status) : nearMessage(status)),
      budget: { key: status.key, period: status.period },
    });
  }

  #tellUnpriced(status: BudgetStatus, target: string): void {
    if (!this.#isFirst(status.key, unpricedOf, near)) return;
    this.#options.notify({ kind: 'budget-unpriced', endpoint: '', ...told(unpricedMessage(status, target)), budget: { key: status.key, period: status.period } });
  }

  /** Nobody was told yet, in any window. */
  #isFirst(key: string, what: string, level: number): boolean {
    const { allowances, hasAudience } = this.#options;
    if (!hasAudience()) return false;
    if (what === toldOf) this.#told.set(key, level);
    const first = allowances.maintain(transaction => {
      if (Number(transaction.turn(key, what) ?? 0) >= level) return false;
      transaction.keepTurn(key, what, String(level));
      return true;
    });
    return first?.value ?? true;
  }

  #all(): BudgetStatus[] {
    return this.#budgets.flatMap(budget => this.#statusesOf(budget));
  }

  /** Those most used first. Made anew where something changed. */
  #statusesOf(budget: BudgetInPeriod): readonly BudgetStatus[] {
    const { version } = this.#options.allowances;
    const made = this.#made.get(budget);
    if (made?.ofAllowances === version && made.ofBudget === budget.version) return made.statuses;
    const statuses = this.#makeStatuses(budget);
    this.#made.set(budget, { ofAllowances: version, ofBudget: budget.version, statuses });
    return statuses;
  }

  #makeStatuses(budget: BudgetInPeriod): BudgetStatus[] {
    const { per, only } = budget.config;
    if (per === 'everything') return [this.#statusOf(budget, undefined)];
    const names = new Set([...budget.starts.keys(), ...budget.seen()]);
    for (const name of only ?? []) if (![...names].some(one => one.toLowerCase() === name)) names.add(name);
    return [...names].filter(name => budget.isFor(name)).map(name => this.#statusOf(budget, name)).sort((a, b) => b.share - a.share);
  }

  #statusOf(budget: BudgetInPeriod, of: string | undefined): BudgetStatus {
    const { config: { name, period, per, limitMicroUsd, isHard, warnAt }, range } = budget;
    const key = budget.keyOf(of);
    const start = budget.startOf(of);
    const { used, extra, reserved, unknown } = this.#options.allowances.known(key) ?? { used: start.microUsd, extra: 0, reserved: 0, unknown: 0 };
    const isLifted = extra >= liftedMicroUsd;
    const most = limitMicroUsd + (isLifted ? 0 : extra);
    const share = used / most;
    return {
      name, period, per, ...(of === undefined ? {} : { of }), key, limitMicroUsd, spentMicroUsd: used - reserved - unknown, ...(start.unknown === 0 && unknown === 0 ? {} : { unknown: Math.max(1, start.unknown) }), reservedMicroUsd: reserved,
      ...(isLifted ? { lifted: true } : { leftMicroUsd: most - used, ...(extra === 0 ? {} : { allowedMicroUsd: extra }) }),
      share, state: share >= 1 ? 'reached' : share >= warnAt ? 'near' : 'ok', isHard, from: range.from, resetsAt: range.to,
    };
  }
}

/** Of what the ledger has, what the budget of a single token is for. */
function namedBy({ key, only }: BudgetConfig, starts: ReadonlyMap<string, StartOfBudget>): ReadonlyMap<string, StartOfBudget> {
  return key !== undefined && only !== undefined ? new Map([...starts].filter(([name]) => only.has(name.toLowerCase()))) : starts;
}

function unknownOf({ unknownAttempts, unpricedAttempts = 0 }: Pick<SpendTotals, 'unknownAttempts' | 'unpricedAttempts'>): number {
  return unknownAttempts + unpricedAttempts;
}

/** What is kept of what a person was told: of the share, and of prices that are not known. */
const toldOf = 'told';
const unpricedOf = 'unpriced';
