import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Receipt, RequestSummary, SpendReport } from '../../server/api/receipt.ts';
import type { EndpointSettings } from '../../server/api/settings.ts';
import { ChaosRouter } from '../chaos/router.ts';
import { rawRequest, type RawAnswer } from '../integration/support/rawClient.ts';
import { seededRandom } from '../unit/support/seededRandom.ts';
import { hostileKinds } from './kinds.ts';
import { HostileProvider } from './provider.ts';

export interface HostileRunOptions {
  /** Sets the order of the kinds, and which caller asks for which. */
  seed: number;
  /** How often every kind is asked for, untouched and translated each; 2 at least, as memory is compared between rounds. */
  rounds: number;
  /** Requests under way at the same time. */
  callers: number;
  serverFile: string;
  /** For configuration and data; empty. */
  folder: string;
}

export interface HostileReport {
  /** What broke a promise, one sentence each. */
  violations: string[];
  requests: number;
  kinds: number;
  /** How much longer a good request took over the router than beside it, in milliseconds. */
  addedMs: { p50: number; p99: number; most: number };
  /** Live memory after garbage collection, in bytes: after the first round, and its growth until the end. */
  live: { afterFirst: number; growth: number };
  rss: { atStart: number; atEnd: number };
  exchanges: number;
}

const secret = 'sk-hostile-run-0123456789abcdef';
const timeouts = { connectMs: 2_000, headersMs: 4_000, firstTokenMs: 1_500, idleMs: 1_500, totalMs: 8_000, minTokensPerSecond: 0 };
/** Longer than all bounds of the router together: the router has lost a request that takes this long. */
const forgottenMs = 60_000;
const mostAddedMs = 200;
const mostGrowthBytes = 20 * 1024 * 1024;

function endpointsOf(provider: HostileProvider): Record<string, EndpointSettings> {
  const endpoint = (kind: string, listed: boolean): EndpointSettings => ({
    provider: 'sandbox', protocol: 'openai-chat', baseUrl: provider.baseUrl(kind), keys: [secret], timeouts, breaker: { failures: 1_000, openForMs: 100, maxOpenForMs: 200 },
    ...(listed ? {} : { models: { m: {} }, probe: { enabled: false } }),
  });
  const hostile = hostileKinds.map((kind, index): [string, EndpointSettings] => [`k${index}`, endpoint(`k${index}`, kind.place === 'model list')]);
  return Object.fromEntries([['good', endpoint('good', false)], ...hostile]);
}

/** Requests in each protocol of callers: path and body. The first is the protocol of the provider, whose answers pass untouched. */
type RequestForm = (model: string, stream: boolean) => [path: string, body: object];
const chatForm: RequestForm = (model, stream) => ['/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: 'hello' }] }];
const translatedForms: readonly RequestForm[] = [
  (model, stream) => ['/v1/messages', { model, stream, max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] }],
  (model, stream) => ['/v1/responses', { model, stream, input: 'hello' }],
  (model, stream) => [`/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }],
];

/** One caller's turn: a kind of hostile answer, or a good one. */
type Turn = { kind: number; streamed: boolean; form: RequestForm } | 'good';

/** Every kind plain and streamed, untouched and translated, in a drawn order with good requests between. */
function turnsOf(seed: number): Turn[] {
  const random = seededRandom(seed);
  const turns = hostileKinds.flatMap((_, kind): Turn[] => {
    const translated = translatedForms[Math.floor(random() * translatedForms.length)] ?? chatForm;
    const untouchedStream = random() < 0.5;
    return [{ kind, streamed: untouchedStream, form: chatForm }, { kind, streamed: !untouchedStream, form: translated }, 'good'];
  });
  return shuffled(turns, random);
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items.map(item => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/** Sends every kind of hostile answer to a router and judges from outside which promises it kept. */
export async function runHostile(options: HostileRunOptions): Promise<HostileReport> {
  const provider = await HostileProvider.start();
  const endpoints = endpointsOf(provider);
  const router = await ChaosRouter.start(options.serverFile, options.folder, { endpoints, routes: {} });
  try {
    const report = await new HostileRun(options, provider, router).run();
    await router.stop();
    report.violations.push(...await heirViolations(options, endpoints));
    return report;
  } finally {
    await router.stop();
    await provider.close();
  }
}

/** The next server takes over what the first one kept of hostile lists and names: it comes up, serves, and reads the ledger. */
async function heirViolations({ serverFile, folder }: HostileRunOptions, endpoints: Record<string, EndpointSettings>): Promise<string[]> {
  const heir = await ChaosRouter.start(serverFile, folder, { endpoints, routes: {} });
  try {
    const [path, body] = chatForm('good/m', false);
    const { status, text } = await rawRequest({ url: heir.url + path, body: JSON.stringify(body), headers: { authorization: `Bearer ${heir.token}` } });
    await heir.get('/waybill/spend');
    return status === 200 ? [] : [`the next server answers ${status}: ${text.slice(0, 300)}`];
  } catch (error) {
    return [`the next server does not serve: ${String(error)}`];
  } finally {
    await heir.stop();
  }
}

class HostileRun {
  readonly #options: HostileRunOptions;
  readonly #provider: HostileProvider;
  readonly #router: ChaosRouter;
  readonly #violations: string[] = [];
  readonly #addedMs: number[] = [];
  #requests = 0;

  constructor(options: HostileRunOptions, provider: HostileProvider, router: ChaosRouter) {
    this.#options = options;
    this.#provider = provider;
    this.#router = router;
  }

  async run(): Promise<HostileReport> {
    const { rounds, seed } = this.#options;
    const atStart = this.#router.residentBytes() ?? 0;
    await this.#play(turnsOf(seed));
    const first = await this.#live();
    for (let round = 1; round < rounds; round += 1) await this.#play(turnsOf(seed + round));
    const last = await this.#live();
    const atEnd = this.#router.residentBytes() ?? 0;
    const growth = last - first;
    if (growth > mostGrowthBytes) this.#broken(`live memory grew by ${megabytes(growth)} MB`);
    const exchanges = this.#router.running ? await this.#readLedger() : 0;
    this.#judgeLatency();
    this.#judgeLog();
    for (const [index, kind] of hostileKinds.entries()) {
      if ((this.#provider.asked.get(`k${index}`) ?? 0) === 0) this.#broken(`the kind "${kind.place}, ${kind.name}" was never asked for`);
    }
    return {
      violations: this.#violations, requests: this.#requests, kinds: hostileKinds.length, exchanges,
      addedMs: { p50: quantile(this.#addedMs, 0.5), p99: quantile(this.#addedMs, 0.99), most: Math.max(0, ...this.#addedMs) },
      live: { afterFirst: first, growth }, rss: { atStart, atEnd },
    };
  }

  #broken(sentence: string): void {
    this.#violations.push(sentence);
  }

  async #live(): Promise<number> {
    if (!this.#router.running) return 0;
    const { heapUsed, external } = await this.#router.holdings();
    return heapUsed + external;
  }

  /** All callers take turns from one queue until it is empty. */
  async #play(turns: Turn[]): Promise<void> {
    const queue = [...turns];
    await Promise.all(Array.from({ length: this.#options.callers }, async () => {
      for (let turn = queue.shift(); turn !== undefined && this.#router.running; turn = queue.shift()) await this.#take(turn);
    }));
    if (!this.#router.running) this.#broken(`the server ended with ${this.#router.child.exitCode ?? this.#router.child.signalCode}: ${this.#router.complaints.slice(-1_000)}`);
  }

  async #take(turn: Turn): Promise<void> {
    this.#requests += 1;
    if (turn === 'good') {
      await this.#askGood();
      return;
    }
    const kind = hostileKinds[turn.kind];
    const name = `${kind?.place}, ${kind?.name}, ${turn.streamed ? 'streamed' : 'plain'}`;
    const answer = await this.#ask(`k${turn.kind}/m`, turn.streamed, turn.form).catch((error: unknown) => {
      this.#broken(`${name}: no answer (${String(error)})`);
      return undefined;
    });
    if (answer === undefined) return;
    if (answer.status < 200 || answer.status > 599) this.#broken(`${name}: status ${answer.status}`);
    if (JSON.stringify(answer.headers).includes(secret) || answer.text.includes(secret)) this.#broken(`${name}: the key is in the answer`);
  }

  /** The same request over the router and beside it at the same moment: a delay that both have, such as that of a busy machine, does not count. */
  async #askGood(): Promise<void> {
    const timed = async (ask: () => Promise<RawAnswer>): Promise<{ ms: number; answer: RawAnswer }> => {
      const startedAt = performance.now();
      return { answer: await ask(), ms: performance.now() - startedAt };
    };
    const [over, beside] = await Promise.all([
      timed(() => this.#ask('good/m', false)).catch((error: unknown) => String(error)),
      timed(() => rawRequest({ url: `${this.#provider.baseUrl('good')}/chat/completions`, body: JSON.stringify(chatForm('m', false)[1]) })).catch((error: unknown) => String(error)),
    ]);
    if (typeof over === 'string' || typeof beside === 'string') {
      this.#broken(`a good request got no answer: ${JSON.stringify(over)} ${JSON.stringify(beside)}`);
      return;
    }
    if (over.answer.status !== 200) this.#broken(`a good request got ${over.answer.status}: ${over.answer.text.slice(0, 300)}`);
    this.#addedMs.push(Math.max(0, over.ms - beside.ms));
  }

  #ask(model: string, streamed: boolean, form = chatForm): Promise<RawAnswer> {
    const [route, body] = form(model, streamed);
    return rawRequest({ url: this.#router.url + route, body: JSON.stringify(body), headers: { authorization: `Bearer ${this.#router.token}` }, signal: AbortSignal.timeout(forgottenMs) });
  }

  /** Everything the ledger holds can be read: over the router page by page, and in the file. @returns how many exchanges */
  async #readLedger(): Promise<number> {
    const read = async <Body>(route: string): Promise<Body | undefined> => this.#router.get(route).then(body => body as Body, (error: unknown) => {
      this.#broken(`the ledger cannot be read: ${String(error).slice(0, 300)}`);
      return undefined;
    });
    await read<SpendReport>('/waybill/spend');
    await read('/waybill/status');
    await read('/v1/models');
    const recent = await read<RequestSummary[]>('/waybill/exchanges') ?? [];
    for (const { id } of recent.slice(0, 50)) {
      const receipt = await read<Receipt>(`/waybill/exchanges/${id}`);
      for (const attempt of receipt?.attempts ?? []) {
        const { costMicroUsd } = attempt as { costMicroUsd?: number };
        if (costMicroUsd !== undefined && !(Number.isFinite(costMicroUsd) && costMicroUsd >= 0)) this.#broken(`an attempt cost ${costMicroUsd}`);
      }
    }
    const database = new DatabaseSync(path.join(this.#options.folder, 'data', 'ledger.db'), { readOnly: true });
    try {
      const check = database.prepare('PRAGMA integrity_check').get();
      if (check?.['integrity_check'] !== 'ok') this.#broken(`the ledger is damaged: ${JSON.stringify(check)}`);
      database.prepare('SELECT * FROM attempts').all();
      const exchanges = database.prepare('SELECT * FROM exchanges').all();
      if (exchanges.length < this.#requests) this.#broken(`${this.#requests} requests were sent and the ledger knows ${exchanges.length}`);
      return exchanges.length;
    } finally {
      database.close();
    }
  }

  #judgeLatency(): void {
    const p99 = quantile(this.#addedMs, 0.99);
    if (p99 > mostAddedMs) this.#broken(`one good request in a hundred waited ${Math.round(p99)} ms longer than beside the router`);
  }

  #judgeLog(): void {
    const log = this.#router.complaints;
    if (log.includes(secret)) this.#broken('the key is in the log');
    const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.exec(log);
    if (control !== null) this.#broken(`a control character is in the log: ${JSON.stringify(log.slice(Math.max(0, control.index - 60), control.index + 20))}`);
    for (const line of log.split('\n')) {
      if (!/^(?:$|(?:debug|info|warn|error): |\s|\()/.test(line)) this.#broken(`a line of the log stands by itself: ${line.slice(0, 200)}`);
      if (/forged/.test(line.slice(0, 20))) this.#broken(`a line of the log is forged: ${line.slice(0, 100)}`);
      if (/unhandled rejection|uncaught exception/i.test(line)) this.#broken(`something was thrown that nothing caught: ${line.slice(0, 300)}`);
    }
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 102.4) / 10;
}

/** The report as lines for a person. */
export function hostileText(report: HostileReport): string {
  const { addedMs, live, rss } = report;
  return [
    `${report.requests} requests, ${report.kinds} kinds of hostile answers, ${report.exchanges} exchanges in the ledger`,
    `a good request took ${addedMs.p50.toFixed(1)} ms longer over the router (p50), ${addedMs.p99.toFixed(1)} ms (p99), ${addedMs.most.toFixed(1)} ms (most)`,
    `live memory ${megabytes(live.afterFirst)} MB after the first round, ${megabytes(live.growth)} MB more at the end; resident ${megabytes(rss.atStart)} to ${megabytes(rss.atEnd)} MB`,
    ...(report.violations.length === 0 ? ['no promise was broken'] : [`${report.violations.length} broken promises:`, ...report.violations.slice(0, 40)]), '',
  ].join('\n');
}
