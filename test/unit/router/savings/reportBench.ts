import assert from 'node:assert/strict';
import type { Attempt, Receipt } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { protocolNames } from '../../../../server/api/conversation.ts';
import { emptyConfig, type Config } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { modelFacts } from '../../../../server/catalog/modelFacts.ts';
import { ModelDirectory } from '../../../../server/models/modelDirectory.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { RouteTable } from '../../../../server/routing/routeTable.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt } from '../../ledger/receipts.ts';

const pricer = createPricer({ log: silentLog });

/** Noon of a local day in November 2026. */
export const at = (day: number, minutes = 0): number => new Date(2026, 10, day, 12).getTime() + minutes * 60_000;

export function configOf(endpoints: Record<string, object>, routes: Record<string, object> = {}): Config {
  const { config, problems } = resolveConfig({ endpoints, routes }, { source: 'file', catalog: { providers, findProvider }, supportedProtocols: protocolNames });
  assert.deepEqual(problems, []);
  return config;
}

/** A ledger with requests, and the parts that reports over it are made with. Prices are the real ones. */
export class ReportBench {
  readonly ledger = new InMemoryLedger();
  readonly pricer = pricer;
  readonly table: RouteTable;
  #requests = 0;

  constructor(config: Config) {
    const directory = new ModelDirectory(emptyConfig);
    directory.configure(config);
    this.table = new RouteTable({ config, directory, facts: (_endpoint, model) => modelFacts(directory.canonicalName(model)) });
  }

  get options(): { routeTable: () => RouteTable; pricer: typeof pricer; used: InMemoryLedger['used']; clock: { now(): number } } {
    return { routeTable: () => this.table, pricer: this.pricer, used: (...page) => this.ledger.used(...page), clock: { now: () => at(30) } };
  }

  /** Adds an exchange. Attempts without a cost are priced as they would be when they end. */
  add(startedAt: number, attempts: readonly Partial<Attempt>[], more: Partial<Receipt> & { route?: string } = {}): Receipt {
    this.#requests += 1;
    const { route, ...rest } = more;
    const made = attempts.map((given, index) => {
      const attempt = anAttempt({ number: index + 1, startedAt, ...given });
      const target = this.table.target(attempt.endpoint, attempt.model);
      if (given.cost === undefined && target !== undefined) attempt.cost = this.pricer.priceAttempt({ ...target.price, usage: attempt.usage, usageEstimated: attempt.usageEstimated, at: startedAt, generated: true });
      return attempt;
    });
    const plan = { ...aReceipt('x').plan, requestedModel: route ?? made[0]?.target ?? 'auto', ...(route === undefined ? {} : { route }) };
    const receipt = aReceipt(`wb_${this.#requests}`, { startedAt, attempts: made, plan, caller: { tool: 'claude-code', workspace: 'shop' }, ...rest });
    this.ledger.close(receipt);
    return receipt;
  }
}
