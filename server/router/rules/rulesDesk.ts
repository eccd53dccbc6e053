import { setImmediate as nextTurn } from 'node:timers/promises';
import { mostDryRunDays, type DryRunReport } from '../../api/rules/dryRun.ts';
import type { ConfigProblem } from '../../api/status.ts';
import type { SecretRegister } from '../../base/secrets/redact.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { RawRules } from '../../config/language/rulesFile.ts';
import type { RulesKnowledge } from '../../config/language/knowledge.ts';
import type { LedgerReader, ReceiptPlace } from '../../ledger/ports.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import type { CurrentConfig } from '../currentConfig.ts';
import type { StatusReader } from '../status/status.ts';
import { DryRun, type ReplayParts } from './dryRun.ts';
import { RuleFacts } from './ruleFacts.ts';
import type { KeptVersion, RuleVersions } from './ruleVersions.ts';

export interface RulesDeskOptions {
  current: CurrentConfig;
  /** Makes the route table of a configuration that is not in use. */
  tableOf(config: Config): RouteTable;
  /** Makes what a dry run learns into. @param startedAt milliseconds since the epoch */
  replayParts(startedAt: number): ReplayParts;
  history: Pick<LedgerReader, 'receiptsIn'>;
  pricer: Pick<Pricer, 'ready' | 'priceAttempt'>;
  status: Pick<StatusReader, 'conditions'>;
  register: Pick<SecretRegister, 'redact'>;
  clock: Clock;
  log: Pick<Log, 'error'>;
  /** Where the versions of the rules are kept; absent: nowhere. */
  versions?: RuleVersions | undefined;
}

/** What people who write rules as text ask the server. */
export class RulesDesk {
  readonly #options: RulesDeskOptions;
  /** The rules of the editor's settings, as they were written; undefined: there is no editor. */
  settings: RawRules | undefined;

  constructor(options: RulesDeskOptions) {
    this.#options = options;
  }

  /** The configuration in use. */
  get used(): Config {
    return this.#options.current.config;
  }

  /** A text without the secrets in use. */
  redact(text: string): string {
    return this.#options.register.redact(text);
  }

  /** What is known of the things in a draft. Waits for the table of prices, which is loaded once. */
  async knowledge(draft: Config): Promise<RulesKnowledge> {
    const { pricer, status, clock, tableOf } = this.#options;
    await pricer.ready();
    return new RuleFacts({ table: tableOf(draft), used: this.used, conditions: status.conditions(), pricer, now: clock.now() });
  }

  /** Keeps rules that came into use. Never throws: without the version the rules hold all the same. @param file absent: the settings */
  keepVersion(text: string, routes: number, file: string | undefined): void {
    const { versions, clock, log } = this.#options;
    try {
      versions?.keep({ at: clock.now(), text: this.redact(text), routes, file });
    } catch (cause) {
      log.error('The version of the rules could not be kept for "Rules History…".', cause);
    }
  }

  /** The versions that are kept, newest first. */
  versions(): KeptVersion[] {
    return this.#options.versions?.all() ?? [];
  }

  /** Applies a draft to the requests of the last days. @throws LedgerUnavailableError */
  dryRun(draft: Config, days: number, problems: readonly ConfigProblem[], signal?: AbortSignal): Promise<DryRunReport> {
    const { current, clock } = this.#options;
    const report = problems.map(problem => ({ ...problem, message: this.redact(problem.message) }));
    return dryRun(this.#options, { draft, before: current.isConfigured ? current.config : undefined, days, now: clock.now(), problems: report, signal });
  }
}

/** So many requests are read at once; between two pages the server does other work. */
const pageSize = 200;
const dayMs = 86_400_000;
/** More requests would take minutes: the first ones are looked at. */
const mostRequests = 200_000;

interface DryRunTask { draft: Config; before: Config | undefined; days: number; now: number; problems: ConfigProblem[]; signal?: AbortSignal | undefined }

/** Applies a draft to the requests of the days before a moment. @param task.before the rules in force; undefined: none are known */
export async function dryRun(parts: Pick<RulesDeskOptions, 'tableOf' | 'replayParts' | 'history' | 'pricer'>, { draft, before, days, now, problems, signal }: DryRunTask): Promise<DryRunReport> {
  await parts.pricer.ready();
  const range = { from: now - Math.min(mostDryRunDays, days) * dayMs, to: now };
  const run = new DryRun({
    before: before === undefined ? undefined : parts.tableOf(before), after: parts.tableOf(draft), parts: parts.replayParts(range.from), pricer: parts.pricer,
  });
  let after: ReceiptPlace | undefined;
  let read = 0;
  do {
    const page = await parts.history.receiptsIn(range, pageSize, after);
    signal?.throwIfAborted();
    for (const receipt of page.receipts) run.add(receipt);
    after = page.next;
    read += page.receipts.length;
    await nextTurn();
  } while (after !== undefined && read < mostRequests);
  const report = run.report(after === undefined ? range : { ...range, to: after.startedAt }, problems);
  if (after !== undefined) report.assumptions.push(`Only the first ${mostRequests.toLocaleString('en-US')} requests were looked at; choose fewer days for the others.`);
  return report;
}
