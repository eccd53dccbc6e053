import { setImmediate as nextTurn } from 'node:timers/promises';
import { billKeys, type BillColumns, type BillKey, type BillReport, type ReconcileParams, type ReconcileResult } from '../../api/bill.ts';
import { englishOf, said } from '../../api/localization/said.ts';
import type { Clock } from '../../base/clock.ts';
import { WaybillError } from '../../base/failure.ts';
import { parseJson } from '../../base/json.ts';
import type { SecretRegister } from '../../base/secrets/redact.ts';
import { isLoopbackHost } from '../../config/baseUrl.ts';
import type { EndpointConfig } from '../../config/config.ts';
import type { TimeRange } from '../../api/receipt.ts';
import type { LedgerBill } from '../../ledger/spend.ts';
import { billApis, generationRecords, type BillApi, type BillList } from '../../pricing/bills/apiBills.ts';
import { BillProblem, dayMs, dayStart, offsetOf, type BillItem } from '../../pricing/bills/billItem.ts';
import { compareBill } from '../../pricing/bills/compareBill.ts';
import { csvBillParts, largestBillCharacters } from '../../pricing/bills/csvBill.ts';
import type { Dispatcher } from '../../upstream/call.ts';
import { fetchText } from '../../upstream/fetchText.ts';
import type { CurrentConfig } from '../currentConfig.ts';

export interface BillReconcilerOptions {
  current: CurrentConfig;
  register: Pick<SecretRegister, 'add'>;
  transport: Dispatcher;
  bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill>;
  clock: Clock;
}

const mostDays = 92;
const mostPages = 200;
const pageTimeoutMs = 30_000;

/** Compares the ledger with what a provider charges. An admin key is used for the call that brings it, sent to the provider's own host, and kept nowhere. */
export class BillReconciler {
  readonly #options: BillReconcilerOptions;

  constructor(options: BillReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(params: ReconcileParams, signal?: AbortSignal): Promise<ReconcileResult> {
    try {
      return { report: await this.#report(params, signal) };
    } catch (error) {
      if (error instanceof BillProblem) return { problem: error.message, ...(error.missing === undefined ? {} : { missing: error.missing, columns: error.columns }) };
      if (error instanceof WaybillError) return { problem: error.message };
      throw error;
    }
  }

  async #report({ endpoint: name, fromDay, toDay, utcOffset = 'UTC', source }: ReconcileParams, signal: AbortSignal | undefined): Promise<BillReport> {
    const { current, clock, bill } = this.#options;
    const endpoint = current.config.endpoints.get(name);
    if (endpoint === undefined) throw new BillProblem(`There is no endpoint "${name}": choose one of ${[...current.config.endpoints.keys()].join(', ') || 'your own after adding a provider'}.`);
    const [from, to] = [dayStart(fromDay), dayStart(toDay)];
    if (from === undefined || to === undefined || from > to) throw new BillProblem('Give the first and the last day like 2026-11-01 and 2026-11-30, the earlier one first.');
    if ((to - from) / dayMs >= mostDays) throw new BillProblem(`Compare at most ${mostDays} days at once.`);
    const offsetMs = offsetOf(utcOffset);
    if (offsetMs === undefined) throw new BillProblem('Give the time zone of the bill like +08:00, or leave it out for UTC.');
    const theirs = source.kind === 'file' ? await fileItems(source.text, source.columns, offsetMs) : await this.#fetched(endpoint, source.adminKey, { from, to: to + dayMs, offsetMs }, signal);
    const endpoints = [...current.config.endpoints.values()].filter(one => isSamePlace(one, endpoint)).map(one => one.name);
    const ours = await bill({ from: from - offsetMs, to: to + dayMs - offsetMs }, endpoints, offsetMs);
    const saidSource = source.kind === 'file' ? said('a file') : said('the cost API of {0}', endpoint.provider.name);
    return compareBill({
      ours: ours.models, attempts: ours.attempts, theirs,
      about: {
        provider: endpoint.provider.name, endpoints, source: englishOf(saidSource), saidSource,
        fromDay, toDay, utcOffset: offsetMs === 0 ? 'UTC' : utcOffset, at: clock.now(), offsetMs,
      },
    });
  }

  async #fetched(endpoint: EndpointConfig, typed: string, range: { from: number; to: number; offsetMs: number }, signal: AbortSignal | undefined): Promise<BillItem[]> {
    const api = billApis[endpoint.provider.id];
    const key = billKeys[endpoint.provider.id];
    if (api === undefined || key === undefined) throw new BillProblem(`${endpoint.provider.name} has no cost API that Waybill knows: export its bill as CSV and use the file.`);
    if (range.offsetMs !== 0) throw new BillProblem(`The cost API of ${api.name} counts days in UTC: leave the time zone out.`);
    const adminKey = typed.trim();
    if (!/^[\x21-\x7e]{8,500}$/.test(adminKey)) throw new BillProblem(`Give ${key.name} of ${api.name}; one is made at ${key.url}.`);
    if (key.prefix !== undefined && !adminKey.startsWith(key.prefix)) {
      throw new BillProblem(`This is not ${key.name} of ${api.name}, so it was not sent: a key for requests cannot read costs. One is made at ${key.url}.`);
    }
    const origin = originFor(endpoint, api);
    this.#options.register.add([adminKey]);
    const items: BillItem[] = [];
    for (const list of api.lists) items.push(...await this.#pages({ endpoint, api, key, list, origin, adminKey, range, signal }));
    return items;
  }

  async #pages({ endpoint, api, key, list, origin, adminKey, range, signal }: FetchedList): Promise<BillItem[]> {
    const url = `${origin}${list.path(range.from, range.to)}`;
    const items: BillItem[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const paged = cursor === undefined ? url : `${url}&page=${encodeURIComponent(cursor)}`;
      const { status, text } = await fetchText(this.#options.transport, placeOf(endpoint, api, origin), {
        method: 'GET', url: paged, headers: { ...api.headers(adminKey), accept: 'application/json', 'accept-encoding': 'identity' },
      }, pageTimeoutMs, signal);
      if (status !== 200) throw new BillProblem(refusal(api, key, status));
      const body = parseJson(text);
      const read = list.read(body ?? null);
      items.push(...read.items);
      if (read.next === undefined) return items;
      if (read.next === cursor) throw new BillProblem(`${api.name} gives the same page again and again: export a CSV file there and use that.`);
      cursor = read.next;
    }
    throw new BillProblem(`${api.name} has more pages than Waybill reads: compare fewer days.`);
  }
}

interface FetchedList {
  endpoint: EndpointConfig;
  api: BillApi;
  key: BillKey;
  list: BillList;
  origin: string;
  adminKey: string;
  range: { from: number; to: number };
  signal: AbortSignal | undefined;
}

/** Attempts at another place of the same provider are on another bill, but for regional addresses of its own. */
function isSamePlace(one: EndpointConfig, other: EndpointConfig): boolean {
  if (one.provider.id !== other.provider.id) return false;
  const api = billApis[one.provider.id];
  const places = [one, other].map(({ baseUrl }) => new URL(baseUrl).host);
  return places[0] === places[1] || (api !== undefined && places.every(host => isOwnHost(host, api)));
}

function isOwnHost(host: string, api: BillApi): boolean {
  const own = new URL(api.origin).host;
  return host === own || host.endsWith(`.${own}`);
}

/** The provider's own address. An endpoint on this machine, such as a simulator, is asked itself; a key goes to no relay. */
function originFor(endpoint: EndpointConfig, api: BillApi): string {
  const { host, hostname, origin } = new URL(endpoint.baseUrl);
  if (isOwnHost(host, api)) return api.origin;
  if (isLoopbackHost(hostname)) return origin;
  throw new BillProblem(`Endpoint "${endpoint.name}" is at ${host}, not at ${api.name}: the admin key was not sent. Use a CSV file of whoever bills it.`);
}

/** Connections to the cost API are apart from those of the endpoint, which may be at another address. */
function placeOf(endpoint: EndpointConfig, api: BillApi, origin: string): EndpointConfig {
  return { ...endpoint, name: `${endpoint.name} (costs)`, baseUrl: origin, provider: { ...endpoint.provider, name: api.name } };
}

function refusal(api: BillApi, key: BillKey, status: number): string {
  if (status === 401) return `${api.name} does not accept this key: give ${key.name}, made at ${key.url}.`;
  if (status === 403) return `${api.name} does not let this key read costs: give ${key.name} of an administrator of the organization, made at ${key.url}.`;
  if (status === 404) return `${api.name} has no cost report for this account: export its bill as CSV and use the file.`;
  if (status === 429) return `${api.name} is asked too often: try again in a minute.`;
  if (status >= 500) return `${api.name} cannot give its costs now (${status}): try again later.`;
  return `${api.name} refuses to give its costs (${status}): choose other days, or export a CSV file there and use that.`;
}

/** Other requests go on between the parts of a file. */
async function fileItems(text: string, columns: BillColumns | undefined, offsetMs: number): Promise<BillItem[]> {
  if (text.length > largestBillCharacters) throw new BillProblem('The file is larger than 16 MB: export a shorter time.');
  if (text.trim() === '') throw new BillProblem('The file is empty: export it again.');
  if (!/^\uFEFF?\s*[[{]/.test(text)) {
    const items: BillItem[] = [];
    for (const part of csvBillParts(text, columns ?? {}, offsetMs)) {
      items.push(...part);
      await nextTurn();
    }
    return items;
  }
  const body = parseJson(text.replace(/^\uFEFF/, ''));
  if (body === undefined) throw new BillProblem('The file begins like JSON and is none: export it again, or use CSV.');
  return generationRecords(body, offsetMs);
}
