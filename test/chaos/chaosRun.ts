import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpendReport } from '../../server/api/receipt.ts';
import { send } from './caller.ts';
import { brokenPromise, judgeReply, wellThroughout, type HealthySpan, type Verdict } from './judge.ts';
import { judgeLedger, type LedgerVerdict } from './ledgerJudge.ts';
import { readLedger, type LedgerExchange } from './ledgerRows.ts';
import { leakViolations } from './leaks.ts';
import { ProviderProcess } from './providerProcess.ts';
import { chaosRequest, type ChaosRequest, type ProviderName } from './requests.ts';
import { ChaosRouter, type RouterHoldings } from './router.ts';
import { chaosConfiguration } from './routerConfig.ts';

export interface ChaosOptions {
  seed: number;
  requests: number;
  concurrency: number;
  /** The bundle, or `server/main.ts`. */
  serverFile: string;
  /** A temporary folder. */
  folder: string;
  onProgress?: ((line: string) => void) | undefined;
}

/** One request and what became of it. */
interface JudgedRequest {
  request: ChaosRequest;
  nonce: string;
  verdict: Verdict;
  status: number | undefined;
  target: string | undefined;
  exchange: string | undefined;
  startedAt: number;
  endedAt: number;
}

export interface ChaosReport {
  options: Pick<ChaosOptions, 'seed' | 'requests' | 'concurrency'>;
  seconds: number;
  /** Requests by what became of them. */
  outcomes: Record<Verdict['kind'], number>;
  /** Requests that had a healthy target throughout, and how many of those had to succeed and did. */
  guarded: { requests: number; owed: number; kept: number };
  faultChanges: number;
  ledger: LedgerVerdict;
  holdings: { before: RouterHoldings; afterEachQuarter: RouterHoldings[] };
  violations: string[];
}

const quarters = 4;
const warmUpRequests = 200;
const newKeysEveryMs = 3000;
/** How long after its caller a request may run on at a provider: ten times what is promised, on a machine that may be busy. */
const goodByeMs = 1000;
/** How long the router may take to release what it held. */
const settleMs = 8000;

/**
 * Lets callers ask a router whose providers misbehave as the seed says, and holds what callers, providers and ledger saw
 * against each other. Processes it starts are ended when it resolves or rejects.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const providers = new ProviderProcess();
  let router: ChaosRouter | undefined;
  try {
    const ready = await providers.receive('ready');
    router = await ChaosRouter.start(options.serverFile, options.folder, chaosConfiguration(ready.providers, 0));
    return await new Chaos(options, providers, router, ready.providers).run();
  } finally {
    await router?.stop();
    await providers.stop();
  }
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #providers: ProviderProcess;
  readonly #router: ChaosRouter;
  readonly #addresses: readonly { name: ProviderName; url: string }[];
  readonly #judged: JudgedRequest[] = [];
  readonly #spans: HealthySpan[] = [];
  readonly #violations: string[] = [];
  #number = 0;
  #generation = 0;
  #faultChanges = 0;

  constructor(options: ChaosOptions, providers: ProviderProcess, router: ChaosRouter, addresses: readonly { name: ProviderName; url: string }[]) {
    this.#options = options;
    this.#providers = providers;
    this.#router = router;
    this.#addresses = addresses;
  }

  async run(): Promise<ChaosReport> {
    const startedAt = performance.now();
    const { seed, requests, concurrency } = this.#options;
    await this.#ask(Math.min(warmUpRequests, requests));
    for (const { nonce, verdict } of this.#judged) {
      if (verdict.kind !== 'right' && verdict.kind !== 'cancelled') this.#violations.push(`${nonce}: ${verdict.kind} while every provider was well`);
    }
    const before = await this.#settled(undefined);
    const afterEachQuarter: RouterHoldings[] = [];
    for (let quarter = 1; quarter <= quarters; quarter++) {
      await this.#storm(seed * quarters + quarter, Math.ceil(requests / quarters));
      afterEachQuarter.push(await this.#settled(before));
      this.#options.onProgress?.(`quarter ${quarter} of ${quarters}: ${this.#judged.length} requests`);
    }
    const ledger = await this.#holdLedgerAgainst();
    const guarded = this.#judgePromises(ledger.exchanges);
    this.#violations.unshift(...leakViolations(before, afterEachQuarter), ...this.#complaints(), ...ledger.verdict.violations);
    return {
      options: { seed, requests, concurrency }, seconds: (performance.now() - startedAt) / 1000, outcomes: this.#outcomes(), guarded,
      faultChanges: this.#faultChanges, ledger: ledger.verdict, holdings: { before, afterEachQuarter }, violations: this.#violations,
    };
  }

  /** One quarter: faults, callers, and then calm. */
  async #storm(seed: number, requests: number): Promise<void> {
    this.#providers.order({ order: 'storm', seed });
    const newKeys = setInterval(() => this.#router.configure(chaosConfiguration(this.#addresses, this.#generation += 1)), newKeysEveryMs);
    try {
      await this.#ask(requests);
    } finally {
      clearInterval(newKeys);
    }
    const spans = this.#providers.receive('spans');
    const calm = this.#providers.receive('calm');
    this.#providers.order({ order: 'calm' });
    this.#spans.push(...(await spans).spans);
    const { changes } = await calm;
    this.#faultChanges = changes;
  }

  /** All callers at once, each with one request after the other. */
  async #ask(requests: number): Promise<void> {
    const last = this.#number + requests;
    await Promise.all(Array.from({ length: this.#options.concurrency }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (this.#number < last) await this.#askOne(this.#number += 1, agent);
      agent.destroy();
    }));
  }

  async #askOne(number: number, agent: Agent): Promise<void> {
    const request = chaosRequest(this.#options.seed, number);
    const reply = await send(request, this.#router, agent);
    const { status, target, exchange, startedAt, endedAt } = reply;
    this.#judged.push({ request, nonce: request.nonce, verdict: judgeReply(request, reply), status, target, exchange, startedAt, endedAt });
  }

  /** Connections are ended from outside; then the router is to hold no more than it held before. */
  async #settled(before: RouterHoldings | undefined): Promise<RouterHoldings> {
    await sleep(goodByeMs);
    const open = this.#providers.receive('open');
    const hungUp = this.#providers.receive('hung-up');
    this.#providers.order({ order: 'hang-up' });
    const { requests } = await open;
    if (requests > 0) this.#violations.push(`${requests} requests still ran at the providers ${goodByeMs} ms after their callers had gone`);
    await hungUp;
    const deadline = performance.now() + (before === undefined ? 1500 : settleMs);
    for (;;) {
      await sleep(300);
      const holdings = await this.#router.holdings();
      const settled = before !== undefined && leakViolations(before, [holdings]).length === 0;
      if (settled || performance.now() > deadline) return holdings;
    }
  }

  async #holdLedgerAgainst(): Promise<{ verdict: LedgerVerdict; exchanges: LedgerExchange[] }> {
    // The server commits its waiting records before it answers this request, so its sums and the rows of the file must be equal.
    const spend = await this.#router.get('/waybill/spend?range=7d') as SpendReport;
    await sleep(500);
    const { exchanges, totals } = readLedger(this.#router.databaseFile);
    const verdict = judgeLedger(exchanges, this.#judged, this.#providers.counted);
    const reported = { microUsd: spend.totals.microUsd, estimatedMicroUsd: spend.totals.estimatedMicroUsd, unknownAttempts: spend.totals.unknownAttempts, inputTokens: spend.totals.usage.inputTokens ?? 0, outputTokens: spend.totals.usage.outputTokens ?? 0 };
    for (const [field, value] of Object.entries(reported)) {
      const held = totals[field as keyof typeof totals];
      if (held !== value) verdict.violations.push(`/waybill/spend reports ${value} as ${field}, the ledger's rows hold ${held}`);
    }
    return { verdict, exchanges };
  }

  #judgePromises(exchanges: readonly LedgerExchange[]): ChaosReport['guarded'] {
    const guarded = { requests: 0, owed: 0, kept: 0 };
    const byNonce = new Map(exchanges.map(exchange => [exchange.nonce, exchange]));
    const spans = new SpanIndex(this.#spans);
    const wrong: string[] = [];
    for (const { request, nonce, verdict, startedAt, endedAt } of this.#judged.slice(warmUpRequests)) {
      const receipt = describe(request, byNonce.get(nonce), startedAt);
      if (verdict.kind === 'wrong') wrong.push(`${nonce}: ${verdict.why}\n    ${receipt}`);
      if (verdict.kind === 'cancelled') continue;
      const well = wellThroughout(request, { startedAt, endedAt }, spans.around(startedAt));
      if (well.length === 0) continue;
      guarded.requests += 1;
      const broken = brokenPromise(request, verdict, well);
      if (verdict.kind === 'error-after-words' && broken === undefined) continue;
      guarded.owed += 1;
      if (broken === undefined && verdict.kind === 'right') guarded.kept += 1;
      if (broken !== undefined) this.#violations.push(`${nonce}: ${broken}\n    ${receipt}`);
    }
    // Wrong answers come first, before requests that only failed.
    this.#violations.unshift(...wrong);
    return guarded;
  }

  #complaints(): string[] {
    const lines = this.#router.complaints.split('\n').filter(line => /^error:|Warning|unhandled|^\s+at /i.test(line));
    if (!this.#router.running) lines.push('the router ended');
    return lines.slice(0, 10).map(line => `the router wrote: ${line}`);
  }

  #outcomes(): ChaosReport['outcomes'] {
    const outcomes = { 'right': 0, 'error': 0, 'error-after-words': 0, 'cancelled': 0, 'wrong': 0 };
    for (const { verdict } of this.#judged) outcomes[verdict.kind] += 1;
    return outcomes;
  }
}

/** Spans in the order of time, so that not all of them are looked at for every request. */
class SpanIndex {
  readonly #bySecond = new Map<number, HealthySpan[]>();

  constructor(spans: readonly HealthySpan[]) {
    for (const span of spans) {
      for (let second = Math.floor(span.from / 1000); second <= Math.floor(span.to / 1000); second++) {
        const known = this.#bySecond.get(second);
        if (known === undefined) this.#bySecond.set(second, [span]);
        else known.push(span);
      }
    }
  }

  around(at: number): readonly HealthySpan[] {
    return this.#bySecond.get(Math.floor(at / 1000)) ?? [];
  }
}

/** A request and its receipt in one line, for a person who looks for the mistake. */
function describe(request: ChaosRequest, exchange: LedgerExchange | undefined, startedAt: number): string {
  const { protocol, stream, wants, route } = request;
  const attempts = exchange?.attempts.map(({ endpoint, role, outcome, failureClass, message, status }) =>
    `${endpoint}${role === undefined ? '' : ` (${role})`} ${failureClass ?? outcome}${status === undefined ? '' : ` ${status}`}${message === undefined ? '' : ` "${message}"`}`);
  return `${protocol} ${stream ? 'stream' : 'plain'} ${wants} to ${route.name}, ${new Date(startedAt).toISOString().slice(14, 23)}, `
    + `${exchange === undefined ? 'no receipt' : `${exchange.outcome} after ${Math.round(exchange.totalMs)} ms: ${attempts?.join('; ') ?? ''}`}`;
}
