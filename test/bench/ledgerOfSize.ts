import { DatabaseSync } from 'node:sqlite';
import { openLedger } from '../../server/ledger/sqlite/sqliteLedger.ts';
import { CellFold } from '../../server/ledger/sqlite/dashboard/cellFold.ts';
import { silentLog } from '../../server/base/log.ts';
import path from 'node:path';

const yearMs = 365 * 86_400_000;
const rowsAtOnce = 20_000;

/** When the requests of a ledger for measures end. */
export const ledgerEnd = Date.UTC(2026, 10, 27, 18);

/**
 * Makes a ledger of so many requests over a year, as developers make them: working hours, conversations of twenty requests, four tools, seven
 * workspaces of which two are in use at a time, forty branches, six models at four endpoints, every fiftieth request with a failover. Its roll-up is up to date.
 */
export function makeLedgerOfSize(dataDir: string, requests: number): void {
  openLedger({ dataDir, clock: { now: () => ledgerEnd }, log: silentLog, instanceId: 'bench' }).shutdown();
  const database = new DatabaseSync(path.join(dataDir, 'ledger.db'));
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  const exchange = database.prepare(`INSERT INTO exchanges (id, instance, face, protocol, stream, tool, workspace, conversation, purpose, wanted, started_at, total_ms, outcome, plan, route, branch, work_kind)
    VALUES (?, 'bench', 'http', 'openai-chat', 1, ?, ?, ?, ?, 'auto', ?, 900, 'ok', '{"requestedModel":"auto","kind":"route","strategy":"priority","targets":[],"excluded":[]}', 'auto', ?, ?)`);
  const attempt = database.prepare(`INSERT INTO attempts (exchange_seq, number, final, last, target, endpoint, model, upstream_model, protocol, started_at, total_ms, outcome, input_tokens, cache_read_tokens, output_tokens, usage_estimated, cost_micro_usd, cost_certainty, price_source, price_used, provider)
    VALUES (?, ?, 1, ?, ?, ?, ?, ?, 'openai-chat', ?, 900, ?, ?, ?, ?, 0, ?, ?, 'config', '{"inputPerMTok":3,"outputPerMTok":15,"cacheReadPerMTok":0.3}', ?)`);
  let state = 7;
  const next = (below: number): number => {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    return (state >>> 8) % below;
  };
  for (let from = 0; from < requests; from += rowsAtOnce) {
    database.exec('BEGIN');
    for (let index = from; index < Math.min(requests, from + rowsAtOnce); index += 1) {
      const talk = Math.floor(index / 20);
      const day = Math.floor(index / requests * 365);
      const at = ledgerEnd - yearMs + day * 86_400_000 + Math.floor((index / requests * 365 - day) * 10 * 3_600_000) - 9 * 3_600_000;
      const [tool, workspace, branch] = [`tool-${talk % 4}`, `workspace-${(Math.floor(day / 3) + talk % 2) % 7}`, `branch-${Math.floor(day / 3) % 40}`];
      const { lastInsertRowid } = exchange.run(`x-${index}`, tool, workspace, `c-${talk}`, index % 5 === 0 ? 'utility' : 'main', at, branch, index % 5 === 0 ? 'low-cost' : 'balanced');
      const [endpoint, model] = [`endpoint-${talk % 4}`, `model-${index % 5 === 0 ? 0 : 1 + talk % 5}`];
      if (index % 50 === 0) attempt.run(lastInsertRowid, 1, 0, 'other/m', 'other', model, model, at, 'failed', null, null, null, 0, 'exact', 'other');
      attempt.run(lastInsertRowid, index % 50 === 0 ? 2 : 1, 1, `${endpoint}/${model}`, endpoint, model, model, at, 'ok', next(4_000), next(60_000), next(1_500), 500 + next(60_000), index % 20 === 3 ? 'estimated' : 'exact', endpoint);
    }
    database.exec('COMMIT');
  }
  const fold = new CellFold(database);
  while (fold.fold());
  database.close();
}
