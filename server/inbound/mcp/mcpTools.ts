import { setImmediate as nextTurn } from 'node:timers/promises';
import { agentTools, inputSchemaOf, spendGroupings as groupings, spendRanges as ranges, type AgentTool, type AgentToolName } from '../../api/agents/agentTools.ts';
import type { BudgetStatus } from '../../api/budgets/budgetStatus.ts';
import { conditionText, failureClassWords } from '../../api/condition.ts';
import { isWorkKind, workKinds } from '../../api/purpose.ts';
import type { WorkKind } from '../../api/purpose.ts';
import type { Cost, Plan, Receipt, SpendGroup, SpendReport, SpendTotals, TimeRange } from '../../api/receipt.ts';
import type { RequestFilter } from '../../api/reports/requestFilter.ts';
import type { FindRequestsParams, FindRequestsResult } from '../../api/reports/requestMessages.ts';
import { countText, usdText } from '../../api/reports/reportText.ts';
import type { TryRouteParams, TryRouteResult } from '../../api/routes/tryRoute.ts';
import { whyText } from '../../api/routes/why.ts';
import type { OfferedModel, StatusSnapshot } from '../../api/status.ts';
import type { JsonObject } from '../../base/json.ts';
import { readWorkKind } from '../../routing/purpose/workKind.ts';

/** What only a running server knows. */
export interface LiveSource {
  status(): StatusSnapshot;
  /** The same, with what all replicas spent today where they share a ledger. */
  statusOfReplicas(): Promise<StatusSnapshot>;
  tryRoute(params: TryRouteParams): TryRouteResult;
}

/** What the tools read. */
export interface McpSource {
  /** Milliseconds since the epoch. */
  now(): number;
  spend(range: TimeRange): Promise<SpendReport>;
  find(params: FindRequestsParams, signal: AbortSignal): Promise<FindRequestsResult>;
  receipt(id: string): Promise<Receipt | undefined>;
  /** Absent: no server runs, and only the ledger can be read. */
  live?: LiveSource | undefined;
}

/** The result of a tool as the protocol has it. */
export interface ToolResult {
  content: { type: 'text'; text: string }[];
  structuredContent?: object;
  isError?: true;
}

/** What was given to a tool cannot be used: a sentence for the model that called it. */
class WrongArgument extends Error {}

/** Runs a tool with its arguments. */
type RunTool = (source: McpSource, given: JsonObject, signal: AbortSignal) => Promise<{ text: string; data: object }>;

/** Lines of a list, at most so many. */
const mostLines = 20;
const mostSuggested = 8;
/** Offers that are planned in one go, so that requests are served between two portions. */
const plannedAtOnce = 25;
const noServer = 'No Waybill can be asked now (none runs, or its local endpoint is off), so only the ledger can be read: start one (VS Code, or waybill serve), and ask again.';

const runs: Readonly<Record<AgentToolName, RunTool>> = {
  async waybill_spend(source, given) {
    const range = choiceOf(given, 'range', ranges) ?? 'today';
    const by = choiceOf(given, 'by', groupings) ?? 'model';
    const report = await source.spend(rangeOf(range, source.now()));
    const groups = by === 'day' ? report.byDay.map(day => ({ name: day.day, ...day })) : groupsOf(report, by);
    const lines = groups.slice(0, mostLines).map(group => ({ name: group.name, cost: spendText(group), requests: group.exchanges }));
    const rest = groups.length - lines.length;
    return {
      text: [
        `Spend ${rangeWords[range]}: ${spendText(report.totals)} for ${countText(report.totals.exchanges, 'request')}${unknownText(report.totals)}.`,
        ...lines.map(({ name, cost, requests }) => `- ${name}: ${cost}, ${countText(requests, 'request')}`),
        ...(rest > 0 ? [`- and ${countText(rest, 'other')}`] : []),
        ...(report.scope?.message === undefined ? [] : [report.scope.message]),
      ].join('\n'),
      data: { range, by, ...(report.scope === undefined ? {} : { scope: report.scope }), total: { ...figures(report.totals) }, groups: groups.slice(0, mostLines).map(group => ({ name: group.name, ...figures(group) })) },
    };
  },
  async waybill_health(source) {
    const { status } = liveOf(source);
    const snapshot = status();
    const { at } = snapshot;
    const endpoints = snapshot.endpoints.map(one => ({
      name: one.name, provider: one.providerName, enabled: one.enabled, state: one.enabled ? conditionText(one.condition, at) : 'turned off', firstTokenMs: one.firstToken?.p50, errorRate: one.errorRate,
    }));
    const routes = snapshot.offered.filter(({ kind }) => kind === 'route').map(({ requestedModel, state, detail }) => ({ name: requestedModel, state, detail }));
    return {
      text: [
        endpoints.length === 0 ? 'No endpoint is configured.' : 'Endpoints:', ...endpoints.map(({ name, provider, state }) => `- ${name} (${provider}): ${state}`),
        ...(routes.length === 0 ? [] : ['Routes:', ...routes.map(({ name, state, detail }) => `- ${name}: ${detail === '' ? state : detail}`)]),
      ].join('\n'),
      data: { endpoints, routes, nothingCanServe: snapshot.nothingCanServe },
    };
  },
  async waybill_remaining(source, _given, signal) {
    const { statusOfReplicas, tryRoute } = liveOf(source);
    const snapshot = await statusOfReplicas();
    const today = { microUsd: snapshot.todayMicroUsd, estimatedMicroUsd: snapshot.todayEstimated ? snapshot.todayMicroUsd : 0, unknownAttempts: snapshot.todayUnknown, unpricedAttempts: snapshot.todayUnpriced?.length ?? 0 };
    const names = snapshot.offered.filter(({ kind }) => kind === 'route').map(({ requestedModel }) => requestedModel);
    const caps = names.map(name => ({ route: name, caps: (tryRoute({ requestedModel: name, ...smallRequest }).plan.caps ?? []).map(({ scope, route, limitMicroUsd }) => ({ scope, ofAllRoutes: route === undefined, limitUsd: usdText(limitMicroUsd) })) }));
    const budgets = (snapshot.budgets ?? []).map(budget => ({
      name: budget.name, period: budget.period, ...(budget.of === undefined ? {} : { of: budget.of }), stops: budget.isHard, left: leftText(budget), limit: usdText(budget.limitMicroUsd), resetsAt: new Date(budget.resetsAt).toISOString(),
    }));
    const last = await lastWithCaps(source, signal);
    return {
      text: [
        `Spent today: ${spendText(today)}.`, ...(snapshot.todayScope?.message === undefined ? [] : [snapshot.todayScope.message]),
        ...budgets.map(one => `- Budget ${one.name}${one.of === undefined ? '' : ` of ${one.of}`} (${one.period}, ${one.stops ? 'stops requests' : 'only warns'}): ${one.left} of ${one.limit}, until ${one.resetsAt}`),
        ...(caps.length === 0 ? [] : ['Caps by route:']),
        ...caps.map(one => `- ${one.route}: ${one.caps.length === 0 ? 'no cap' : one.caps.map(({ scope, limitUsd, ofAllRoutes }) => `${limitUsd} for each ${scope}${ofAllRoutes ? ', over all routes' : ''}`).join('; ')}`),
        ...(last === undefined ? [] : [`The last request that caps held for (${last.id}) began with: ${last.left.join('; ')}.`]),
      ].join('\n'),
      data: { spentToday: spendText(today), budgets, caps, ...(last === undefined ? {} : { lastRequest: last }) },
    };
  },
  async waybill_why(source, given, signal) {
    const receipt = await receiptFor(source, given, signal);
    const plain = plainReceipt(receipt);
    const attempts = receipt.attempts.map(one => ({
      target: one.target, outcome: one.outcome, ...(one.failureClass === undefined ? {} : { failure: failureClassWords[one.failureClass] }), ...(one.status === undefined ? {} : { status: one.status }), totalMs: Math.round(one.totalMs), cost: costText(one.cost),
    }));
    return {
      text: [
        `Request ${receipt.id} of ${receipt.caller.tool} for ${receipt.plan.requestedModel}, ${new Date(receipt.startedAt).toISOString()}: ${receipt.outcome}${receipt.failureClass === undefined ? '' : ` (${failureClassWords[receipt.failureClass]})`}, ${String(Math.round(receipt.totalMs))} ms, cost ${costText(receipt.cost)}.`,
        whyText(plain),
        ...attempts.map((one, index) => `${String(index + 1)}. ${one.target}: ${one.failure ?? one.outcome}${one.status === undefined ? '' : ` (${String(one.status)})`}, ${String(one.totalMs)} ms, cost ${one.cost}`),
      ].join('\n'),
      data: { id: receipt.id, outcome: receipt.outcome, tool: receipt.caller.tool, requestedModel: receipt.plan.requestedModel, ...(receipt.target === undefined ? {} : { target: receipt.target }), why: whyText(plain), cost: costText(receipt.cost), attempts, excluded: receipt.plan.excluded },
    };
  },
  async waybill_suggest(source, given, signal) {
    const { status, tryRoute } = liveOf(source);
    const task = textOf(given, 'task');
    if (task === undefined || task.trim() === '') throw new WrongArgument('Give task: a sentence about what is to be done.');
    const stated = textOf(given, 'kind');
    if (stated !== undefined && !isWorkKind(stated)) throw new WrongArgument(`Give kind as one of ${Object.keys(workKinds).join(', ')}.`);
    const read = stated === undefined ? readWorkKind(task) : undefined;
    const kind: WorkKind = stated ?? read?.kind ?? 'balanced';
    const why = stated !== undefined ? 'as stated' : read === undefined ? 'the task says too little to judge it' : read.about;
    const request = { inputTokens: countOf(given, 'inputTokens') ?? 2000, maxOutputTokens: countOf(given, 'outputTokens') ?? 800, tools: flagOf(given, 'tools'), images: flagOf(given, 'images'), role: 'main', kind } as const;
    const options: Suggestion[] = [];
    for (const [index, { requestedModel, kind: what }] of status().offered.entries()) {
      if (index > 0 && index % plannedAtOnce === 0) await nextTurn();
      if (signal.aborted) break;
      const { plan, expectedMicroUsd: [expected], outcome } = tryRoute({ requestedModel, ...request });
      const [first] = plan.targets;
      if (first !== undefined && outcome === undefined) options.push({ name: requestedModel, what, target: first.target, expected: expected ?? undefined, ...ledBy(plan) });
    }
    const sorted = options.sort((one, other) => (one.expected ?? Infinity) - (other.expected ?? Infinity));
    const shown = sorted.slice(0, mostSuggested).map(({ expected, ...one }) => ({ ...one, expectedCost: expected === undefined ? 'unknown' : `~${usdText(expected)}` }));
    return {
      text: [
        `This looks like ${kind} work (${workKinds[kind]}): ${why}.`,
        shown.length === 0 ? 'Nothing can answer such a request now: see waybill_health.' : 'Expected cost where it can be answered now, the cheapest first:',
        ...shown.map(one => `- ${one.name} (${one.what}): ${one.expectedCost}, answered by ${one.target}${one.becauseOfKind === undefined ? '' : `; its rule for ${one.becauseOfKind} leads there`}`),
        ...(shown.length === 0 ? [] : ['Costs are estimates for the given sizes. How good the answers are is not judged here.']),
      ].join('\n'),
      data: { kind, why, options: shown },
    };
  },
};

/** The tools as clients list them. */
export const toolDefinitions = Object.entries(agentTools).map(([name, tool]) => ({
  name, title: tool.title, description: tool.description,
  inputSchema: inputSchemaOf(tool),
  annotations: { title: tool.title, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
}));

/** Runs a tool. What keeps it from an answer is a result with `isError`, so that the model can correct itself. @returns undefined where there is no such tool */
export async function callTool(source: McpSource, name: string, given: JsonObject, signal: AbortSignal): Promise<ToolResult | undefined> {
  if (!isToolName(name)) return undefined;
  const { properties }: AgentTool = agentTools[name];
  try {
    const unknown = Object.keys(given).find(field => !Object.hasOwn(properties, field));
    if (unknown !== undefined) throw new WrongArgument(`${name} takes no "${unknown.slice(0, 100)}".`);
    const { text, data } = await runs[name](source, given, signal);
    return { content: [{ type: 'text', text }], structuredContent: data };
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === undefined) throw error;
    return { content: [{ type: 'text', text: sentence }], isError: true };
  }
}

function isToolName(name: string): name is AgentToolName {
  return Object.hasOwn(agentTools, name);
}

/** The sentence of a WrongArgument or a WaybillError. This part is compiled by itself, so a WaybillError of its caller is of another copy of the class. */
function sentenceOf(error: unknown): string | undefined {
  if (error instanceof WrongArgument) return error.message;
  return error instanceof Error && 'storedMessage' in error && typeof error.storedMessage === 'string' ? error.storedMessage : undefined;
}

function liveOf({ live }: McpSource): LiveSource {
  if (live === undefined) throw new WrongArgument(noServer);
  return live;
}

async function receiptFor(source: McpSource, given: JsonObject, signal: AbortSignal): Promise<Receipt> {
  const id = textOf(given, 'request') ?? await latestId(source, { ...optional('tool', textOf(given, 'tool')), ...optional('conversation', textOf(given, 'conversation')), ...(flagOf(given, 'failed') ? { outcome: 'failed' as const } : {}) }, signal);
  const receipt = id === undefined ? undefined : await source.receipt(id);
  if (receipt === undefined) throw new WrongArgument(id === undefined ? 'There is no such request in the ledger.' : 'There is no request of that id.');
  return receipt;
}

/** The latest request of a caller that passes a filter: no copy of a shadow. */
async function latestId(source: McpSource, filter: RequestFilter, signal: AbortSignal): Promise<string | undefined> {
  const found = await source.find({ filter, limit: 20 }, signal);
  if ('refused' in found) throw new WrongArgument(found.refused);
  return found.requests.find(({ shadow }) => shadow === undefined)?.id;
}

/** What is left of a budget: at most so much where some cost of its period is unknown. */
function leftText({ lifted, leftMicroUsd, unknown }: BudgetStatus): string {
  if (lifted === true || leftMicroUsd === undefined) return 'no limit now (lifted)';
  return `${(unknown ?? 0) > 0 ? 'at most ' : ''}${usdText(Math.max(0, leftMicroUsd))} left`;
}

async function lastWithCaps(source: McpSource, signal: AbortSignal): Promise<{ id: string; left: string[] } | undefined> {
  const found = await source.find({ filter: {}, limit: 5 }, signal);
  for (const { id } of 'refused' in found ? [] : found.requests) {
    const caps = (await source.receipt(id))?.plan.caps;
    if (caps !== undefined && caps.length > 0) return { id, left: caps.map(({ scope, route, leftMicroUsd, limitMicroUsd }) => `${usdText(Math.max(0, leftMicroUsd))} of ${usdText(limitMicroUsd)} left for its ${scope}${route === undefined ? '' : ` on ${route}`}`) };
  }
  return undefined;
}

/** A receipt without words of a prompt, without sentences of providers, which may quote one, and without what a person knows a key by. */
function plainReceipt(receipt: Receipt): Receipt {
  const { message: _message, title: _title, ...plain } = receipt;
  return { ...plain, attempts: receipt.attempts.map(({ message: _own, keyLabel: _label, keyLast4: _last4, ...attempt }) => attempt) };
}

/** What can answer a task. `expected`: micro-dollars. */
interface Suggestion { name: string; what: OfferedModel['kind']; target: string; expected: number | undefined; becauseOfKind?: string }

/** The kind of work or role by which the route chose its first target. */
function ledBy({ purpose }: Plan): { becauseOfKind?: string } {
  return purpose?.first === undefined || purpose.entry === undefined ? {} : { becauseOfKind: purpose.entry };
}

const smallRequest = { inputTokens: 1000, maxOutputTokens: 500, tools: false, images: false } as const;

const rangeWords: Readonly<Record<(typeof ranges)[number], string>> = { today: 'today', '7d': 'in the last 7 days', '30d': 'in the last 30 days', month: 'this month' };

function rangeOf(range: (typeof ranges)[number], now: number): TimeRange {
  const today = new Date(now);
  const day = (ago: number): number => new Date(today.getFullYear(), today.getMonth(), today.getDate() - ago).getTime();
  const to = now + 1;
  switch (range) {
    case 'today': return { from: day(0), to };
    case '7d': return { from: day(6), to };
    case '30d': return { from: day(29), to };
    case 'month': return { from: new Date(today.getFullYear(), today.getMonth(), 1).getTime(), to };
  }
}

function groupsOf(report: SpendReport, by: Exclude<(typeof groupings)[number], 'day'>): SpendGroup[] {
  switch (by) {
    case 'endpoint': return report.byEndpoint;
    case 'model': return report.byModel;
    case 'tool': return report.byTool;
    case 'workspace': return report.byWorkspace;
  }
}

type Sum = Pick<SpendTotals, 'microUsd' | 'estimatedMicroUsd' | 'unknownAttempts' | 'unpricedAttempts'>;

/** `$1.37`, `~$1.37+` where a part is an estimate and another is unknown, `unknown` where nothing is known. */
function spendText({ microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts = 0 }: Sum): string {
  if (microUsd === 0 && unknownAttempts + unpricedAttempts > 0) return 'unknown';
  return `${estimatedMicroUsd > 0 ? '~' : ''}${usdText(microUsd)}${unknownAttempts + unpricedAttempts > 0 ? '+' : ''}`;
}

function unknownText({ unknownAttempts }: Sum): string {
  return unknownAttempts === 0 ? '' : `, of which ${countText(unknownAttempts, 'attempt')} of unknown cost ${unknownAttempts === 1 ? 'is' : 'are'} in no sum`;
}

/** A sum in micro-dollars, as long as something of it is known. */
function figures(sum: Sum & { exchanges: number }): object {
  const { microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts = 0, exchanges } = sum;
  return { cost: spendText(sum), ...(spendText(sum) === 'unknown' ? {} : { microUsd }), estimatedMicroUsd, attemptsOfUnknownCost: unknownAttempts, attemptsPartlyUnpriced: unpricedAttempts, requests: exchanges };
}

function costText({ microUsd, certainty, unknownParts = 0, unpriced = [] }: Cost): string {
  if (certainty === 'unknown' || microUsd === undefined) return 'unknown';
  return `${certainty === 'estimated' ? '~' : ''}${usdText(microUsd)}${unknownParts + unpriced.length > 0 ? '+' : ''}`;
}

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string };
}

function textOf(given: JsonObject, name: string): string | undefined {
  const value = given[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new WrongArgument(`Give ${name} as text.`);
  return value;
}

function choiceOf<Choice extends string>(given: JsonObject, name: string, choices: readonly Choice[]): Choice | undefined {
  const value = textOf(given, name);
  const found = choices.find(choice => choice === value);
  if (value !== undefined && found === undefined) throw new WrongArgument(`Give ${name} as one of ${choices.join(', ')}.`);
  return found;
}

function flagOf(given: JsonObject, name: string): boolean {
  const value = given[name] ?? false;
  if (typeof value !== 'boolean') throw new WrongArgument(`Give ${name} as true or false.`);
  return value;
}

function countOf(given: JsonObject, name: string): number | undefined {
  const value = given[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 100_000_000) throw new WrongArgument(`Give ${name} as a whole number from 1.`);
  return value;
}
