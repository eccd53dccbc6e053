import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attempt, Cost, Receipt, SpendTotals } from '../../../server/api/receipt.ts';
import type { SpendFilter } from '../../../server/api/reports/dashboard.ts';
import type { Ledger } from '../../../server/ledger/ports.ts';
import { hedgeSpend, polled, spendByEndpoint } from './reads.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from './receipts.ts';

/** The contract of every ledger. `make` returns a new, empty one. */
export function ledgerContract(name: string, make: () => Ledger): void {
  describe(name, () => {
    it('gives back a receipt as it was handed in', async () => {
      const ledger = make();
      const receipt = aReceipt('x-1');
      ledger.open(running({ ...receipt, attempts: [] }));
      ledger.close(receipt);
      assert.deepEqual(await ledger.receipt('x-1'), receipt);
      assert.equal(await ledger.receipt('x-2'), undefined);
      ledger.shutdown();
    });

    it('gives back what the response cache made of a request, and sums what it saved', async () => {
      const ledger = make();
      const hit = aReceipt('h-1', { attempts: [], target: 'openai/gpt-4.1', cache: { state: 'hit', of: 'x-1', ageMs: 1_500, savedMicroUsd: 700 } });
      ledger.close(hit);
      ledger.close(aReceipt('h-2', { attempts: [], cache: { state: 'shared', of: 'x-1', savedMicroUsd: 300, savedEstimated: true } }));
      ledger.close(aReceipt('h-3', { attempts: [], cache: { state: 'hit', of: 'x-2', ageMs: 1 } }));
      ledger.close(aReceipt('h-4', { cache: { state: 'bypass', why: 'it has tools' } }));
      assert.deepEqual(await ledger.receipt('h-1'), hit);
      assert.deepEqual((await ledger.receipt('h-4'))?.cache, { state: 'bypass', why: 'it has tools' });
      assert.deepEqual((await ledger.recent(10)).find(({ id }) => id === 'h-1')?.cache, hit.cache);
      assert.deepEqual((await ledger.spend({ from: noon, to: noon + 1 })).cached, { exchanges: 3, savedMicroUsd: 1_000, estimatedMicroUsd: 300, unknown: 1 });
      assert.equal((await ledger.spend({ from: noon + 1, to: noon + 2 })).cached, undefined);
      ledger.shutdown();
    });

    it('gives back what a cost does not hold', async () => {
      const ledger = make();
      const cost = { microUsd: 10_500, certainty: 'estimated', priceSource: 'genai-prices 0.1.8', unpriced: ['code execution', 'service tier priority'] } as const;
      const receipt = aReceipt('x-1', { attempts: [anAttempt({ cost: { ...cost } })] });
      ledger.close(receipt);
      const read = await ledger.receipt('x-1');
      assert.deepEqual([read?.attempts[0]?.cost, read?.cost.unpriced], [cost, cost.unpriced]);
      ledger.shutdown();
    });

    it('sums what is covered and what has no price, with its names, in the total, each group and each day', async () => {
      const ledger = make();
      const cost = (unpriced?: string[]): Cost => ({ microUsd: 10, certainty: 'estimated', priceSource: 'genai-prices 0.1.8', priceAsOf: '2026-09-23', ...(unpriced === undefined ? {} : { unpriced }) });
      const covered: Cost = { microUsd: 0, certainty: 'exact', priceSource: 'subscription' };
      ledger.close(aReceipt('p-1', { attempts: [anAttempt({ cost: cost(['shell', 'audio tokens']) })] }));
      ledger.close(aReceipt('p-2', { attempts: [anAttempt({ cost: cost(['audio tokens']), endpoint: 'south' })] }));
      ledger.close(aReceipt('p-3', { attempts: [anAttempt({ cost: covered, endpoint: 'plan' })] }));
      ledger.close(aReceipt('p-4', { attempts: [anAttempt({ cost: cost() })] }));
      ledger.close(aReceipt('p-5', { attempts: [anAttempt({ cost: { ...covered, priceSource: 'simulated' }, endpoint: 'simulated-a' })] }));
      const { totals, byEndpoint, byTool, byDay } = await ledger.spend({ from: noon - 1, to: noon + 1 });
      const parts = { unpricedAttempts: 2, unpriced: ['audio tokens', 'shell'], coveredAttempts: 2 };
      const told = ({ unpricedAttempts, unpriced, coveredAttempts }: Partial<SpendTotals>): unknown => ({ unpricedAttempts, unpriced, coveredAttempts });
      for (const sum of [totals, byTool[0], byDay[0]]) assert.deepEqual(told(sum ?? {}), parts);
      const of = (name: string): unknown => told(byEndpoint.find(group => group.name === name) ?? {});
      assert.deepEqual(of('openai'), { unpricedAttempts: 1, unpriced: ['audio tokens', 'shell'], coveredAttempts: undefined });
      assert.deepEqual(of('south'), { unpricedAttempts: 1, unpriced: ['audio tokens'], coveredAttempts: undefined });
      assert.deepEqual(of('simulated-a'), { unpricedAttempts: undefined, unpriced: undefined, coveredAttempts: 1 });
      assert.deepEqual(of('plan'), { unpricedAttempts: undefined, unpriced: undefined, coveredAttempts: 1 });
      assert.deepEqual((await ledger.spendStart({ from: noon - 1, to: noon + 1 })).byEndpoint.get('south')?.unpriced, ['audio tokens']);
      assert.equal((await ledger.receipt('p-1'))?.attempts[0]?.cost.priceAsOf, '2026-09-23');
      ledger.shutdown();
    });

    it('says what a provider may have charged for, by day and model, and which attempts are not exact or run over midnight', async () => {
      const ledger = make();
      const midnight = Date.UTC(2026, 10, 21);
      ledger.close(aReceipt('b-1', { attempts: [anAttempt({ cost: { certainty: 'unknown' }, usage: {} })] }));
      ledger.close(aReceipt('b-2', { attempts: [anAttempt({ cost: { microUsd: 7, certainty: 'estimated', priceSource: 'genai-prices 0.1.8', unpriced: ['shell'] } }), anAttempt({ number: 2, endpoint: 'south' })] }));
      ledger.close(aReceipt('b-3', { startedAt: midnight - 400, attempts: [anAttempt({ startedAt: midnight - 400 })] }));
      ledger.close(aReceipt('b-4', { startedAt: midnight, attempts: [anAttempt({ startedAt: midnight, usage: {}, cost: { microUsd: 0, certainty: 'exact' } })] }));
      const range = { from: noon - 1, to: midnight + 1 };
      const { models, attempts } = await ledger.bill(range, ['openai'], 0);
      assert.deepEqual(models.map(({ day, upstreamModel, requests, microUsd, tokens: count }) => [day, upstreamModel, requests, microUsd, count]).sort(), [
        ['2026-11-20', 'gpt-4.1', 3, 2_807, 2_200], ['2026-11-21', 'gpt-4.1', 0, 0, 0],
      ]);
      assert.deepEqual(models.find(({ day }) => day === '2026-11-20')?.priceSources.sort(), ['config', 'genai-prices 0.1.8']);
      assert.deepEqual(models.map(({ day, estimated, unknown }) => [day, estimated, unknown]).sort(), [['2026-11-20', 1, 2], ['2026-11-21', 0, 0]]);
      assert.deepEqual(attempts.map(({ exchangeId, certainty, unpriced, crossesMidnight }) => [exchangeId, certainty, unpriced, crossesMidnight]).sort(), [
        ['b-1', 'unknown', [], false], ['b-2', 'estimated', ['shell'], false], ['b-3', 'exact', [], true],
      ]);
      const shifted = await ledger.bill(range, ['openai', 'south'], 12 * 3_600_000);
      assert.deepEqual([...new Set(shifted.models.map(({ day }) => day))], ['2026-11-21']);
      assert.deepEqual((await ledger.bill({ from: 0, to: 1 }, ['openai'], 0)).models, []);
      ledger.shutdown();
    });

    it('keeps what was never known unknown', async () => {
      const ledger = make();
      const bare = anAttempt({ usage: {}, cost: { certainty: 'unknown' }, outcome: 'ok' });
      delete bare.keyLabel;
      delete bare.keyLast4;
      delete bare.headersMs;
      delete bare.firstTokenMs;
      delete bare.status;
      const receipt = aReceipt('x-1', { attempts: [bare], caller: { tool: 'http' } });
      delete receipt.firstTokenMs;
      ledger.close(receipt);
      const read = await ledger.receipt('x-1');
      assert.deepEqual(read, receipt);
      assert.deepEqual(read?.cost, { certainty: 'unknown' });
      ledger.shutdown();
    });

    it('shows a running exchange as open, with the attempts and usage so far', async () => {
      const ledger = make();
      const failed = anAttempt({ outcome: 'failed', failureClass: 'overloaded', message: 'Overloaded.', status: 529, usage: {}, cost: { microUsd: 0, certainty: 'exact' } });
      const stream = anAttempt({ number: 2, endpoint: 'claude', model: 'claude-sonnet-4.5', outcome: 'interrupted', usage: tokens(10, 5), cost: exact(60) });
      ledger.open(running(aReceipt('x-1', { attempts: [failed] })));
      ledger.flush();
      ledger.progress(running(aReceipt('x-1', { attempts: [failed, stream] })));
      assert.equal((await ledger.receipt('x-1'))?.outcome, 'open');
      assert.deepEqual((await ledger.receipt('x-1'))?.usage, { inputTokens: 10, outputTokens: 5 });
      const done = aReceipt('x-1', { attempts: [failed, { ...stream, outcome: 'ok', usage: tokens(10, 50), cost: exact(600) }] });
      ledger.close(done);
      assert.deepEqual(await ledger.receipt('x-1'), done);
      assert.equal((await ledger.spend({ from: noon, to: noon + 1 })).totals.microUsd, 600);
      ledger.shutdown();
    });

    it('gives an attempt its price when that is known later than its end, and changes nothing else', async () => {
      const ledger = make();
      const priced = aReceipt('x-1', { attempts: [anAttempt({ outcome: 'failed', failureClass: 'server', message: 'It broke.' }), anAttempt({ number: 2 })] });
      const bare = { ...priced, attempts: priced.attempts.map(attempt => ({ ...attempt, cost: { certainty: 'unknown' as const } })), cost: { certainty: 'unknown' as const } };
      ledger.progress(bare);
      ledger.flush();
      ledger.close(priced);
      ledger.flush();
      assert.deepEqual(await ledger.receipt('x-1'), priced);
      assert.equal((await ledger.spend({ from: noon, to: noon + 1 })).totals.microUsd, 5_600);
      ledger.shutdown();
    });

    it('does not let a late progress report reopen an exchange that has ended', async () => {
      const ledger = make();
      const done = aReceipt('x-1');
      ledger.close(done);
      ledger.progress(running(done));
      assert.equal((await ledger.receipt('x-1'))?.outcome, 'ok');
      ledger.progress(running(done));
      ledger.flush();
      assert.equal((await ledger.receipt('x-1'))?.outcome, 'ok');
      ledger.shutdown();
    });

    it('keeps the latest note on each key, model and limit', async () => {
      const ledger = make();
      const about = { endpoint: 'openai', keyFingerprint: 'ab' };
      ledger.publishNote({ ...about, kind: 'state', state: 'rejected', at: noon });
      ledger.publishNote({ ...about, kind: 'state', state: 'cooling', model: 'm', at: noon, until: noon + 5000 });
      ledger.publishNote({ ...about, kind: 'requests', model: 'm', at: noon, remaining: 3 });
      ledger.publishNote({ ...about, kind: 'requests', model: 'm', at: noon + 10, remaining: 0, limit: 60, resetAt: noon + 9000 });
      assert.equal((await ledger.notes()).length, 3);
      ledger.publishNote({ ...about, kind: 'state', state: 'ok', at: noon + 20 });
      ledger.publishNote({ ...about, keyFingerprint: '', kind: 'tokens', model: 'm', at: noon, remaining: 0 });
      assert.equal((await ledger.notes()).length, 4);
      ledger.publishNote({ ...about, kind: 'state', state: 'rejected', at: noon + 10 });
      const notes = await ledger.notes();
      assert.deepEqual(notes.find((note) => note.kind === 'state' && note.model === undefined), { ...about, kind: 'state', state: 'ok', at: noon + 20 });
      assert.deepEqual(notes.find((note) => note.kind === 'state' && note.model === 'm'), { ...about, kind: 'state', state: 'cooling', model: 'm', at: noon, until: noon + 5000 });
      assert.deepEqual(notes.find((note) => note.kind === 'requests'), { ...about, kind: 'requests', model: 'm', at: noon + 10, remaining: 0, limit: 60, resetAt: noon + 9000 });
      assert.deepEqual(notes.find((note) => note.kind === 'tokens'), { ...about, keyFingerprint: '', kind: 'tokens', model: 'm', at: noon, remaining: 0 });
      assert.deepEqual(polled(ledger).notes, [], 'a server does not poll its own notes');
      ledger.shutdown();
    });

    it('keeps the latest note on each part that a target refused', async () => {
      const ledger = make();
      const about = { kind: 'repair', endpoint: 'openai', place: 'p', model: 'openai-chat m' } as const;
      const seed = '{"kind":"drop","name":"seed"}';
      const store = '{"kind":"drop","name":"store"}';
      ledger.publishNote({ ...about, repair: seed, at: noon, until: noon + 5000 });
      ledger.publishNote({ ...about, repair: store, at: noon, until: noon + 5000 });
      ledger.publishNote({ ...about, place: 'q', repair: seed, at: noon, until: noon + 5000 });
      assert.equal((await ledger.notes()).length, 3);
      ledger.publishNote({ ...about, repair: seed, at: noon + 10 });
      ledger.publishNote({ ...about, repair: store, at: noon - 10 });
      const notes = (await ledger.notes()).flatMap((note) => (note.kind === 'repair' && note.place === 'p' ? [note] : []));
      assert.deepEqual(notes.sort((a, b) => a.at - b.at), [{ ...about, repair: store, at: noon, until: noon + 5000 }, { ...about, repair: seed, at: noon + 10 }]);
      ledger.shutdown();
    });

    it('says how many parts of a cost are unknown beside what is known', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1', { attempts: [anAttempt({ outcome: 'failed', failureClass: 'timeout', usage: {}, cost: { certainty: 'unknown' } }), anAttempt({ number: 2, cost: exact(700) })] }));
      assert.deepEqual((await ledger.receipt('x-1'))?.cost, { microUsd: 700, certainty: 'estimated', unknownParts: 1, priceSource: 'config' });
      assert.deepEqual((await ledger.recent(1))[0]?.cost, { microUsd: 700, certainty: 'estimated', unknownParts: 1, priceSource: 'config' });
      ledger.shutdown();
    });

    it('knows which keys answered', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1', { attempts: [anAttempt({ keyId: 'k1' }), anAttempt({ number: 2, keyId: 'k2', outcome: 'failed', failureClass: 'auth' }), anAttempt({ number: 3, keyId: undefined })] }));
      assert.deepEqual(await ledger.keysUsed(), [{ endpoint: 'openai', keyId: 'k1', keyLast4: 'wxyz' }]);
      ledger.shutdown();
    });

    it('lists the latest exchanges first, page by page', async () => {
      const ledger = make();
      for (let index = 0; index < 5; index += 1) ledger.close(aReceipt(`x-${index}`, { startedAt: noon + index }));
      assert.deepEqual((await ledger.recent(2)).map((line) => line.id), ['x-4', 'x-3']);
      assert.deepEqual((await ledger.recent(10, noon + 3)).map((line) => line.id), ['x-2', 'x-1', 'x-0']);
      const [line] = await ledger.recent(1);
      assert.deepEqual(line, {
        id: 'x-4', startedAt: noon + 4, requestedModel: 'auto', target: 'openai/gpt-4.1', attempts: 1, failedAttempts: 0, outcome: 'ok', totalMs: 910, firstTokenMs: 260,
        usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 }, cost: { microUsd: 2_800, certainty: 'exact', priceSource: 'config' },
        caller: { tool: 'claude-code', workspace: 'shop', branch: 'main', conversation: 'c-1', purpose: 'agent', extension: 'acme.helper', token: 'ci-x4k2', user: 'mai', team: 'shop' },
      });
      ledger.shutdown();
    });

    it('gives the exchanges of a range in the order of their start, page by page, with what they required', async () => {
      const ledger = make();
      const requirements = { tools: true, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 900 };
      for (const [id, offset] of [['x-3', 3], ['x-1', 1], ['x-1b', 1], ['x-9', 9], ['x-0', 0]] as const) {
        ledger.close(aReceipt(id, { startedAt: noon + offset, plan: { ...aReceipt(id).plan, requirements } }));
      }
      const range = { from: noon + 1, to: noon + 9 };
      const ids: string[] = [];
      let page = await ledger.receiptsIn(range, 2);
      for (;;) {
        ids.push(...page.receipts.map(({ id }) => id));
        assert.deepEqual(page.receipts.map(({ plan, attempts }) => [plan.requirements, attempts.length]), page.receipts.map(() => [requirements, 1]));
        if (page.next === undefined) break;
        page = await ledger.receiptsIn(range, 2, page.next);
      }
      assert.deepEqual(ids, ['x-1', 'x-1b', 'x-3']);
      ledger.shutdown();
    });

    it('counts what failed attempts cost, marks estimates, and leaves unknown cost out of every sum', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1', { attempts: [
        anAttempt({ outcome: 'failed', failureClass: 'server', cost: exact(500) }),
        anAttempt({ number: 2, endpoint: 'claude', model: 'claude-sonnet-4.5', cost: { microUsd: 300, certainty: 'estimated', priceSource: 'genai-prices' } }),
      ] }));
      ledger.close(aReceipt('x-2', { caller: { tool: 'vscode-chat' }, attempts: [anAttempt({ endpoint: 'relay', cost: { certainty: 'unknown' } })] }));
      ledger.close(aReceipt('x-3', { outcome: 'failed', failureClass: 'network', attempts: [anAttempt({
        endpoint: 'relay', outcome: 'failed', failureClass: 'network', usage: {}, cost: { certainty: 'unknown' } })] }));
      const report = await ledger.spend({ from: noon - 1_000, to: noon + 1_000 });
      assert.deepEqual(report.totals, {
        microUsd: 800, estimatedMicroUsd: 300, unknownAttempts: 2, exchanges: 3,
        usage: { inputTokens: 3_000, cacheReadTokens: 0, outputTokens: 300 },
      });
      assert.deepEqual(report.byEndpoint.map((group) => [group.name, group.microUsd, group.estimatedMicroUsd, group.unknownAttempts, group.exchanges]), [
        ['openai', 500, 0, 0, 0], ['claude', 300, 300, 0, 1], ['relay', 0, 0, 2, 2],
      ]);
      assert.deepEqual(report.byModel.map((group) => group.name), ['gpt-4.1', 'claude-sonnet-4.5']);
      assert.deepEqual(report.byTool.map((group) => [group.name, group.microUsd]), [['claude-code', 800], ['vscode-chat', 0]]);
      assert.deepEqual(report.byWorkspace.map((group) => [group.name, group.microUsd]), [['shop', 800], ['(no workspace)', 0]]);
      assert.deepEqual(await spendByEndpoint(ledger, { from: noon, to: noon + 1 }), new Map([
        ['openai', { microUsd: 500, estimated: false, unknown: 0 }],
        ['claude', { microUsd: 300, estimated: true, unknown: 0 }],
        ['relay', { microUsd: 0, estimated: false, unknown: 2 }],
      ]));
      ledger.shutdown();
    });

    it('says of each branch what is known of its cost, and how many attempts have more that is not', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1', { caller: { tool: 'codex', branch: 'main' }, attempts: [anAttempt({ cost: exact(500) }), anAttempt({ number: 2, cost: { ...exact(300), unpriced: ['searches'] } }), anAttempt({ number: 3, cost: { certainty: 'unknown' } })] }));
      assert.deepEqual(await ledger.spentBy({ from: noon - 1_000, to: noon + 1_000 }, 'branch'), [{ name: 'main', microUsd: 800, unknown: 2 }]);
      ledger.shutdown();
    });

    it('says how the requests of each route ended in a range, and how long they took', async () => {
      const ledger = make();
      const { plan } = aReceipt('x');
      const coding = { ...plan, route: 'coding' };
      ledger.close(aReceipt('x-1', { plan: coding, totalMs: 500, firstTokenMs: 100 }));
      ledger.close(aReceipt('x-2', { plan: coding, totalMs: 501, firstTokenMs: undefined, outcome: 'failed', failureClass: 'server' }));
      // It began before the range and ended in it.
      ledger.close(aReceipt('x-3', { plan: coding, startedAt: noon - 60_000, totalMs: 60_500, firstTokenMs: 5_000 }));
      ledger.close(aReceipt('x-4', { startedAt: noon - 60_000, totalMs: 10 }));
      ledger.close(aReceipt('x-5', { totalMs: 20, firstTokenMs: 20 }));
      ledger.close(aReceipt('x-6', { plan: coding, shadow: { of: 'x-1', route: 'coding', arm: 'shadow' } }));
      ledger.open(running(aReceipt('x-7', { plan: coding })));
      const found = (await ledger.outcomes({ from: noon, to: noon + 1_000 }, [100, 500])).sort((one, other) => one.route.localeCompare(other.route));
      assert.deepEqual(found, [
        { route: '', requests: 1, failed: 0, totalCounts: [1, 0, 0], firstTokenCounts: [1, 0, 0] },
        { route: 'coding', requests: 3, failed: 1, totalCounts: [0, 1, 2], firstTokenCounts: [1, 0, 1] },
      ]);
      ledger.shutdown();
    });

    it('counts what a shadow sent as spent, and as no exchange', async () => {
      const ledger = make();
      const shadow = { of: 'x-1', route: 'coding', arm: 'repeat' } as const;
      const copy = aReceipt('x-2', { caller: { tool: 'shadow' }, attempts: [anAttempt({ role: 'shadow', cost: exact(700) })], shadow });
      ledger.close(aReceipt('x-1', { attempts: [anAttempt({ cost: exact(500) })] }));
      ledger.close(copy);
      const { totals, byTool } = await ledger.spend({ from: noon - 1_000, to: noon + 1_000 });
      assert.deepEqual([totals.microUsd, totals.exchanges], [1_200, 1]);
      assert.deepEqual(byTool.map(({ name, microUsd, exchanges }) => [name, microUsd, exchanges]), [['shadow', 700, 0], ['claude-code', 500, 1]]);
      assert.deepEqual((await ledger.used({ from: noon - 1_000, to: noon + 1_000 }, undefined, 10)).exchanges.map(({ id }) => id), ['x-1']);
      assert.deepEqual(await ledger.receipt('x-2'), copy);
      assert.deepEqual((await ledger.recent(2)).map(one => one.shadow).sort(), [shadow, undefined]);
      ledger.shutdown();
    });

    it('counts an interrupted attempt of unknown cost as unknown once it has ended, not while it runs', async () => {
      const ledger = make();
      const attempts = [anAttempt({ outcome: 'interrupted', usage: {}, cost: { certainty: 'unknown' } })];
      const unknown = async (): Promise<number | undefined> => (await spendByEndpoint(ledger, { from: noon, to: noon + 1 })).get('openai')?.unknown;
      ledger.open(running(aReceipt('x-1', { attempts })));
      assert.equal(await unknown(), 0);
      ledger.close(aReceipt('x-1', { outcome: 'interrupted', attempts }));
      assert.equal(await unknown(), 1);
      ledger.shutdown();
    });

    it('takes a range as half open', async () => {
      const ledger = make();
      for (const at of [noon - 1, noon, noon + 999, noon + 1_000]) {
        ledger.close(aReceipt(`x-${at}`, { startedAt: at, attempts: [anAttempt({ startedAt: at, cost: exact(1) })] }));
      }
      assert.equal((await ledger.spend({ from: noon, to: noon + 1_000 })).totals.microUsd, 2);
      assert.equal((await ledger.spend({ from: noon, to: noon + 1_000 })).totals.exchanges, 2);
      assert.equal((await ledger.spend({ from: noon, to: noon })).totals.microUsd, 0);
      ledger.shutdown();
    });

    it('has one bar for each local day, also for days without spend', async () => {
      const ledger = make();
      const from = new Date(2026, 10, 1).getTime();
      const to = new Date(2026, 10, 4).getTime();
      const lastMoment = new Date(2026, 10, 2).getTime() - 1;
      const afternoon = new Date(2026, 10, 3, 15, 30).getTime();
      ledger.close(aReceipt('x-1', { startedAt: lastMoment, attempts: [anAttempt({ startedAt: lastMoment, cost: exact(7) })] }));
      ledger.close(aReceipt('x-2', { startedAt: afternoon, attempts: [anAttempt({ startedAt: afternoon, cost: { microUsd: 5, certainty: 'estimated' } })] }));
      ledger.close(aReceipt('x-3', { startedAt: afternoon, attempts: [anAttempt({ startedAt: afternoon, cost: { certainty: 'unknown' } })] }));
      assert.deepEqual((await ledger.spend({ from, to })).byDay, [
        { day: '2026-11-01', microUsd: 7, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 1 },
        { day: '2026-11-02', microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0 },
        { day: '2026-11-03', microUsd: 5, estimatedMicroUsd: 5, unknownAttempts: 1, exchanges: 2 },
      ]);
      ledger.shutdown();
    });

    it('says which buckets of a sum some attempts did not report, and leaves out attempts that used nothing', async () => {
      const ledger = make();
      ledger.close(aReceipt('x-1', { attempts: [anAttempt({ usage: { inputTokens: 10, cacheWriteTokens: 0, outputTokens: 5 } })] }));
      ledger.close(aReceipt('x-2', { attempts: [anAttempt({ endpoint: 'claude', usage: { inputTokens: 7, outputTokens: 3 } })] }));
      ledger.close(aReceipt('x-3', { outcome: 'failed', attempts: [anAttempt({ endpoint: 'relay', outcome: 'failed', usage: {}, cost: exact(0) })] }));
      const { totals, byEndpoint, byModel } = await ledger.spend({ from: noon, to: noon + 1_000 });
      assert.deepEqual(totals.usage, { inputTokens: 17, cacheWriteTokens: 0, outputTokens: 8 });
      assert.deepEqual(totals.incompleteUsage, ['cacheWriteTokens']);
      assert.deepEqual(byModel[0]?.incompleteUsage, ['cacheWriteTokens']);
      assert.deepEqual(byEndpoint.map((group) => group.incompleteUsage), [undefined, undefined, undefined]);
      ledger.shutdown();
    });

    it('has a spend that equals the sum of its receipts', async () => {
      const ledger = make();
      const receipts: Receipt[] = [];
      for (let index = 0; index < 300; index += 1) {
        const startedAt = noon + index * 333_333;
        const attempts = Array.from({ length: 1 + (index % 3) }, (_, number) => anAttempt({
          number: number + 1, endpoint: `e${(index + number) % 4}`, startedAt: startedAt + number, usage: tokens(index, number),
          cost: index % 7 === 0 ? { certainty: 'unknown' } : { microUsd: index * 13 + number, certainty: number === 1 ? 'estimated' : 'exact' },
        }));
        receipts.push(aReceipt(`x-${index}`, { startedAt, attempts }));
      }
      for (const receipt of receipts) ledger.close(receipt);
      const whole = { from: noon, to: noon + 301 * 333_333 };
      const read = await Promise.all(receipts.map((receipt) => ledger.receipt(receipt.id)));
      const sum = read.reduce((total, receipt) => total + (receipt?.cost.microUsd ?? 0), 0);
      const report = await ledger.spend(whole);
      assert.ok(sum > 0);
      assert.equal(report.totals.microUsd, sum);
      for (const groups of [report.byEndpoint, report.byModel, report.byTool, report.byWorkspace]) {
        assert.equal(groups.reduce((total, group) => total + group.microUsd, 0), sum);
        assert.equal(groups.reduce((total, group) => total + group.exchanges, 0), 300);
      }
      assert.equal(report.byDay.reduce((total, day) => total + day.microUsd, 0), sum);
      ledger.shutdown();
    });

    it('grows its revision with each finished exchange', async () => {
      const ledger = make();
      const before = ledger.revision();
      ledger.open(running(aReceipt('x-1')));
      assert.equal(ledger.revision(), before);
      ledger.close(aReceipt('x-1'));
      const after = ledger.revision();
      assert.ok(after > before);
      ledger.flush();
      assert.equal(ledger.revision(), after);
      ledger.shutdown();
    });

    it('gives the recent past to a server that starts', async () => {
      const ledger = make();
      ledger.close(aReceipt('old', { startedAt: noon - 3_600_000, attempts: [anAttempt({ startedAt: noon - 3_600_000 })] }));
      ledger.close(aReceipt('long', { startedAt: noon - 700_000, attempts: [anAttempt({ startedAt: noon - 700_000, totalMs: 650_000 })] }));
      ledger.close(aReceipt('new', { attempts: [anAttempt({ totalMs: 5 })] }));
      ledger.open(running(aReceipt('runs')));
      ledger.publishProbe({ endpoint: 'openai', at: noon - 700_000, ok: true, kind: 'probe' });
      ledger.publishProbe({ endpoint: 'openai', at: noon, ok: false, kind: 'probe', failureClass: 'server', message: 'Bad gateway.', latencyMs: 12.5 });
      assert.deepEqual((await ledger.recentAttempts(noon - 600_000)).map(({ endedAt }) => endedAt), [noon - 50_000, noon + 5]);
      assert.deepEqual(await ledger.recentHealth(noon - 600_000), [
        { endpoint: 'openai', at: noon, ok: false, kind: 'probe', failureClass: 'server', message: 'Bad gateway.', latencyMs: 12.5 },
      ]);
      ledger.shutdown();
    });

    it('says what second requests of a route cost since a moment, with unknown costs taken for the average', async () => {
      const ledger = make();
      const first = anAttempt({ outcome: 'cancelled', failureClass: 'cancelled', cost: exact(9_000) });
      const hedge = (microUsd: number | undefined, startedAt = noon): Attempt =>
        anAttempt({ number: 2, role: 'hedge', startedAt, cost: microUsd === undefined ? { certainty: 'unknown' } : exact(microUsd) });
      const of = (wanted: string): Receipt['plan'] => ({ ...aReceipt('x').plan, requestedModel: wanted });
      assert.equal(await hedgeSpend(ledger, 'auto', { from: 0, to: noon + 1_000 }), 0);
      ledger.close(aReceipt('x-1', { attempts: [first, hedge(undefined)] }));
      assert.equal(await hedgeSpend(ledger, 'auto', { from: 0, to: noon + 1_000 }), 0);
      ledger.close(aReceipt('x-2', { attempts: [first, hedge(1_000)] }));
      ledger.close(aReceipt('x-3', { attempts: [first, hedge(3_000, noon + 10)] }));
      ledger.close(aReceipt('x-4', { plan: of('other'), attempts: [first, hedge(50_000)] }));
      ledger.close(aReceipt('x-5', { attempts: [first, anAttempt({ number: 2, role: 'resume', cost: exact(700) })] }));
      assert.equal(await hedgeSpend(ledger, 'auto', { from: noon, to: noon + 1_000 }), 6_000);
      assert.equal(await hedgeSpend(ledger, 'auto', { from: noon + 1, to: noon + 1_000 }), 3_000);
      assert.equal(await hedgeSpend(ledger, 'other', { from: noon, to: noon + 1_000 }), 50_000);
      assert.equal(await hedgeSpend(ledger, 'auto', { from: noon + 11, to: noon + 1_000 }), 0);
      ledger.shutdown();
    });

    it('pages through the exchanges of a range in the order of their start, each with its attempts', async () => {
      const ledger = make();
      const plan = { ...aReceipt('x').plan, route: 'auto' };
      const at = [5, 1, 3, 3, 3, 9, 10];
      at.forEach((offset, index) => { ledger.close(aReceipt(`x-${index}`, { startedAt: noon + offset, plan, attempts: [anAttempt({ startedAt: noon + offset }), anAttempt({ number: 2, role: 'resume' })] })); });
      ledger.open(running(aReceipt('runs', { startedAt: noon + 4, attempts: [anAttempt({ outcome: 'interrupted' })] })));
      const read = async (limit: number): Promise<string[]> => {
        const ids: string[] = [];
        let page = await ledger.used({ from: noon + 1, to: noon + 10 }, undefined, limit);
        for (let pages = 0; pages < 20; pages += 1) {
          ids.push(...page.exchanges.map(({ id }) => id));
          if (page.next === undefined) return ids;
          page = await ledger.used({ from: noon + 1, to: noon + 10 }, page.next, limit);
        }
        return assert.fail('the pages have no end');
      };
      for (const limit of [1, 2, 3, 6, 100]) assert.deepEqual(await read(limit), ['x-1', 'x-2', 'x-3', 'x-4', 'x-0', 'x-5'], `${limit} at a time`);
      const { exchanges: [first] } = await ledger.used({ from: noon, to: noon + 2 }, undefined, 10);
      const { caller, features, outcome, protocol, stream, target, totalMs } = aReceipt('x-1');
      assert.deepEqual(first, {
        id: 'x-1', caller, features, outcome, protocol, stream, target, totalMs, startedAt: noon + 1, requestedModel: 'auto', route: 'auto', unreadable: 0,
        attempts: [anAttempt({ startedAt: noon + 1 }), anAttempt({ number: 2, role: 'resume' })],
      });
      const cache = { state: 'hit', of: 'x-1', ageMs: 40, savedMicroUsd: 1_234 } as const;
      ledger.close(aReceipt('kept', { startedAt: noon + 20, target: 'openai/gpt-4.1', attempts: [], cache }));
      assert.deepEqual((await ledger.used({ from: noon + 20, to: noon + 21 }, undefined, 10)).exchanges.map(one => [one.target, one.cache, one.attempts]), [['openai/gpt-4.1', cache, []]]);
      ledger.shutdown();
    });

    it('marks in a page of exchanges those that do not pass a filter', async () => {
      const ledger = make();
      const callers = [{ tool: 'codex', branch: 'main' }, { tool: 'codex' }, { tool: 'aider', branch: 'main' }];
      callers.forEach((caller, index) => { ledger.close(aReceipt(`x-${index}`, { startedAt: noon + index, caller, attempts: [anAttempt({ startedAt: noon + index, provider: index === 0 ? 'groq' : 'openai' })] })); });
      const passing = async (filter: SpendFilter): Promise<string[]> => {
        const { exchanges } = await ledger.used({ from: noon, to: noon + 10 }, undefined, 10, filter);
        assert.equal(exchanges.length, 3);
        return exchanges.filter(({ leftOut }) => leftOut !== true).map(({ id }) => id);
      };
      assert.deepEqual(await passing({ tool: 'codex' }), ['x-0', 'x-1']);
      assert.deepEqual(await passing({ branch: 'main', provider: 'openai' }), ['x-2']);
      assert.deepEqual(await passing({ notRecorded: ['branch'] }), ['x-1']);
      assert.deepEqual(await passing({ workspace: 'no such' }), []);
      assert.deepEqual(await passing({}), ['x-0', 'x-1', 'x-2']);
      ledger.shutdown();
    });

    it('hands out the attempts that ended last, with whether they were streams and whether another was faster', async () => {
      const ledger = make();
      for (let index = 0; index < 4; index += 1) ledger.close(aReceipt(`x-${index}`, { stream: false, attempts: [anAttempt({ startedAt: noon + index, kind: 'fast' })] }));
      const lost = anAttempt({ outcome: 'cancelled', failureClass: 'cancelled', startedAt: noon + 10 });
      ledger.close(aReceipt('raced', { attempts: [lost, anAttempt({ number: 2, role: 'hedge', startedAt: noon + 11 })] }));
      ledger.close(aReceipt('given up', { outcome: 'cancelled', attempts: [{ ...lost, startedAt: noon + 12 }] }));
      ledger.open(running(aReceipt('runs', { attempts: [anAttempt({ outcome: 'interrupted' })] })));
      assert.deepEqual((await ledger.latestAttempts(5)).map(({ attempt, stream, beaten }) => [attempt.startedAt - noon, stream, beaten]), [
        [2, false, false], [3, false, false], [10, true, true], [11, true, false], [12, true, false],
      ]);
      assert.equal((await ledger.latestAttempts(100))[0]?.attempt.kind, 'fast');
      const several = aReceipt('several', { caller: { tool: 'sdk' } });
      ledger.close({ ...several, plan: { ...several.plan, requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1, answers: 4 } } });
      assert.deepEqual((await ledger.latestAttempts(100)).slice(-2).map(({ tool, answers }) => [tool, answers]), [[aReceipt('x').caller.tool, undefined], ['sdk', 4]]);
      ledger.shutdown();
    });
  });
}
