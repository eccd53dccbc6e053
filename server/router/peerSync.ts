import type { FailureClass, RefusalScope } from '../api/failure.ts';
import type { Attempt } from '../api/receipt.ts';
import { promptTokens } from '../api/usage.ts';
import type { Clock } from '../base/clock.ts';
import type { FailureCode, TimerPhase } from '../base/failureCodes.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import { observationOf } from '../timeouts/attemptObservation.ts';
import type { RateLimiter, ReportedLimit } from '../limits/rateLimiter.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import { firstTokenSampleOf, type FirstTokenAverages } from '../timeouts/firstTokenAverages.ts';
import type { PeerNote } from '../ledger/peerNotes.ts';
import type { ExpectedUsage } from '../pricing/expectedUsage.ts';
import type { HealthEvent, LedgerReader, PeerFacts, RecordedAttempt, SharedState } from '../ledger/ports.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import type { LearntRepairs } from '../exchange/learntRepairs.ts';
import { isAboutKey } from '../exchange/machine/failover.ts';
import type { Prober } from './prober.ts';
import { RecentIds } from './replicas/recentIds.ts';

const warmUpMs = 10 * 60 * 1000;
/** Attempts of earlier servers that timers are learnt from. */
const recalledAttempts = 500;
/** Attempts that are known to have been applied. */
const applied = 5_000;

/** An attempt that a replica on another machine made. */
export interface ReplicaAttempt {
  /** The same whoever tells of it. */
  id: string;
  endpoint: string;
  model: string;
  /** The same key here; undefined where the endpoint needs none, or this server does not have it. */
  keyId: string | undefined;
  /** It used a key that this server does not have. */
  isForeignKey: boolean;
  /** Milliseconds since the epoch, as `at`, when it ended. */
  startedAt: number;
  at: number;
  tokens: number;
  failureClass?: FailureClass | undefined;
  code?: FailureCode | undefined;
  scope?: RefusalScope | undefined;
  phase?: TimerPhase | undefined;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  firstTokenMs?: number | undefined;
  totalMs: number;
}

/** What replicas on other machines found out. */
export interface ReplicaNews { attempts: readonly ReplicaAttempt[]; probes: readonly HealthEvent[]; notes: readonly PeerNote[] }

export interface PeerSyncOptions {
  ledger: Pick<LedgerReader, 'notes' | 'waitingAttempts' | 'recentAttempts' | 'latestAttempts' | 'keysUsed'> & SharedState;
  healthRegistry: HealthRegistry;
  limiter: RateLimiter;
  timers: AdaptiveTimeouts;
  firstTokens: Pick<FirstTokenAverages, 'observe' | 'probed'>;
  expectedUsage: Pick<ExpectedUsage, 'recall'>;
  keys: KeyPool;
  repairs: Pick<LearntRepairs, 'applyRemote'>;
  prober: Prober;
  clock: Clock;
  log: Log;
  /** Makes a fact known to peers and replicas. */
  publishNote(note: PeerNote): void;
  /** What peers found out was applied. */
  changed(): void;
}

/** Applies what peers, and servers before this one, found out to health, limits, timers, keys and repairs; publishes what this server learns of limits. */
export class PeerSync {
  #options: PeerSyncOptions;
  #startedAt: number;
  #recalled = false;
  #warm = false;
  /** Facts that came while the past is read; undefined when it is not. */
  #held: PeerFacts[] | undefined;
  /** Attempts that were applied, where peers and replicas may tell of the same. */
  #applied: RecentIds | undefined;
  readonly #records: Guard;
  readonly #reads: Guard;

  constructor(options: PeerSyncOptions) {
    this.#options = options;
    this.#records = new Guard('A record of a peer', options.log);
    this.#reads = new Guard('The reading of what was learnt earlier', options.log);
    this.#startedAt = options.clock.now();
    options.ledger.subscribe((facts) => {
      if (this.#held === undefined) this.#onFacts(facts);
      else this.#held.push(facts);
    });
  }

  /** Applies what peers made known since the last call. Cheap when that is nothing. */
  listen(): void {
    // The past of a ledger that was locked at the start is read as soon as it can be.
    if (!this.#warm) this.warmUp();
    // What comes while the past is read is applied with it.
    if (this.#held !== undefined) return;
    this.#options.ledger.poll();
    this.#reads.start(() => this.#recall());
  }

  #onFacts({ notes, attempts, probes }: PeerFacts): void {
    if (notes.length + attempts.length + probes.length > 0) this.#options.changed();
    for (const note of notes) this.#records.run(() => { this.#applyNote(note); });
    for (const { attempt, endedAt, stream, beaten, runs, exchangeId } of attempts) {
      if (runs || this.#applied?.add(`${exchangeId}#${String(attempt.number)}`) === false) continue;
      this.#records.run(() => {
        this.#apply(attempt, endedAt);
        this.#time(attempt, stream, beaten);
      });
    }
    for (const event of probes) this.#records.run(() => { this.#applyProbe(event); });
  }

  /** From now on replicas may tell of what the ledger tells of, too. */
  expectReplicas(): void {
    this.#applied ??= new RecentIds(applied);
  }

  /** Applies what replicas on other machines found out. It says nothing of this machine's network, and timers are learnt by each for itself. */
  take({ attempts, probes, notes }: ReplicaNews): void {
    this.expectReplicas();
    for (const note of notes) this.#records.run(() => { this.#applyNote(note); });
    for (const attempt of attempts) if (this.#applied?.add(attempt.id) !== false) this.#records.run(() => { this.#applyElsewhere(attempt); });
    for (const probe of probes) this.#records.run(() => { this.#applyProbe(probe, true); });
    this.#options.changed();
  }

  #applyElsewhere({ id: _id, tokens, isForeignKey, keyId, scope, ...found }: ReplicaAttempt): void {
    const { healthRegistry, limiter, keys, prober, clock } = this.#options;
    const { endpoint, model, failureClass } = found;
    limiter.applyRemote({ endpoint, keyId, model, at: found.startedAt, tokens });
    if (keyId !== undefined) keys.used(endpoint, keyId, tokens, clock.now());
    prober.observe(endpoint, found.at);
    const isAboutKeys = failureClass !== undefined && isAboutKey({ failureClass });
    const keyScoped = isAboutKeys && (isForeignKey || scope === 'key-model' || keys.pick(endpoint, new Set(keyId === undefined ? [] : [keyId]), clock.now(), undefined, model) !== undefined);
    const message = failureClass === undefined ? undefined : `Another replica met it${found.status === undefined ? '' : ` (HTTP ${String(found.status)})`}.`;
    healthRegistry.record({ ...found, kind: 'traffic', foreign: true, elsewhere: true, scope, keyScoped, message });
  }

  #apply(attempt: Attempt, endedAt: number): void {
    this.#count(attempt);
    if (attempt.outcome === 'interrupted' || attempt.drill === true || attempt.failureClass === 'local' || attempt.role === 'shadow') return;
    this.#options.prober.observe(attempt.endpoint, endedAt);
    this.#options.healthRegistry.record({
      endpoint: attempt.endpoint, model: attempt.model, at: endedAt, kind: 'traffic', foreign: true, failureClass: attempt.outcome === 'ok' ? undefined : attempt.failureClass,
      startedAt: attempt.startedAt, message: attempt.message, status: attempt.status, firstTokenMs: attempt.firstTokenMs, totalMs: attempt.totalMs, retryAfterMs: attempt.retryAfterMs,
      keyScoped: this.#isKeyScoped(attempt),
    });
  }

  #applyProbe(event: HealthEvent, elsewhere = false): void {
    this.#options.prober.observe(event.endpoint, event.at);
    if (event.ok && event.latencyMs !== undefined && !elsewhere) this.#options.firstTokens.probed(event.endpoint, event.latencyMs);
    this.#options.healthRegistry.record({
      endpoint: event.endpoint, at: event.at, kind: 'probe', foreign: true, elsewhere,
      failureClass: event.ok ? undefined : (event.failureClass as FailureClass | undefined) ?? 'server', message: event.message,
    });
  }

  /** A peer's failure was about one key, and another key can be used; or about its right to one model, as a note on the key says. */
  #isKeyScoped({ endpoint, model, keyId, failureClass }: Attempt): boolean {
    if (keyId === undefined || failureClass === undefined || !isAboutKey({ failureClass })) return false;
    if (failureClass === 'auth' && this.#options.keys.isRefusedFor(endpoint, keyId, model)) return true;
    return this.#options.keys.pick(endpoint, new Set([keyId]), this.#options.clock.now(), undefined, model) !== undefined;
  }

  /** Requests of peers count against the same limits. */
  #count({ endpoint, keyId, model, startedAt, usage, status, failureClass, drill }: Attempt): void {
    // A request that never reached the provider was not counted there.
    if (drill === true || ((failureClass === 'network' || failureClass === 'local') && status === undefined)) return;
    const tokens = (promptTokens(usage) ?? 0) + (usage.outputTokens ?? 0);
    this.#options.limiter.applyRemote({ endpoint, keyId, model, at: startedAt, tokens });
    if (keyId !== undefined) this.#options.keys.used(endpoint, keyId, tokens, this.#options.clock.now());
  }

  /** A provider reported that little is left of a limit: peers learn it. */
  publishLimit({ endpoint, keyId, model, kind, at, reported: figures }: ReportedLimit): void {
    const keyFingerprint = this.#options.keys.fingerprintOf(endpoint, keyId);
    // The key was removed meanwhile.
    if (figures.remaining === undefined || (keyId !== undefined && keyFingerprint === '')) return;
    this.#options.publishNote({
      endpoint, keyFingerprint, model, kind, at, remaining: figures.remaining, limit: figures.limit, resetAt: figures.resetAt,
    });
  }

  /** A peer, or a server before this one, found something out about a key, or about what a target refuses. */
  #applyNote(note: PeerNote): void {
    if (note.kind === 'state') {
      this.#options.keys.applyRemote(note);
      return;
    }
    if (note.kind === 'repair') {
      this.#options.repairs.applyRemote(note, this.#options.clock.now());
      return;
    }
    const { endpoint, keyFingerprint, model, kind, at, remaining, limit, resetAt } = note;
    const keyId = this.#options.keys.handleOfFingerprint(endpoint, keyFingerprint);
    if (model === undefined || (keyId === undefined && keyFingerprint !== '')) return;
    this.#options.limiter.applyReported({ endpoint, keyId, model, kind, at, reported: { remaining, limit, resetAt } });
  }

  /** What peers measured sets this server's timers too. */
  #time(attempt: Attempt, stream = true, beaten = false): void {
    // What a shadow found out decides nothing for callers.
    if (attempt.role === 'shadow') return;
    const observation = observationOf(attempt, stream, { beaten });
    if (observation !== undefined) this.#options.timers.observe(observation);
    const sample = firstTokenSampleOf(attempt, stream);
    if (sample !== undefined) this.#options.firstTokens.observe(attempt.endpoint, attempt.model, attempt.kind ?? 'normal', stream, attempt.startedAt + attempt.totalMs, sample);
  }

  /** What answers of a caller usually cost is known again after a restart, so that caps reserve as much as before it. */
  #expect(past: readonly RecordedAttempt[]): void {
    const learnt = past.flatMap(({ attempt: { outcome, usage, usageEstimated, role, drill, kind = 'normal', target, model }, tool, answers }) => (
      tool === undefined || outcome !== 'ok' || usageEstimated || role === 'shadow' || drill === true ? [] : [{ of: { tool, kind, target, model }, usage, answers }]
    ));
    this.#options.expectedUsage.recall(learnt);
  }

  /** Timers start with what earlier servers measured, and keys with whether they ever answered; read once, after the first poll. */
  async #recall(): Promise<void> {
    const { ledger, keys, log } = this.#options;
    if (this.#recalled || !ledger.isOpen) return;
    this.#recalled = true;
    try {
      for (const { endpoint, keyId, keyLast4 } of await ledger.keysUsed()) keys.recallUse(endpoint, keyId, keyLast4);
      const past = (await ledger.latestAttempts(recalledAttempts)).filter(({ attempt }) => attempt.startedAt < this.#startedAt);
      for (const { attempt, stream, beaten } of past) this.#time(attempt, stream, beaten);
      this.#expect(past);
    } catch (cause) {
      log.error('How long providers took earlier, and how long their answers were, could not be read from the ledger; both are learnt anew.', cause);
    } finally {
      this.#options.changed();
    }
  }

  /** Applies what was learnt in the last minutes, by peers or by servers before this one. */
  warmUp(): void {
    if (!this.#options.ledger.isOpen || this.#warm) return;
    this.#warm = true;
    this.#reads.start(() => this.#readPast());
  }

  async #readPast(): Promise<void> {
    const { ledger, clock, log } = this.#options;
    const held: PeerFacts[] = [];
    this.#held = held;
    try {
      const now = clock.now();
      const [kept, waiting, recent] = await Promise.all([ledger.notes(), ledger.waitingAttempts(now - warmUpMs, now), ledger.recentAttempts(now - warmUpMs)]);
      ledger.poll();
      for (const note of [...kept, ...held.flatMap(({ notes }) => notes)]) this.#records.run(() => { this.#applyNote(note); });
      const attempts = [...waiting, ...recent];
      // An attempt that came since the ledger was opened is among the recent ones as well, and is applied once.
      const read = new Set(attempts.map(({ position }) => position));
      for (const late of held.flatMap(one => one.attempts)) if (!late.runs && !read.has(late.position)) attempts.push(late);
      // In the order in which it happened: a probe that went well does not undo a failure that was only read after it.
      const past = [
        ...held.flatMap(({ probes }) => probes).map(event => ({ at: event.at, apply: () => { this.#applyProbe(event); } })),
        ...attempts.map(({ attempt, endedAt }) => ({ at: endedAt, apply: () => { this.#apply(attempt, endedAt); } })),
      ];
      for (const { apply } of past.sort((a, b) => a.at - b.at)) this.#records.run(apply);
    } catch (cause) {
      log.error('What was learnt in the last minutes could not be read from the ledger; health starts without it.', cause);
    } finally {
      this.#held = undefined;
      this.#options.changed();
    }
  }
}
