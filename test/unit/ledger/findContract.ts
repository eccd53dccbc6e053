import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import type { RequestPlace } from '../../../server/api/reports/requestMessages.ts';
import type { Ledger } from '../../../server/ledger/ports.ts';
import { aReceipt, anAttempt, exact, noon, running } from './receipts.ts';

/** All pages of a search, and in how many parts they came. */
export async function searched(ledger: Ledger, filter: RequestFilter, limit = 100): Promise<{ ids: string[]; parts: number }> {
  const ids: string[] = [];
  let after: RequestPlace | undefined;
  let parts = 0;
  do {
    const part = await ledger.find(filter, limit, after);
    ids.push(...part.requests.map(({ id }) => id));
    after = part.next;
    parts += 1;
  } while (after !== undefined);
  return { ids, parts };
}

/** What every ledger finds of what it keeps. */
export function findContract(name: string, make: () => Ledger): void {
  describe(`what ${name} finds`, () => {
    it('is what passes each field of a query, newest first', async () => {
      const ledger = make();
      const plan = aReceipt('').plan;
      const other: Partial<Receipt> = {
        inbound: 'lsp', startedAt: noon + 1_000, caller: { tool: 'acme.helper', workspace: 'Straße', branch: 'fix', conversation: 'c-2', purpose: 'chat', extension: 'acme.other' },
        plan: { ...plan, requestedModel: 'deepseek-v3.2', route: 'cheap', purpose: { role: 'main', kind: 'balanced', why: 'it writes code' } }, outcome: 'failed', message: 'Nothing answered; CHECK the key.',
        attempts: [anAttempt({ endpoint: 'relay', provider: 'openrouter', model: 'deepseek-v3.2', startedAt: noon + 1_000, outcome: 'failed', message: 'relay refused the key', cost: { certainty: 'unknown' } })],
      };
      ledger.close(aReceipt('x-1'));
      ledger.close(aReceipt('x-2', other));
      ledger.close(aReceipt('x-3', { startedAt: noon + 2_000, attempts: [anAttempt({ cost: exact(50_000) }), anAttempt({ number: 2, endpoint: 'relay', provider: undefined, cost: { certainty: 'unknown' } })] }));
      ledger.close(aReceipt('x-4', { startedAt: noon + 3_000, attempts: [], caller: { tool: 'http' }, title: 'Why is the SKY blue' }));
      const cases: [RequestFilter, string][] = [
        [{}, 'x-4 x-3 x-2 x-1'], [{ fromMs: noon + 1_000 }, 'x-4 x-3 x-2'], [{ toMs: noon + 1_000 }, 'x-1'], [{ fromMs: noon + 1_000, toMs: noon + 2_000 }, 'x-2'],
        [{ endpoint: 'relay' }, 'x-3 x-2'], [{ provider: 'openrouter' }, 'x-2'], [{ kind: 'balanced' }, 'x-2'], [{ model: 'deepseek-v3.2' }, 'x-2'], [{ model: 'gpt-4.1' }, 'x-3 x-1'], [{ route: 'cheap' }, 'x-2'],
        [{ tool: 'claude-code' }, 'x-3 x-1'], [{ workspace: 'Straße' }, 'x-2'], [{ branch: 'fix' }, 'x-2'], [{ conversation: 'c-2' }, 'x-2'], [{ purpose: 'chat' }, 'x-2'],
        [{ extension: 'acme.other' }, 'x-2'], [{ extension: 'claude-code' }, ''], [{ notRecorded: ['workspace', 'extension'] }, 'x-4'], [{ notRecorded: ['kind'] }, 'x-4 x-3 x-1'], [{ notRecorded: ['provider'] }, 'x-3'], [{ outcome: 'failed' }, 'x-2'], [{ part: 'failover' }, 'x-2'], [{ part: 'answer' }, 'x-3 x-1'], [{ part: 'retry' }, ''],
        [{ token: 'ci-x4k2' }, 'x-3 x-1'], [{ user: 'mai' }, 'x-3 x-1'], [{ team: 'other' }, ''], [{ notRecorded: ['token'] }, 'x-4 x-2'],
        [{ minCostMicroUsd: 50_000 }, 'x-3'], [{ minCostMicroUsd: 50_001 }, ''], [{ minCostMicroUsd: 0 }, 'x-4 x-3 x-1'],
        [{ text: 'STRASSE' }, ''], [{ text: 'STRAßE' }, 'x-2'], [{ text: 'check THE' }, 'x-2'], [{ text: 'refused the' }, 'x-2'], [{ text: "x-3" }, 'x-3'], [{ text: 'the sky' }, 'x-4'], [{ text: "'; --%" }, ''],
        [{ tool: 'claude-code', endpoint: 'relay', minCostMicroUsd: 1 }, 'x-3'], [{ tool: 'http', endpoint: 'relay' }, ''],
      ];
      for (const [query, wanted] of cases) assert.equal((await searched(ledger, query)).ids.join(' '), wanted, JSON.stringify(query));
      ledger.shutdown();
    });

    it('comes page by page, each once, also where many began at one moment', async () => {
      const ledger = make();
      for (let index = 1; index <= 7; index += 1) ledger.close(aReceipt(`x-${String(index)}`, { startedAt: index <= 5 ? noon : noon + 1 }));
      assert.deepEqual((await searched(ledger, {}, 2)).ids, ['x-7', 'x-6', 'x-5', 'x-4', 'x-3', 'x-2', 'x-1']);
      assert.deepEqual((await searched(ledger, { toMs: noon + 1 }, 2)).ids, ['x-5', 'x-4', 'x-3', 'x-2', 'x-1']);
      ledger.shutdown();
    });

    it('is also what runs', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1'));
      ledger.open(running(aReceipt('x-2', { startedAt: noon + 1 })));
      ledger.open(running(aReceipt('x-3', { startedAt: noon + 2 })));
      assert.deepEqual((await ledger.running()).map(({ id, ofPeer, outcome }) => [id, ofPeer, outcome]), [['x-3', false, 'open'], ['x-2', false, 'open']]);
      ledger.close(aReceipt('x-3', { startedAt: noon + 2 }));
      assert.deepEqual((await ledger.running()).map(({ id }) => id), ['x-2']);
      ledger.shutdown();
    });
  });
}
