import type { FailureClass } from '../api/failure.ts';
import type { Attempt } from '../api/receipt.ts';
import type { Clock } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { HealthRegistry } from '../health/healthReader.ts';
import { observationOf } from '../timeouts/attemptObservation.ts';
import type { RateLimiter, ReportedLimit } from '../limits/rateLimiter.ts';
import type { AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { KeyNote } from '../ledger/sqlite/keyNotes.ts';
import type { HealthEvent } from '../ledger/ports.ts';
import type { LedgerStore } from '../ledger/sqlite/sqliteLedger.ts';
import { promptTokens } from '../protocols/events.ts';
import type { KeyPool } from '../keys/keyPool.ts';
import { isAboutKey } from '../exchange/failover.ts';
import type { Prober } from './prober.ts';

const warmUpMs = 10 * 60 * 1000;
/** Attempts of earlier servers that timers are learnt from. */
const recalledAttempts = 500;

export interface PeerSyncOptions {
  ledger: LedgerStore;
  healthRegistry: HealthRegistry;
  limiter: RateLimiter;
  timers: AdaptiveTimeouts;
  keys: KeyPool;
  prober: Prober;
  clock: Clock;
  log: Log;
}

/** What the servers of other windows, and those before this one, found out: read from the common ledger, and told to it. */
export class PeerSync {
  #options: PeerSyncOptions;
  #startedAt: number;
  #recalled = false;
  #warm = false;
  readonly #records: Guard;

  constructor(options: PeerSyncOptions) {
    this.#options = options;
    this.#records = new Guard('A record of another window', options.log);
    this.#startedAt = options.clock.now();
  }

  /** Takes over what others have written since the last call. Cheap when that is nothing. */
  listen(): void {
    const { ledger } = this.#options;
    // A ledger that was locked at the start tells of the past as soon as it can be read.
    if (!this.#warm) this.warmUp();
    for (const note of ledger.pollKeyNotes()) this.#records.run(() => { this.#adoptNote(note); });
    const foreign = ledger.pollForeign();
    for (const { attempt, endedAt, stream, beaten } of foreign.attempts) {
      this.#records.run(() => {
        this.#adopt(attempt, endedAt);
        this.#time(attempt, stream, beaten);
      });
    }
    this.#recall();
    for (const event of foreign.health) this.#records.run(() => { this.#adoptProbe(event); });
  }

  #adopt(attempt: Attempt, endedAt: number): void {
    this.#count(attempt);
    if (attempt.outcome === 'interrupted' || attempt.drill === true || attempt.failureClass === 'local') return;
    this.#options.prober.observe(attempt.endpoint, endedAt);
    this.#options.healthRegistry.record({
      endpoint: attempt.endpoint, model: attempt.model, at: endedAt, kind: 'traffic', foreign: true, failureClass: attempt.outcome === 'ok' ? undefined : attempt.failureClass,
      startedAt: attempt.startedAt, message: attempt.message, firstTokenMs: attempt.firstTokenMs, totalMs: attempt.totalMs, retryAfterMs: attempt.retryAfterMs,
      keyScoped: this.#isKeyScoped(attempt),
    });
  }

  #adoptProbe(event: HealthEvent): void {
    this.#options.prober.observe(event.endpoint, event.at);
    this.#options.healthRegistry.record({
      endpoint: event.endpoint, at: event.at, kind: 'probe', foreign: true,
      failureClass: event.ok ? undefined : (event.failureClass as FailureClass | undefined) ?? 'server', message: event.message,
    });
  }

  /** Another window's failure was about one key, and there are others. */
  #isKeyScoped({ endpoint, model, keyId, failureClass }: Attempt): boolean {
    return keyId !== undefined && failureClass !== undefined && isAboutKey(failureClass)
      && this.#options.keys.pick(endpoint, new Set([keyId]), this.#options.clock.now(), undefined, model) !== undefined;
  }

  /** What other windows sent counts against the same limits. */
  #count({ endpoint, keyId, model, startedAt, usage, status, failureClass, drill }: Attempt): void {
    // What never reached the provider was not counted there.
    if (drill === true || ((failureClass === 'network' || failureClass === 'local') && status === undefined)) return;
    this.#options.limiter.applyRemote({ endpoint, keyId, model, at: startedAt, tokens: (promptTokens(usage) ?? 0) + (usage.outputTokens ?? 0) });
  }

  /** A provider said that little is left of a limit: the others are told. */
  publishLimit({ endpoint, keyId, model, kind, at, reported: stated }: ReportedLimit): void {
    const keyFingerprint = this.#options.keys.fingerprintOf(endpoint, keyId);
    // A key that was taken away meanwhile is nobody's business any more.
    if (stated.remaining === undefined || (keyId !== undefined && keyFingerprint === '')) return;
    this.#options.ledger.recordKeyNote({
      endpoint, keyFingerprint, model, kind, at, remaining: stated.remaining, limit: stated.limit, resetAt: stated.resetAt,
    });
  }

  /** Another window, or the server before this one, found something out about a key. */
  #adoptNote(note: KeyNote): void {
    if (note.kind === 'state') {
      this.#options.keys.applyRemote(note);
      return;
    }
    const { endpoint, keyFingerprint, model, kind, at, remaining, limit, resetAt } = note;
    const keyId = this.#options.keys.idOfFingerprint(endpoint, keyFingerprint);
    if (model === undefined || (keyId === undefined && keyFingerprint !== '')) return;
    this.#options.limiter.applyReported({ endpoint, keyId, model, kind, at, reported: { remaining, limit, resetAt } });
  }

  /** What other windows measured sets this window's timers too. */
  #time(attempt: Attempt, stream = true, beaten = false): void {
    const observation = observationOf(attempt, stream, { beaten });
    if (observation !== undefined) this.#options.timers.observe(observation);
  }

  /** Timers begin with what earlier servers measured, and keys with whether they ever answered; read once, after the first answers are on their way. */
  #recall(): void {
    if (this.#recalled || !this.#options.ledger.isOpen) return;
    this.#recalled = true;
    try {
      for (const { endpoint, keyId, keyLast4 } of this.#options.ledger.keysUsed()) this.#options.keys.recallUse(endpoint, keyId, keyLast4);
      for (const { attempt, stream, beaten } of this.#options.ledger.latestAttempts(recalledAttempts)) if (attempt.startedAt < this.#startedAt) this.#time(attempt, stream, beaten);
    } catch (cause) {
      this.#options.log.error('How long providers took earlier could not be read from the ledger; timers start without it.', cause);
    }
  }

  /** A new server takes over what was learnt in the last minutes, by itself or by others. */
  warmUp(): void {
    if (!this.#options.ledger.isOpen) return;
    this.#warm = true;
    try {
      for (const note of this.#options.ledger.keyNotes()) this.#records.run(() => { this.#adoptNote(note); });
      // The attempts that came since the ledger was opened are among the recent ones: nothing is to be counted twice.
      const probes = this.#options.ledger.pollForeign().health;
      const now = this.#options.clock.now();
      const attempts = [...this.#options.ledger.waitingAttempts(now - warmUpMs, now), ...this.#options.ledger.recentAttempts(now - warmUpMs)];
      // In the order in which it happened: a probe that went well does not undo a failure of which it came first to be known.
      const past = [
        ...probes.map(event => ({ at: event.at, adopt: () => { this.#adoptProbe(event); } })),
        ...attempts.map(({ attempt, endedAt }) => ({ at: endedAt, adopt: () => { this.#adopt(attempt, endedAt); } })),
      ];
      for (const { adopt } of past.sort((a, b) => a.at - b.at)) this.#records.run(adopt);
    } catch (cause) {
      this.#options.log.error('What was learnt in the last minutes could not be read from the ledger; health starts without it.', cause);
    }
  }
}
