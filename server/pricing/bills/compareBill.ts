import { englishOf, said, type Said } from '../../api/localization/said.ts';
import type { BillFigures, BillLine, BillReason, BillReport } from '../../api/bill.ts';
import { canonicalModelName } from '../../catalog/modelNames.ts';
import { dayMs, dayOf, dayStart, type BillItem } from './billItem.ts';
import { microUsdOf } from './usd.ts';

/** What the ledger has of one model on one day; see server/ledger/spend.ts. */
export interface OurModel { day: string; model: string; upstreamModel: string; requests: number; microUsd: number; estimated: number; unknown: number; tokens: number; priceSources: readonly string[] }
export interface OurAttempt { day: string; exchangeId: string; upstreamModel: string; certainty: 'exact' | 'estimated' | 'unknown'; unpriced: readonly string[]; crossesMidnight: boolean }

export interface ComparedBill {
  ours: readonly OurModel[];
  attempts: readonly OurAttempt[];
  theirs: readonly BillItem[];
  /** Where the figures come from, and until which day they are whole. */
  about: Omit<BillReport, 'totals' | 'lines'> & { /** Of the days in the bill, to UTC. */ offsetMs: number };
}

/** A difference below this is rounding: bills round each of their lines. */
const roundingMicroUsd = 100;
const roundingShare = 0.0005;
/** Tokens that differ by less are the same use. */
const tokenShare = 0.005;
const mostExchanges = 20;

interface Sum {
  day: string;
  name: string;
  isApart: boolean;
  oursMicroUsd: number;
  oursEstimated: number;
  oursUnknown: number;
  ourRequests: number;
  ourTokens: number;
  isOurs: boolean;
  priceSources: Set<string>;
  theirs: bigint;
  isTheirs: boolean;
  theirRequests: number | undefined;
  theirTokens: number | undefined;
  attempts: OurAttempt[];
}

/** Ours, theirs and the difference, for each day and model, with what explains it. Pure. */
export function compareBill({ ours, attempts, theirs, about }: ComparedBill): BillReport {
  const { offsetMs, ...report } = about;
  const sums = new Map<string, Sum>();
  const keys = new Map<string, string>();
  const keyOf = (name: string): string => {
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = modelKey(name);
    keys.set(name, key);
    return key;
  };
  const sumOf = (day: string, name: string, isApart = false): Sum => {
    const key = `${day}\n${isApart ? 'apart' : 'model'}\n${isApart ? name : keyOf(name)}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, sum = {
        day, name, isApart, oursMicroUsd: 0, oursEstimated: 0, oursUnknown: 0, ourRequests: 0, ourTokens: 0, isOurs: false, priceSources: new Set(),
        theirs: 0n, isTheirs: false, theirRequests: undefined, theirTokens: undefined, attempts: [],
      });
    }
    return sum;
  };
  for (const one of ours) {
    // What cost nothing and used nothing is in no bill.
    if (one.requests === 0 && one.microUsd === 0) continue;
    const sum = sumOf(one.day, one.upstreamModel);
    sum.isOurs = true;
    sum.oursMicroUsd += one.microUsd;
    sum.oursEstimated += one.estimated;
    sum.oursUnknown += one.unknown;
    sum.ourRequests += one.requests;
    sum.ourTokens += one.tokens;
    for (const source of one.priceSources) sum.priceSources.add(source);
  }
  for (const attempt of attempts) {
    const key = `${attempt.day}\nmodel\n${keyOf(attempt.upstreamModel)}`;
    sums.get(key)?.attempts.push(attempt);
  }
  for (const item of theirs) {
    if (item.day < report.fromDay || item.day > report.toDay) continue;
    const sum = sumOf(item.day, item.model ?? item.what ?? 'everything', item.model === undefined);
    if (item.exactUsd !== undefined) {
      sum.theirs += item.exactUsd;
      sum.isTheirs = true;
    }
    if (item.requests !== undefined) sum.theirRequests = (sum.theirRequests ?? 0) + item.requests;
    if (item.tokens !== undefined) sum.theirTokens = (sum.theirTokens ?? 0) + item.tokens;
  }
  const lines = [...sums.values()].filter(sum => sum.isOurs || sum.isTheirs || (sum.theirTokens ?? 0) > 0).map(sum => lineOf(sum, report.at, offsetMs));
  explainBorders(lines, sums);
  lines.sort((a, b) => b.day.localeCompare(a.day) || Math.abs(b.differenceMicroUsd) - Math.abs(a.differenceMicroUsd) || a.model.localeCompare(b.model));
  return { ...report, totals: totalsOf(lines), lines };
}

function totalsOf(lines: readonly BillLine[]): BillFigures {
  const totals = { oursMicroUsd: 0, oursEstimated: 0, oursUnknown: 0, theirsMicroUsd: 0, differenceMicroUsd: 0 };
  for (const line of lines) {
    totals.oursMicroUsd += line.oursMicroUsd;
    totals.oursEstimated += line.oursEstimated;
    totals.oursUnknown += line.oursUnknown;
    totals.theirsMicroUsd += line.theirsMicroUsd;
    totals.differenceMicroUsd += line.differenceMicroUsd;
  }
  return totals;
}

function lineOf(sum: Sum, now: number, offsetMs: number): BillLine {
  const theirsMicroUsd = microUsdOf(sum.theirs);
  const line: BillLine = {
    day: sum.day, model: sum.name, oursMicroUsd: sum.oursMicroUsd, oursEstimated: sum.oursEstimated, oursUnknown: sum.oursUnknown, theirsMicroUsd, differenceMicroUsd: theirsMicroUsd - sum.oursMicroUsd, ourRequests: sum.ourRequests,
    ...(sum.theirRequests === undefined ? {} : { theirRequests: sum.theirRequests }),
    ...(sum.isOurs ? { ourTokens: sum.ourTokens } : {}),
    ...(sum.theirTokens === undefined ? {} : { theirTokens: sum.theirTokens }),
    reasons: [],
  };
  line.reasons = reasonsFor(line, sum, now, offsetMs);
  return line;
}

function isRounding(difference: number, whole: number): boolean {
  return Math.abs(difference) <= Math.max(roundingMicroUsd, Math.abs(whole) * roundingShare);
}

/** What explains the difference of a line. Neighbouring days are looked at afterwards. */
function reasonsFor(line: BillLine, sum: Sum, now: number, offsetMs: number): BillReason[] {
  const { differenceMicroUsd: difference, oursMicroUsd, theirsMicroUsd } = line;
  const reasons: BillReason[] = [];
  const about = (kind: BillReason['kind'], text: Said, attempts: readonly OurAttempt[] = []): void => {
    const exchanges = [...new Set(attempts.map(({ exchangeId }) => exchangeId))].slice(0, mostExchanges);
    reasons.push({ kind, ...sentence(text), ...(exchanges.length === 0 ? {} : { exchanges }) });
  };
  const unknown = sum.attempts.filter(({ certainty }) => certainty === 'unknown');
  if (unknown.length > 0) {
    about('unknown-cost', unknown.length === 1 ? said('1 request of unknown cost: it is not in the sum of the ledger.') : said('{0} requests of unknown cost: they are not in the sum of the ledger.', unknown.length), unknown);
  }
  const unpriced = sum.attempts.filter(one => one.unpriced.length > 0);
  if (unpriced.length > 0) about('unpriced', said('{0} with parts that have no known price: {1}.', requests(unpriced.length), [...new Set(unpriced.flatMap(one => one.unpriced))].join(', ')), unpriced);
  if (isRounding(difference, theirsMicroUsd)) return reasons;
  const isWhole = (dayStart(sum.day) ?? 0) + dayMs - offsetMs <= now;
  if (sum.isApart) {
    about('apart', said('The bill lists this apart from models; the ledger has it in the cost of the requests that ran it.'));
    return reasons;
  }
  const estimated = sum.attempts.filter(({ certainty, unpriced: parts }) => certainty === 'estimated' && parts.length === 0);
  if (difference > 0) explainMore(line, sum, about, { isKnown: unknown.length === 0 && unpriced.length === 0 });
  else if (!sum.isTheirs) {
    about(isWhole ? 'not-billed' : 'incomplete', isWhole
      ? said('The bill has nothing of this model on this day: another account or organization paid, or it writes the model in another way.')
      : said('The day is not over, and the bill is not complete.'));
  } else if (!isWhole) about('incomplete', said('The day is not over, and the bill is not complete.'));
  else if (line.theirTokens !== undefined && line.ourTokens !== undefined && line.theirTokens < line.ourTokens * (1 - tokenShare)) {
    about('not-billed', said('The bill counts {0} tokens, the ledger {1}: some requests were billed to another account, or not at all.', line.theirTokens, line.ourTokens));
  } else if (sameTokens(line)) about('price', priceText(line, sum));
  if (estimated.length > 0) about('estimated', said('{0} with an estimated cost.', requests(estimated.length)), estimated);
  if (reasons.length === 0 && oursMicroUsd !== theirsMicroUsd) about('unexplained', said('Nothing in the ledger explains this difference: compare the tokens in the provider\'s console.'));
  return reasons;
}

function explainMore(line: BillLine, sum: Sum, about: (kind: BillReason['kind'], text: Said) => void, { isKnown }: { isKnown: boolean }): void {
  const { theirRequests, theirTokens, ourTokens = 0, ourRequests } = line;
  const covered = ['subscription', 'free'].filter(source => sum.priceSources.has(source));
  if (covered.length > 0) about('price', said('Some requests cost nothing by the settings ({0}), and the bill has their model: check "billing" of the endpoints.', covered.join(', ')));
  if (!sum.isOurs) {
    about('outside', theirRequests === undefined
      ? said('No request of this model went through Waybill on this day: what is billed came from elsewhere.')
      : said('No request of this model went through Waybill on this day: {0} came from elsewhere.', requests(theirRequests)));
  } else if (theirRequests !== undefined && theirRequests > ourRequests) about('outside', said('{0} did not go through Waybill: the bill has {1}, the ledger {2}.', requests(theirRequests - ourRequests), theirRequests, ourRequests));
  else if (theirTokens !== undefined && theirTokens > ourTokens * (1 + tokenShare)) {
    const more = theirTokens - ourTokens;
    about('outside', isKnown
      ? said('{0} tokens are not in the ledger: they came from outside Waybill, or from requests that were cut off.', more)
      : said('{0} tokens are not in the ledger: of the requests above, or from outside Waybill.', more));
  } else if (isKnown && (sameTokens(line) || theirTokens === undefined)) about('price', priceText(line, sum));
}

function sameTokens({ theirTokens, ourTokens }: BillLine): boolean {
  return theirTokens !== undefined && ourTokens !== undefined && Math.abs(theirTokens - ourTokens) <= Math.max(ourTokens, theirTokens) * tokenShare;
}

function priceText(line: BillLine, { priceSources }: Sum): Said {
  const ratio = line.oursMicroUsd === 0 ? undefined : line.theirsMicroUsd / line.oursMicroUsd;
  const source = priceSources.size === 0 ? '' : ` (${[...priceSources].join(', ')})`;
  const charged = ratio === undefined ? usd(line.theirsMicroUsd) : said('{0}, {1} times as much', usd(line.theirsMicroUsd), ratio.toFixed(2));
  const ours = usd(line.oursMicroUsd);
  return sameTokens(line)
    ? said('The tokens are the same, so the price is another one: the bill charges {0}, the price that Waybill used{1} gives {2}.', charged, source, ours)
    : said('The price may be another one: the bill charges {0}, the price that Waybill used{1} gives {2}.', charged, source, ours);
}

/** Days that are off by about the same in opposite ways have another border in the bill than here. */
function explainBorders(lines: readonly BillLine[], sums: ReadonlyMap<string, Sum>): void {
  const known = new Map(lines.map(line => [`${line.day}\nmodel\n${modelKey(line.model)}`, line]));
  for (const [key, line] of known) {
    const at = dayStart(line.day);
    if (at === undefined) continue;
    const nextKey = key.replace(line.day, dayOf(at + dayMs));
    const next = known.get(nextKey);
    if (next === undefined || isRounding(line.differenceMicroUsd, line.theirsMicroUsd) || Math.sign(line.differenceMicroUsd) === Math.sign(next.differenceMicroUsd)) continue;
    const both = Math.abs(line.differenceMicroUsd + next.differenceMicroUsd);
    if (both > Math.max(roundingMicroUsd, 0.05 * Math.max(Math.abs(line.differenceMicroUsd), Math.abs(next.differenceMicroUsd)))) continue;
    const crossing = (sums.get(key)?.attempts ?? []).filter(one => one.crossesMidnight);
    const exchanges = crossing.map(({ exchangeId }) => exchangeId).slice(0, mostExchanges);
    const text = (day: string): Said => (crossing.length === 0
      ? said('The difference is the opposite of that of {0}: the bill ends its days at another hour.', day)
      : said('The difference is the opposite of that of {0}: the bill ends its days at another hour, or counts {1} that ran over midnight on the other day.', day, requests(crossing.length)));
    for (const side of [line, next]) {
      side.reasons = side.reasons.filter(({ kind }) => kind === 'unknown-cost' || kind === 'unpriced' || kind === 'estimated');
      side.reasons.push({ kind: 'border', ...sentence(text(side === line ? next.day : line.day)), ...(exchanges.length === 0 ? {} : { exchanges }) });
    }
  }
}

/** Consoles write `Claude Sonnet 4.6` for `claude-sonnet-4-6`. */
function modelKey(name: string): string {
  return canonicalModelName(name.trim().replace(/\s+/g, '-'));
}

function requests(count: number): Said {
  return count === 1 ? said('1 request') : said('{0} requests', count);
}

function sentence(text: Said): Pick<BillReason, 'text' | 'said'> {
  return { text: englishOf(text), said: text };
}

function usd(microUsd: number): string {
  return `$${(microUsd / 1_000_000).toFixed(Math.abs(microUsd) < 10_000 ? 6 : 4)}`;
}
