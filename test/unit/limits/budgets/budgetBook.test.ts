import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { fullAccess } from '../../../../server/api/access/tokenAccess.ts';
import type { BudgetStatus } from '../../../../server/api/budgets/budgetStatus.ts';
import type { NoticeParams } from '../../../../server/api/messages.ts';
import type { Receipt } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { emptyConfig, type BudgetConfig, type Config } from '../../../../server/config/config.ts';
import type { AllowanceStore } from '../../../../server/ledger/allowanceStore.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import { createAllowanceStore } from '../../../../server/ledger/sqlite/allowances/allowanceDatabase.ts';
import { createTokenStore } from '../../../../server/ledger/sqlite/access/tokenDatabase.ts';
import { Allowances, type Reservation } from '../../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import { BudgetBook } from '../../../../server/limits/budgets/budgetBook.ts';
import { TokenBook } from '../../../../server/router/tokens/tokenBook.ts';
import type { BudgetAllowance } from '../../../../server/routing/caps/allowance.ts';
import { temporaryFolder } from '../../../integration/support/temporaryFolder.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { anAttempt, aReceipt } from '../../ledger/receipts.ts';

const { folder, remove } = temporaryFolder();
after(remove);

const daily: BudgetConfig = { name: 'daily', limitMicroUsd: 1_000_000, period: 'day', per: 'everything', isHard: true, warnAt: 0.8 };
const hour = 3_600_000;

/** The budget that a token has for itself. */
function ofToken(id: string, period: 'day' | 'month'): BudgetConfig {
  return { ...daily, name: 'ci', key: `~${id}`, period, per: 'token', only: new Set([id]) };
}

/** One server on a data folder. */
class Server {
  readonly notices: NoticeParams[] = [];
  readonly ledger: InMemoryLedger;
  readonly allowances: Allowances;
  readonly book: BudgetBook;
  config: Config;
  hasAudience = true;
  ofTokens: readonly BudgetConfig[] = [];

  constructor(name: string, budgets: BudgetConfig[], clock: { now: () => number }, ledger = new InMemoryLedger(), store: AllowanceStore = createAllowanceStore({ dataDir: path.join(folder, name), clock, log: silentLog })) {
    this.ledger = ledger;
    this.config = { ...emptyConfig, budgets };
    this.allowances = new Allowances(store);
    this.book = new BudgetBook({
      allowances: this.allowances, ledger, config: () => this.config, tokenBudgets: () => this.ofTokens, clock, log: silentLog, recorded: () => Promise.resolve(), changed: () => undefined,
      hasAudience: () => this.hasAudience, notify: notice => this.notices.push(notice),
    });
  }

  async ready(): Promise<this> {
    await this.book.ready();
    return this;
  }

  of(caller: Partial<Receipt['caller']> = {}, route?: string): BudgetAllowance[] {
    return this.book.of({ input: { caller: { tool: 'test', ...caller } }, route, conversation: () => 'digest' });
  }

  reserve(microUsd: number, caller: Partial<Receipt['caller']> = {}): Reservation | undefined {
    const made = this.allowances.reserve(this.of(caller), microUsd);
    return 'misfit' in made ? undefined : made;
  }

  status(of?: string): BudgetStatus {
    return this.book.statuses()?.find(one => one.of === of) ?? assert.fail();
  }

  figures(of?: string): (number | undefined)[] {
    const { spentMicroUsd, reservedMicroUsd, leftMicroUsd } = this.status(of);
    return [spentMicroUsd, reservedMicroUsd, leftMicroUsd];
  }
}

const noon = new Date(2026, 10, 27, 12).getTime();
const clockAt = (at: number): { now: () => number; at: number } => {
  const clock = { at, now: () => clock.at };
  return clock;
};

function spent(ledger: InMemoryLedger, at: number, microUsd: number, more: Partial<Receipt> = {}): void {
  ledger.close(aReceipt(`r${String(at)}-${String(ledger.receipts.size)}`, { startedAt: at, attempts: [anAttempt({ startedAt: at, cost: { microUsd, certainty: 'exact' } })], ...more }));
}

describe('budgets', () => {
  it('begin with what the ledger has of the period', async () => {
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 300_000);
    spent(ledger, noon - 20 * hour, 500_000);
    const server = await new Server('begin', [daily], clockAt(noon), ledger).ready();
    assert.deepEqual(server.figures(), [300_000, 0, 700_000]);
    assert.equal(server.reserve(700_001), undefined);
    assert.ok(server.reserve(700_000));
    assert.deepEqual(server.figures(), [300_000, 700_000, 0]);
  });

  it('hold for a request that was planned before the ledger was read', async () => {
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 300_000);
    const server = new Server('planned', [daily], clockAt(noon), ledger);
    const planned = server.of();
    assert.equal(server.allowances.left(planned)[0]?.leftMicroUsd, 1_000_000);
    await server.ready();
    assert.deepEqual(server.figures(), [300_000, 0, 700_000]);
    assert.ok('misfit' in server.allowances.reserve(planned, 700_001));
    assert.ok('allowances' in server.allowances.reserve(planned, 700_000));
    assert.deepEqual(server.figures(), [300_000, 700_000, 0]);
  });

  it('that stop requests admit none while nobody knows what is used of them, and are read again', async () => {
    const clock = clockAt(noon);
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 300_000);
    const read = ledger.spend.bind(ledger);
    ledger.spend = () => Promise.reject(new LedgerUnavailableError('locked'));
    const server = await new Server('unread', [daily, { ...daily, name: 'soft', isHard: false }], clock, ledger).ready();
    const planned = server.of();
    assert.match(server.book.whyUnread(planned) ?? '', /^what is used of the budget "daily" cannot be read from the ledger now/);
    assert.equal(server.book.whyUnread(planned.slice(1)), undefined, 'one that only warns holds nothing back');
    assert.equal(server.book.ready(), undefined, 'requests do not read it without a pause');
    ledger.spend = read;
    clock.at += 1_000;
    await server.ready();
    assert.equal(server.book.whyUnread(planned), undefined);
    assert.deepEqual(server.figures(), [300_000, 0, 700_000]);
  });

  it('count what is reserved apart, and put what it cost in its place', async () => {
    const server = await new Server('settle', [daily], clockAt(noon)).ready();
    const running = server.reserve(400_000) ?? assert.fail();
    assert.deepEqual(server.figures(), [0, 400_000, 600_000]);
    server.allowances.settle(running, 100_000);
    assert.deepEqual(server.figures(), [100_000, 0, 900_000]);
    server.allowances.settle(server.reserve(200_000) ?? assert.fail(), undefined);
    assert.deepEqual([...server.figures(), server.status().unknown], [100_000, 0, 700_000, 1], 'what nobody knows counts as was expected, and is in no sum');
    server.allowances.settle(server.reserve(200_000) ?? assert.fail(), 50_000, false);
    assert.deepEqual(server.figures(), [150_000, 0, 500_000], 'a lower bound is known, and what is missing counts as was expected');
  });

  for (const [kind, store] of [['in memory', () => new MemoryAllowanceStore(() => noon)], ['in the database', undefined]] as const) {
    it(`go on counting what nobody knows beside what the ledger has, until it knows, ${kind}`, async () => {
      const clock = clockAt(noon);
      const server = await new Server('unknown', [daily], clock, new InMemoryLedger(), store?.()).ready();
      const compared = async (): Promise<unknown[]> => {
        clock.at += hour;
        server.book.tick();
        await new Promise(resolve => { setImmediate(resolve); });
        return [...server.figures(), server.status().unknown];
      };
      server.allowances.settle(server.reserve(200_000) ?? assert.fail(), undefined);
      spent(server.ledger, noon, 0, { id: 'unknown', attempts: [anAttempt({ startedAt: noon, cost: { certainty: 'unknown' } })] });
      server.allowances.settle(server.reserve(300_000) ?? assert.fail(), 100_000, false);
      spent(server.ledger, noon, 0, { id: 'bound', attempts: [anAttempt({ startedAt: noon, cost: { microUsd: 90_000, certainty: 'exact', unpriced: ['searches'] } })] });
      assert.deepEqual(await compared(), [90_000, 0, 510_000, 2]);
      spent(server.ledger, noon, 0, { id: 'unknown', attempts: [anAttempt({ startedAt: noon, cost: { microUsd: 120_000, certainty: 'exact' } })] });
      spent(server.ledger, noon, 0, { id: 'bound', attempts: [anAttempt({ startedAt: noon, cost: { microUsd: 100_000, certainty: 'exact' } })] });
      assert.deepEqual(await compared(), [220_000, 0, 780_000, undefined]);
    });
  }

  it('count on in a file of an earlier version, which told nothing unknown apart', async () => {
    const clock = clockAt(noon);
    const before = await new Server('earlier', [daily], clock).ready();
    before.allowances.settle(before.reserve(300_000) ?? assert.fail(), 300_000);
    before.allowances.close();
    const database = new DatabaseSync(path.join(folder, 'earlier', 'allowances', 'used.db'));
    database.exec('ALTER TABLE allowances DROP COLUMN unknown');
    database.close();
    const server = await new Server('earlier', [daily], clock).ready();
    server.allowances.settle(server.reserve(200_000) ?? assert.fail(), undefined);
    assert.deepEqual([...server.figures(), server.status().unknown], [300_000, 0, 500_000, 1]);
  });

  it('are one for all servers of a data folder, each of which sees at its next tick what others spend', async () => {
    const clock = clockAt(noon);
    const [one, other] = [await new Server('peers', [daily], clock).ready(), await new Server('peers', [daily], clock).ready()];
    other.book.tick();
    const running = one.reserve(900_000) ?? assert.fail();
    assert.equal(other.reserve(200_000), undefined, 'what a peer reserved is looked up in the same transaction');
    other.book.tick();
    assert.deepEqual(other.figures(), [0, 900_000, 100_000]);
    one.allowances.settle(running, 1_000_000);
    other.book.tick();
    assert.deepEqual([other.figures(), other.status().state], [[1_000_000, 0, 0], 'reached']);
  });

  it('begin anew with the next period, and a reservation from before midnight stays in its own', async () => {
    const clock = clockAt(new Date(2026, 10, 27, 23, 59).getTime());
    const server = await new Server('midnight', [daily], clock).ready();
    const running = server.reserve(1_000_000) ?? assert.fail();
    clock.at += 2 * 60_000;
    assert.deepEqual(server.figures(), [0, 0, 1_000_000]);
    assert.ok(server.reserve(400_000));
    server.allowances.settle(running, 5_000_000);
    assert.deepEqual(server.figures(), [0, 400_000, 600_000]);
  });

  it('free what a server reserved that is gone, and count in its place what the ledger has', async () => {
    const clock = clockAt(noon);
    const ledger = new InMemoryLedger();
    const gone = await new Server('gone', [daily], clock, ledger).ready();
    assert.ok(gone.reserve(600_000));
    // The row of a process that ended: no process has this id.
    const database = new DatabaseSync(path.join(folder, 'gone', 'allowances', 'used.db'));
    database.exec(`UPDATE holders SET pid = 2147483646, heartbeat = 0, start = 'never'`);
    database.close();
    const peer = await new Server('gone', [daily], clock, ledger).ready();
    peer.book.tick();
    assert.deepEqual(peer.figures(), [600_000, 0, 400_000], 'its provider was asked, so it counts as spent');
    spent(ledger, noon, 150_000);
    clock.at += 60_000;
    peer.book.tick();
    await new Promise(resolve => { setImmediate(resolve); });
    assert.deepEqual(peer.figures(), [150_000, 0, 850_000]);
  });

  it('never take over from the ledger while something is under way', async () => {
    const clock = clockAt(noon);
    const server = await new Server('underway', [daily], clock).ready();
    const running = server.reserve(500_000) ?? assert.fail();
    spent(server.ledger, noon, 1);
    clock.at += hour;
    server.book.tick();
    await new Promise(resolve => { setImmediate(resolve); });
    assert.deepEqual(server.figures(), [0, 500_000, 500_000]);
    server.allowances.settle(running, 1);
    clock.at += hour;
    server.book.tick();
    await new Promise(resolve => { setImmediate(resolve); });
    assert.deepEqual(server.figures(), [1, 0, 999_999]);
  });

  it('read nothing from the ledger while something is under way for all that they count, and make nothing at rest', async () => {
    const clock = clockAt(noon);
    const server = await new Server('rest', [daily, { ...daily, name: 'tools', per: 'tool' }], clock).ready();
    const running = server.reserve(900_000) ?? assert.fail();
    let reads = 0;
    const read = server.ledger.spend.bind(server.ledger);
    server.ledger.spend = range => { reads += 1; return read(range); };
    const later = async (): Promise<BudgetStatus[]> => {
      clock.at += hour;
      server.book.tick();
      await new Promise(resolve => { setImmediate(resolve); });
      return server.book.statuses() ?? [];
    };
    spent(server.ledger, noon, 1, { caller: { tool: 'test' } });
    await later();
    await later();
    assert.equal(reads, 0);
    server.allowances.settle(running, 1);
    await later();
    assert.equal(reads, 2);
    const [before, after] = [await later(), await later()];
    assert.equal(before.length, 2);
    assert.ok(before.every((status, index) => status === after[index]), 'the same objects');
    assert.equal(server.reserve(200_000) === undefined, false);
    assert.deepEqual([server.figures(), server.figures('test')], [[1, 200_000, 799_999], [1, 200_000, 799_999]]);
  });

  it('take over from the ledger for each that nothing is under way for, whatever runs for others', async () => {
    const clock = clockAt(noon);
    const server = await new Server('busiest', [{ ...daily, name: 'tools', per: 'tool' }], clock).ready();
    assert.ok(server.reserve(900_000, { tool: 'busy' }));
    server.allowances.settle(server.reserve(200_000, { tool: 'quiet' }) ?? assert.fail(), 200_000);
    spent(server.ledger, noon, 150_000, { caller: { tool: 'quiet' } });
    clock.at += hour;
    server.book.tick();
    await new Promise(resolve => { setImmediate(resolve); });
    assert.deepEqual([server.figures('busy'), server.figures('quiet')], [[0, 900_000, 100_000], [150_000, 0, 850_000]]);
  });

  it('are for each of something, or for those that are named, with what the ledger has of each', async () => {
    const ledger = new InMemoryLedger();
    const caller = { tool: 'claude-code', workspace: 'shop', branch: 'feature/x', conversation: 'c1', extension: 'acme.helper' };
    spent(ledger, noon - hour, 200_000, { caller });
    const each = (['tool', 'workspace', 'branch', 'conversation', 'endpoint', 'extension'] as const).map((per): BudgetConfig => ({ ...daily, name: per, per }));
    const server = await new Server('each', [...each, { ...daily, name: 'named', per: 'tool', only: new Set(['codex']) }], clockAt(noon), ledger).ready();
    for (const per of ['tool', 'workspace', 'branch', 'conversation', 'extension']) {
      const mine = server.of(caller).find(one => one.budget.name === per);
      assert.equal(mine === undefined ? undefined : server.allowances.left([mine])[0]?.leftMicroUsd, 800_000, per);
    }
    assert.deepEqual(server.of({ tool: 'vscode-chat' }).map(one => one.budget.name), ['tool', 'conversation'], 'it has no workspace, and names no extension');
    assert.ok(server.of({ tool: 'Codex' }).some(one => one.budget.name === 'named'));
    assert.ok(!server.of(caller).some(one => one.budget.name === 'named'));
    assert.ok((server.book.statuses() ?? []).every(({ key, of }) => of === undefined || !key.includes('c1')), 'the id of a conversation is kept nowhere');
  });

  it('per workspace are for no requests without one', async () => {
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 900_000, { caller: { tool: 'test' } });
    spent(ledger, noon - hour, 100_000, { caller: { tool: 'test', workspace: 'shop' } });
    const server = await new Server('no workspace', [{ ...daily, per: 'workspace' }], clockAt(noon), ledger).ready();
    assert.deepEqual(server.book.statuses()?.map(({ of, spentMicroUsd }) => [of, spentMicroUsd]), [['shop', 100_000]]);
  });

  it('warn once for each period, in whichever window comes first, and again only after more was allowed', async () => {
    const clock = clockAt(noon);
    const [one, other] = [await new Server('told', [daily], clock).ready(), await new Server('told', [daily], clock).ready()];
    one.hasAudience = false;
    one.allowances.settle(one.reserve(850_000) ?? assert.fail(), 850_000);
    for (const server of [one, other, one, other]) server.book.tick();
    assert.deepEqual([one, other].map(({ notices }) => notices.map(({ kind }) => kind)), [[], ['budget-near']]);
    assert.equal(other.notices[0]?.message, '85 % of the budget "daily" is used: $0.85 of $1.00 a day. It begins anew at 2026-11-28 00:00.');
    one.hasAudience = true;
    one.allowances.settle(one.reserve(150_000) ?? assert.fail(), 150_000);
    for (const server of [one, other, one, other]) server.book.tick();
    assert.deepEqual([one, other].map(({ notices }) => notices.length), [1, 1]);
    assert.match(one.notices[0]?.message ?? '', /^The budget "daily" is reached: \$1\.00 of \$1\.00 a day\. Requests that would cost more than is left are not sent; it begins anew at 2026-11-28 00:00\.$/);
    assert.deepEqual(one.book.act({ action: 'allow', budget: one.notices[0]?.budget?.key ?? '' }), { message: '$1.00 more is allowed of the budget "daily" until 2026-11-28 00:00.' });
    other.book.tick();
    assert.equal(other.status().leftMicroUsd, 1_000_000);
    one.allowances.settle(one.reserve(1_000_000) ?? assert.fail(), 1_000_000);
    one.book.tick();
    assert.equal(one.notices.length, 2);
  });

  it('are told as reached where they stopped a request of a caller, for no unknown price and for no copy, and not in vain before they are', async () => {
    const server = await new Server('stopped', [daily], clockAt(noon)).ready();
    const stopped = (more: Partial<Receipt>, unpriced?: true): void => {
      const plan: Receipt['plan'] = { ...aReceipt('p').plan, budgets: [{ name: 'daily', period: 'day', per: 'everything', limitMicroUsd: 1_000_000, leftMicroUsd: 1_000_000, resetsAt: noon, did: 'stopped', unpriced }] };
      server.book.ended(aReceipt('x', { inbound: 'http', outcome: 'failed', plan, ...more }));
    };
    stopped({}, true);
    stopped({ shadow: { of: 'y', route: 'auto', arm: 'shadow' } });
    assert.deepEqual(server.notices, []);
    stopped({});
    assert.deepEqual(server.notices.map(({ kind }) => kind), ['budget-reached']);
  });

  it('for each of something tell of those that something is asked for, not of all that are past when they are set', async () => {
    const ledger = new InMemoryLedger();
    for (const tool of ['one', 'two', 'three']) spent(ledger, noon - hour, 1_100_000, { caller: { tool } });
    const server = await new Server('told each', [{ ...daily, per: 'tool' }], clockAt(noon), ledger).ready();
    server.book.tick();
    assert.deepEqual([server.book.statuses()?.length, server.notices], [3, []]);
    server.allowances.left(server.of({ tool: 'two' }));
    server.book.tick();
    assert.deepEqual(server.notices.map(({ budget }) => budget?.key), [server.status('two').key]);
  });

  it('of tokens are counted apart where their names are one, also where a configured budget has that name', async () => {
    const clock = clockAt(noon);
    const tokens = new TokenBook(createTokenStore({ dataDir: path.join(folder, 'one name, tokens'), clock, log: silentLog }), clock);
    const access = { ...fullAccess, dayMicroUsd: 1_000_000 };
    const made = tokens.create({ name: 'ci', access });
    tokens.setTool('ci', access, 'token-of-the-tool');
    const id = 'access' in made ? made.access.id : assert.fail();
    const server = new Server('one name', [{ ...daily, name: 'ci', per: 'token' }], clock);
    server.ofTokens = tokens.budgets;
    await server.ready();
    const spend = (token: string, microUsd: number): void => {
      server.allowances.settle(server.reserve(microUsd, { token }) ?? assert.fail(), microUsd);
      spent(server.ledger, clock.at, microUsd, { caller: { tool: 'test', token } });
    };
    spend(id, 900_000);
    spend('ci', 300_000);
    clock.at += hour;
    server.book.tick();
    await new Promise(resolve => { setTimeout(resolve, 20); });
    server.book.tick();
    const figures = server.book.statuses()?.map(({ of, spentMicroUsd }) => [of, spentMicroUsd]).sort();
    assert.deepEqual(figures, [['ci', 300_000], ['ci', 300_000], [id, 900_000], [id, 900_000]].sort());
    assert.equal(server.reserve(100_001, { token: id }), undefined);
    assert.equal(server.reserve(700_001, { token: 'ci' }), undefined);
    assert.ok(server.reserve(700_000, { token: 'ci' }));
    tokens.close();
  });

  it('that are new read the ledger where another token of their name has a budget already', async () => {
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 900_000, { caller: { tool: 'test', token: 'ci-b' } });
    const server = new Server('new of a name', [], clockAt(noon), ledger);
    server.ofTokens = [ofToken('ci-a', 'day')];
    await server.ready();
    server.ofTokens = [...server.ofTokens, ofToken('ci-b', 'day')];
    await server.ready();
    assert.equal(server.reserve(100_001, { token: 'ci-b' }), undefined);
  });

  it('are read though they change while they are read for the first time', async () => {
    const ledger = new InMemoryLedger();
    spent(ledger, noon - hour, 900_000);
    const clock = clockAt(noon);
    const server = new Server('changes while read', [daily], clock, ledger);
    const read = ledger.spend.bind(ledger);
    ledger.spend = () => Promise.reject(new LedgerUnavailableError('locked'));
    await server.ready();
    server.config = { ...server.config, budgets: [{ ...daily, warnAt: 0.5 }] };
    assert.match(server.book.whyUnread(server.of()) ?? '', /cannot be read/);
    ledger.spend = read;
    clock.at += 1_000;
    await server.ready();
    assert.equal(server.reserve(100_001), undefined);
  });

  it('of many tokens keep what is spent after the ledger was asked for all of them', async () => {
    const clock = clockAt(noon);
    const server = new Server('asked once', [], clock);
    server.ofTokens = [ofToken('ci-a', 'day'), ofToken('ci-b', 'day')];
    await server.ready();
    const forget = server.allowances.forget.bind(server.allowances);
    server.allowances.forget = prefix => {
      forget(prefix);
      if (!prefix.includes('ci-a')) return;
      server.allowances.settle(server.reserve(900_000, { token: 'ci-b' }) ?? assert.fail(), 900_000);
      clock.at += 6_000;
    };
    spent(server.ledger, noon, 1);
    clock.at += hour;
    server.book.tick();
    await new Promise(resolve => { setTimeout(resolve, 20); });
    assert.equal(server.reserve(100_001, { token: 'ci-b' }), undefined);
  });

  it('of many tokens ask the store once for what peers counted', async () => {
    const clock = clockAt(noon);
    const store = createAllowanceStore({ dataDir: path.join(folder, 'many tokens'), clock, log: silentLog });
    let transactions = 0;
    const counting: AllowanceStore = { transact: work => { transactions += 1; return store.transact(work); }, revision: () => store.revision(), beat: () => { store.beat(); }, close: () => { store.close(); } };
    const ofTokens = Array.from({ length: 100 }, (_, index) => ofToken(`ci-${String(index)}`, 'day'));
    const server = new Server('many tokens', [], clock, undefined, counting);
    const peer = new Server('many tokens', [], clock);
    server.ofTokens = ofTokens;
    peer.ofTokens = ofTokens;
    await Promise.all([server.ready(), peer.ready()]);
    server.book.tick();
    peer.allowances.settle(peer.reserve(900_000, { token: 'ci-7' }) ?? assert.fail(), 900_000);
    clock.at += 1_000;
    transactions = 0;
    server.book.tick();
    assert.ok(transactions > 0 && transactions < 10, String(transactions));
    assert.equal(server.book.statuses()?.find(({ of }) => of === 'ci-7')?.spentMicroUsd, 900_000);
  });

  it('of a day and of a month of one token are told as reached each for itself', async () => {
    const server = new Server('day and month', [], clockAt(noon));
    server.ofTokens = [ofToken('ci-a', 'day'), ofToken('ci-a', 'month')];
    await server.ready();
    const stopped = (period: 'day' | 'month'): void => {
      const plan: Receipt['plan'] = { ...aReceipt('p').plan, budgets: [{ name: 'ci', period, per: 'token', of: 'ci-a', limitMicroUsd: 1_000_000, leftMicroUsd: 0, resetsAt: noon, did: 'stopped' }] };
      server.book.ended(aReceipt('x', { inbound: 'http', outcome: 'failed', plan }));
    };
    stopped('month');
    stopped('day');
    assert.deepEqual(server.notices.map(({ budget }) => budget?.period), ['month', 'day']);
  });

  it('are lifted until they begin anew, and hold again when that is taken back', async () => {
    const clock = clockAt(noon);
    const server = await new Server('lift', [daily], clock).ready();
    server.book.act({ action: 'lift', budget: 'daily' });
    server.allowances.settle(server.reserve(7_000_000) ?? assert.fail(), 7_000_000);
    assert.deepEqual([server.status().lifted, server.status().leftMicroUsd], [true, undefined]);
    server.book.act({ action: 'restore', budget: 'daily' });
    assert.deepEqual([server.status().leftMicroUsd, server.reserve(1)], [-6_000_000, undefined]);
    server.book.act({ action: 'lift', budget: 'daily' });
    clock.at += 24 * hour;
    assert.equal(server.status().lifted, undefined);
    const { key } = server.status();
    for (const budget of ['nothing', `${key}something`, `${key}%`, `${key}%E0%A4%A`, `${key}\ud800`]) assert.deepEqual(server.book.act({ action: 'allow', budget }), { refused: `There is no budget "${budget}" now.` });
    assert.ok('refused' in server.book.act({ action: 'allow', budget: 'daily', usd: -1 }));
  });

  it('hold again with all that was allowed in any window, and allow no more than what can be counted', async () => {
    const clock = clockAt(noon);
    const [one, other] = [await new Server('restored', [daily], clock).ready(), await new Server('restored', [daily], clock).ready()];
    one.book.act({ action: 'allow', budget: 'daily' });
    other.book.act({ action: 'allow', budget: 'daily', usd: 2 });
    one.book.act({ action: 'restore', budget: 'daily' });
    assert.equal(one.status().leftMicroUsd, 1_000_000);
    other.book.tick();
    assert.equal(other.status().leftMicroUsd, 1_000_000);
    for (const { allowances, of } of [one, other].map(server => ({ allowances: server.allowances, of: server.of() }))) for (let times = 0; times < 20; times += 1) allowances.allow(of, 1e15);
    one.book.tick();
    assert.deepEqual([one, other].map(({ allowances, book }) => [allowances.known(one.status().key)?.extra, book.statuses()?.[0]?.lifted]), [[2e15, true], [2e15, true]]);
    one.book.act({ action: 'restore', budget: 'daily' });
    assert.equal(one.status().leftMicroUsd, 1_000_000);
  });

  it('go on counting while the ledger cannot be read, and from what the folder has', async () => {
    const clock = clockAt(noon);
    const first = await new Server('unreadable', [daily], clock).ready();
    first.allowances.settle(first.reserve(300_000) ?? assert.fail(), 300_000);
    const ledger = new InMemoryLedger();
    ledger.spend = () => Promise.reject(new LedgerUnavailableError('locked'));
    const next = await new Server('unreadable', [daily], clock, ledger).ready();
    next.book.tick();
    assert.equal(next.book.whyUnread(next.of()), undefined);
    assert.deepEqual(next.figures(), [300_000, 0, 700_000]);
  });

  it('tell the folder what a request cost that ended while another server held it', async () => {
    const store = createAllowanceStore({ dataDir: path.join(folder, 'held'), clock: clockAt(noon), log: silentLog });
    let isHeld = false;
    const sometimes: AllowanceStore = { transact: work => (isHeld ? { done: false, busy: true } : store.transact(work)), revision: () => store.revision(), beat: () => { store.beat(); }, close: () => { store.close(); } };
    const server = await new Server('held', [daily], clockAt(noon), new InMemoryLedger(), sometimes).ready();
    const peer = await new Server('held', [daily], clockAt(noon)).ready();
    const running = server.reserve(400_000) ?? assert.fail();
    isHeld = true;
    server.allowances.settle(running, 100_000);
    isHeld = false;
    server.book.tick();
    peer.book.tick();
    assert.deepEqual(peer.figures(), [100_000, 0, 900_000]);
  });
});
