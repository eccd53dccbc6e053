import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addSum, emptySum, spendDimensionNames, type SpendDashboard, type SpendDimension, type SpendRow, type SpendStep, type SpendSum } from '../../../../../server/api/reports/dashboard.ts';
import { dashboardCsv, dashboardJson, spendByEveryDimension } from '../../../../../client/views/dashboard/dashboardFile.ts';
import { isFromDashboardPage, isToDashboardPage } from '../../../../../client/views/dashboard/dashboardMessages.ts';
import { buildDashboardPage, buildDearestPage } from '../../../../../client/views/dashboard/dashboardModel.ts';
import { dashboardRange, picksOf, readDashboardState, requestsUnder, withoutDimension, withPick, type DashboardState } from '../../../../../client/views/dashboard/dashboardState.ts';
import { monthForecast } from '../../../../../client/views/dashboard/forecast.ts';

const style = { locale: 'en-US', timeZone: 'UTC' };
const dayMs = 86_400_000;
const local = (year: number, month: number, day: number): number => new Date(year, month - 1, day).getTime();
const now = local(2026, 11, 20) + 15 * 3_600_000;
const sum = (some: Partial<SpendSum>): SpendSum => ({ ...emptySum(), ...some });
const row = (name: string | null, some: Partial<SpendSum>): SpendRow => ({ name, ...sum(some) });
const step = (from: number, some: Partial<SpendStep> = {}): SpendStep => ({ from, to: from + dayMs, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, unpricedAttempts: 0, requests: 0, ...some });

const rows = [
  row('large', { attempts: 3, requests: 2, microUsd: 3_000_000, inputTokens: 100_000, cacheReadTokens: 300_000, outputTokens: 20_000, pricedTokens: 420_000, cacheSavedMicroUsd: 810_000 }),
  row('small', { attempts: 2, requests: 2, microUsd: 500_000, estimatedMicroUsd: 500_000, inputTokens: 10_000, pricedTokens: 10_000, estimatedUsage: 1, unknownAttempts: 1 }),
  row(null, { attempts: 1, requests: 1, unknownAttempts: 1, tokenGaps: 1 }),
];
const totals = emptySum();
for (const one of rows) addSum(totals, one);
const dashboard: SpendDashboard = {
  range: { from: local(2026, 11, 1), to: local(2026, 11, 21) }, totals, stepLength: 'day', steps: [step(local(2026, 11, 19), { microUsd: 3_000_000, requests: 2 }), step(local(2026, 11, 20), { microUsd: 500_000, estimatedMicroUsd: 500_000, unknownAttempts: 2, requests: 3 })],
  groups: { dimension: 'provider', rows },
  cross: { dimension: 'tool', columns: ['codex', '=1+1'], hasRest: true, lines: [[sum({ attempts: 1, microUsd: 1_000_000 }), sum({ attempts: 2, microUsd: 2_000_000 }), sum({})], [sum({ attempts: 2, microUsd: 500_000, unknownAttempts: 1 }), sum({}), sum({})], [sum({}), sum({}), sum({ attempts: 1, unknownAttempts: 1 })]] },
  parts: [row('answer', { attempts: 4, microUsd: 3_100_000 }), row('failover', { attempts: 1, microUsd: 400_000, estimatedMicroUsd: 400_000 }), row('hedge', { attempts: 1, unknownAttempts: 1 })],
};
const state = readDashboardState({ rows: 'provider', columns: 'tool' }, now);
const page = buildDashboardPage({ state, dashboard, hasProviders: true, style });

describe('the page of the dashboard', () => {
  it('tells exact, estimated, at least and unknown apart', () => {
    assert.equal(page.totalText, '~$3.50+');
    assert.deepEqual(page.groups.rows.map(({ name, text }) => [name, text]), [['large', '$3.00'], ['small', '~$0.50+'], ['not recorded', 'unknown']]);
    assert.deepEqual(page.notes, ['~ $0.50 of it estimated', '+ 2 attempts of unknown cost']);
    const fact = (label: string): string | undefined => page.facts.find((one) => one.label === label)?.text;
    assert.equal(fact('Cost of 1,000 tokens'), '~$0.0081');
    assert.equal(fact('Cache hits'), '73%');
    assert.equal(fact('Saved by providers\' caches'), '~$0.81');
    assert.equal(fact('Failover, retries, hedging'), '~$0.40+');
    assert.equal(fact('Tokens'), '~430K+');
    const unknown = buildDashboardPage({ state, dashboard: { ...dashboard, totals: sum({ attempts: 1, requests: 1, unknownAttempts: 1, tokenGaps: 1 }) }, hasProviders: true, style });
    assert.deepEqual([unknown.totalText, unknown.facts[1]?.text, unknown.facts[2]?.text, unknown.facts[3]?.text], ['unknown', 'unknown', 'unknown', 'unknown']);
  });

  it('counts requests that the response cache answered, as the Spend view does, and is not empty where there are no others', () => {
    const cached = { exchanges: 4, savedMicroUsd: 20_000, estimatedMicroUsd: 0, unknown: 0 };
    const requests = (of: SpendDashboard): string | undefined => buildDashboardPage({ state, dashboard: of, hasProviders: true, style }).facts.find(({ label }) => label === 'Requests')?.text;
    assert.deepEqual([requests(dashboard), requests({ ...dashboard, cached })], ['5 requests', '9 requests']);
    const saved = (of: typeof cached): unknown => {
      const { text, title } = buildDashboardPage({ state, dashboard: { ...dashboard, cached: of }, hasProviders: true, style }).facts.find(({ label }) => label === 'Saved by the response cache') ?? {};
      return [text, title];
    };
    assert.deepEqual(saved(cached), ['$0.0200', 'What 4 answers from the response cache had cost; it is no part of the total']);
    assert.deepEqual(saved({ ...cached, unknown: 3 }), ['$0.0200+', 'What 4 answers from the response cache had cost, 3 of unknown cost; it is no part of the total']);
    assert.deepEqual(saved({ exchanges: 1, savedMicroUsd: 0, estimatedMicroUsd: 0, unknown: 1 }), ['unknown', 'What 1 answer from the response cache had cost, 1 of unknown cost; it is no part of the total']);
    assert.equal(buildDashboardPage({ state, dashboard: { ...dashboard, totals: emptySum(), cached }, hasProviders: true, style }).empty, undefined);
  });

  it('opens from each bar and cell what is under it', () => {
    assert.deepEqual(page.groups.rows[2]?.pick, { dimension: 'provider', value: null });
    assert.deepEqual(page.cross?.lines[0]?.cells[1]?.picks, [{ dimension: 'provider', value: 'large' }, { dimension: 'tool', value: '=1+1' }]);
    assert.equal(page.cross?.lines[0]?.cells[2]?.picks, undefined);
    assert.deepEqual(page.cross?.columns, ['codex', '=1+1', 'others', 'Total']);
    assert.equal(page.cross?.lines[1]?.cells[1]?.text, '');
    assert.deepEqual(requestsUnder({ tool: 'codex' }, { from: 1, to: 2 }, [{ dimension: 'provider', value: null }, { dimension: 'model', value: 'm' }]), { tool: 'codex', model: 'm', notRecorded: ['provider'], fromMs: 1, toMs: 2 });
  });

  it('says why it is empty, with what to do', () => {
    const empty = { ...dashboard, totals: emptySum() };
    const reason = (hasProviders: boolean, filter: DashboardState['filter'] = {}): string | undefined => buildDashboardPage({ state: { ...state, filter }, dashboard: empty, hasProviders, style }).empty;
    assert.deepEqual([reason(false), reason(true), reason(true, { tool: 'x' }), page.empty], ['no-providers', 'no-requests', 'no-match', undefined]);
  });

  it('names the dearest conversations by the words of the editor, else by those that are kept, else by their id', () => {
    const conversation = (id: string, title?: string) => ({ conversation: id, tool: 't', workspace: null, model: 'm', ...(title === undefined ? {} : { title }), ...totals });
    const { conversations } = buildDearestPage({ conversations: [conversation('c-1', 'Kept words'), conversation('c-2', 'Fix the build'), conversation('c-3')], requests: [] }, totals, now, style, id => (id === 'c-1' ? 'Typed here' : undefined));
    assert.deepEqual(conversations.rows.map(({ name }) => name), ['Typed here', 'Fix the build', 'c-3']);
    // What a click opens is still the conversation.
    assert.deepEqual(conversations.rows.map(({ pick }) => pick?.value), ['c-1', 'c-2', 'c-3']);
  });

  it('goes to the page and back in messages whose shape is checked', () => {
    assert.ok(isToDashboardPage(JSON.parse(JSON.stringify({ type: 'page', page }))));
    assert.ok(isToDashboardPage({ type: 'dearest', state, dearest: buildDearestPage({ conversations: [{ conversation: 'c', tool: 't', workspace: null, model: 'm', ...totals }], requests: [] }, totals, now, style, () => undefined) }));
    assert.ok(isFromDashboardPage({ type: 'requests', picks: [{ dimension: 'tool', value: null }], from: 1, to: 2 }));
    assert.ok(isToDashboardPage({ type: 'show', period: 'today' }));
    assert.ok(!isToDashboardPage({ type: 'show', period: 'custom' }));
    for (const wrong of [{ type: 'page', page: { ...page, totalText: 5 } }, { type: 'page' }, null]) assert.ok(!isToDashboardPage(wrong));
    for (const wrong of [{ type: 'run', action: 'deleteEverything' }, { type: 'requests', picks: [{ dimension: 'secret', value: 'x' }] }, 'ready']) assert.ok(!isFromDashboardPage(wrong));
  });
});

describe('what is chosen in the dashboard', () => {
  it('is read from what a page remembered, and what is wrong in it is as at first', () => {
    assert.deepEqual(readDashboardState({ period: 'ever', rows: 'colour', columns: 'model', filter: { tool: 5 }, fromDay: 7 }, now), { period: 'month', fromDay: '2026-11-14', toDay: '2026-11-20', rows: 'model', filter: {} });
    assert.deepEqual(readDashboardState({ rows: 'tool', columns: 'tool', filter: { tool: 'x', notRecorded: ['branch'], text: 'y' } }, now).filter, { tool: 'x', notRecorded: ['branch'] });
    assert.deepEqual(readDashboardState(undefined, now), readDashboardState(null, now));
  });

  it('has a range of whole local days, up to the coming midnight, or says what is wrong with it', () => {
    const range = (fromDay: string, toDay: string): unknown => dashboardRange({ period: 'custom', fromDay, toDay }, now);
    assert.deepEqual(range('2026-11-02', '2026-11-03'), { from: local(2026, 11, 2), to: local(2026, 11, 4) });
    assert.deepEqual(range('2026-11-20', '2026-12-24'), { from: local(2026, 11, 20), to: local(2026, 11, 21) });
    assert.match(String(range('2026-11-03', '2026-11-02')), /choose an earlier first day/);
    assert.match(String(range('2026-12-03', '2026-12-04')), /has not begun/);
    for (const [from, to] of [['', '2026-11-02'], ['2026-02-30', '2026-11-02'], ['yesterday', '2026-11-02']] as const) assert.match(String(range(from, to)), /Choose a first and a last day/);
    assert.match(String(range('1990-01-01', '2026-11-02')), /ten years/);
  });

  it('takes values into the filter and out of it', () => {
    const both = withPick(withPick({ tool: 'a' }, { dimension: 'branch', value: null }), { dimension: 'tool', value: 'b' });
    assert.deepEqual(both, { tool: 'b', notRecorded: ['branch'] });
    assert.deepEqual(picksOf(both), [{ dimension: 'tool', value: 'b' }, { dimension: 'branch', value: null }]);
    assert.deepEqual(withPick(both, { dimension: 'branch', value: 'main' }), { tool: 'b', branch: 'main' });
    assert.deepEqual(withoutDimension(both, 'branch'), { tool: 'b' });
  });
});

describe('the forecast for the month', () => {
  const days = (count: number, end: number, cost: (at: number) => number): SpendStep[] => Array.from({ length: count }, (_, index) => new Date(new Date(end).getFullYear(), new Date(end).getMonth(), new Date(end).getDate() - count + index).getTime()).map((from) => step(from, { microUsd: cost(from) }));
  const isWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getDay());

  it('adds to what was spent the mean of weekdays and of weekends for each day that is left', () => {
    const cost = (at: number): number => (isWeekend(at) ? 1_000 : 5_000);
    const month = [...days(19, local(2026, 11, 20), cost), step(local(2026, 11, 20), { microUsd: 2_000 })];
    const whole = Array.from({ length: 30 }, (_, index) => cost(local(2026, 11, index + 1))).reduce((a, b) => a + b, 0);
    assert.deepEqual(monthForecast(days(10, local(2026, 11, 1), cost), month), { microUsd: whole, atLeast: false, days: 28 });
    const dear = monthForecast([], [...month.slice(0, -1), step(local(2026, 11, 20), { microUsd: 50_000 })]);
    assert.equal(dear?.microUsd, whole + 45_000);
  });

  it('knows nothing from less than three days, leaves out days before the first request, and marks what is unknown', () => {
    const today = step(local(2026, 11, 20), { microUsd: 10 });
    assert.equal(monthForecast([], [...days(17, local(2026, 11, 18), () => 0), step(local(2026, 11, 18), { microUsd: 7 }), step(local(2026, 11, 19)), today]), undefined);
    const known = monthForecast([], [...days(16, local(2026, 11, 17), () => 0), step(local(2026, 11, 17), { microUsd: 30 }), step(local(2026, 11, 18)), step(local(2026, 11, 19), { unknownAttempts: 1 }), today]);
    assert.deepEqual([known?.days, known?.atLeast], [3, true]);
    assert.equal(monthForecast([], []), undefined);
  });

  it('is the same on the first two days of a month, which come in hours', () => {
    const history = days(28, local(2026, 12, 1), () => 24_000);
    const hoursOf = (count: number, microUsd: (hour: number) => number): SpendStep[] => Array.from({ length: count }, (_, hour) => {
      const from = new Date(2026, 11, 1, hour).getTime();
      return step(from, { to: from + 3_600_000, microUsd: microUsd(hour) });
    });
    const forecastOf = (steps: SpendStep[]): string | undefined => buildDashboardPage({
      state: { ...state, period: 'month' }, dashboard: { ...dashboard, range: { from: local(2026, 12, 1), to: steps.at(-1)?.to ?? 0 }, steps, stepLength: 'hour', history }, hasProviders: true, style,
    }).forecast?.text;
    assert.deepEqual([monthForecast(history, hoursOf(24, () => 1_000)), monthForecast(history, hoursOf(48, () => 1_000))], [31, 31].map((whole) => ({ microUsd: whole * 24_000, atLeast: false, days: 28 })));
    assert.equal(forecastOf(hoursOf(24, (hour) => (hour === 9 ? 1_024_000 : 0))), '~$1.74');
    const unknown = hoursOf(48, () => 0).map((hour, index) => (index === 3 ? { ...hour, unknownAttempts: 1 } : hour));
    assert.equal(monthForecast(history, unknown)?.atLeast, true);
  });
});

describe('a file of the dashboard', () => {
  const lines = dashboardCsv(dashboard).trimEnd().split('\r\n').map((line) => line.split(','));

  it('has lines that add up to the total, unknown ones included, and none that a spreadsheet would run', () => {
    const [head = [], total = []] = lines;
    const of = (level: string, column: string): number => lines.filter(([name]) => name === level).reduce((all, line) => all + Number(line[head.indexOf(column)] ?? 0), 0);
    for (const level of ['row', 'cell']) {
      assert.equal(of(level, 'cost_usd').toFixed(6), total[head.indexOf('cost_usd')]);
      for (const column of ['attempts', 'attempts_of_unknown_cost']) assert.equal(of(level, column), Number(total[head.indexOf(column)]), `${level} ${column}`);
    }
    assert.equal(lines.find(([level, name]) => level === 'row' && name === '(not recorded)')?.[head.indexOf('cost_usd')], '');
    assert.ok(lines.some(([level, , name]) => level === 'cell' && name === "'=1+1"));
  });

  it('as JSON has the money of the ledger, in micro-dollars, by every dimension', () => {
    const file = JSON.parse(dashboardJson(dashboard, { tool: 'x' }, [dashboard.groups, { dimension: 'tool', rows: [], rest: { groups: 4, sum: totals } }])) as { totals: SpendSum; by: Record<string, SpendRow[]>; moneyUnit: string; filter: unknown };
    assert.deepEqual([file.moneyUnit, file.filter, file.totals.microUsd], ['micro-dollar', { tool: 'x' }, 3_500_000]);
    for (const rowsOf of Object.values(file.by)) assert.equal(rowsOf.reduce((all, one) => all + one.microUsd, 0), 3_500_000);
    assert.deepEqual(file.by['provider']?.map(({ name }) => name), ['large', 'small', null]);
  });

  it('is made of the same requests in every part, or not made', async () => {
    let asked = 0;
    /** A request ends after each of the first answers. */
    const ask = (ends: number) => (dimension: SpendDimension): Promise<SpendDashboard> => {
      const grown = sum({ microUsd: Math.min(++asked, ends) });
      return Promise.resolve({ ...dashboard, totals: grown, groups: { dimension, rows: [row('all', grown)] } });
    };
    const { dashboard: first, groups } = await spendByEveryDimension(ask(4));
    assert.deepEqual(groups.map(({ dimension }) => dimension), spendDimensionNames);
    for (const { rows: [only] } of groups) assert.equal(only?.microUsd, first.totals.microUsd);
    await assert.rejects(spendByEveryDimension(ask(Infinity)), { name: 'UserError', message: /Export again when fewer of them run/ });
  });
});
