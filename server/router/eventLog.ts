import { conditionText, exchangeFailureWords, failureClassWords, isUp, type ConditionKind } from '../api/condition.ts';
import type { Attempt, Receipt } from '../api/receipt.ts';
import type { ConfigProblem, EndpointStatus, KeyStatus } from '../api/status.ts';
import type { Log } from '../base/log.ts';

export interface EventLogOptions {
  log: Log;
  redact(text: string): string;
}

/** The most lines in one span. Further ones are counted, and one line sums them up when the span is over. */
const mostLines = 40;
const spanMs = 10_000;
/** Names come from callers: longer ones are cut, after secrets are redacted. */
const longestName = 120;
const mostKinds = 20;

type Level = 'info' | 'warn';

/**
 * Writes into the log what happens to requests and providers: failed attempts, which target answered instead, and changes of
 * health and keys. It writes classes, statuses and names, and no text of a caller or a provider.
 */
export class EventLog {
  readonly #options: EventLogOptions;
  readonly #conditions = new Map<string, ConditionKind>();
  readonly #keys = new Map<string, KeyStatus['state']>();
  #problems = '';
  #spanFrom = -Infinity;
  #lines = 0;
  /** How many lines of each kind were left out in this span. */
  #unwritten = new Map<string, number>();

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** An exchange has ended. @param now milliseconds since the epoch */
  settled(receipt: Receipt, now: number): void {
    const failed = receipt.attempts.filter(attempt => attempt.outcome === 'failed');
    if (failed.length === 0 && receipt.outcome !== 'failed') return;
    const request = `Request ${receipt.id}`;
    for (const attempt of failed) this.#write('warn', `${request}: ${this.#attemptText(attempt)}.`, `${this.#name(attempt.endpoint)} ${this.#classText(attempt)}`, now);
    const requestedModel = this.#quoted(receipt.plan.requestedModel);
    if (receipt.outcome === 'ok') {
      this.#write('info', `${request} for ${requestedModel}: ${this.#name(receipt.target ?? '')} answered after ${count(failed.length, 'failed attempt')}, in ${ms(receipt.totalMs)}.`, 'requests answered by another provider', now);
    } else if (receipt.outcome === 'failed') {
      const why = exchangeFailureWords(receipt.failureClass ?? 'server', receipt.attempts.length);
      const text = receipt.attempts.length === 0 ? `was not sent: ${why}` : `failed after ${count(receipt.attempts.length, 'attempt')}: ${why}`;
      this.#write('warn', `${request} for ${requestedModel} ${text}.`, `requests failed (${why})`, now);
    }
  }

  /** Takes the present state of all endpoints, and writes what changed since the last call. */
  states(endpoints: readonly EndpointStatus[], now: number): void {
    for (const { name, condition, keys } of endpoints) {
      const before = this.#conditions.get(name);
      this.#conditions.set(name, condition.kind);
      if (before !== undefined && before !== condition.kind) {
        const was = conditionText({ kind: before }, now);
        this.#write(isUp(condition) || condition.kind === 'disabled' ? 'info' : 'warn', `${this.#name(name)}: ${conditionText(condition, now)} (before: ${was}).`, `changes of ${this.#name(name)}`, now);
      }
      for (const key of keys) this.#key(name, key, now);
    }
    if (this.#conditions.size > endpoints.length) this.#forget(new Set(endpoints.map(endpoint => endpoint.name)));
  }

  /** Takes what is wrong in the configuration, and writes it when it differs from the last call. */
  problems(problems: readonly ConfigProblem[]): void {
    const texts = problems.map(({ file, line, message }) => `${file ?? 'Settings'}${line === undefined ? '' : `:${line}`}: ${message}`);
    const all = texts.join('\n');
    if (all === this.#problems) return;
    this.#problems = all;
    texts.forEach((text, index) => { this.#options.log[problems[index]?.money === true ? 'error' : 'warn'](text); });
  }

  /** Sums up what was left out of a span that is over. */
  tick(now: number): void {
    if (now - this.#spanFrom < spanMs && now >= this.#spanFrom) return;
    this.#spanFrom = now;
    this.#lines = 0;
    if (this.#unwritten.size === 0) return;
    const sums = [...this.#unwritten].sort(([, one], [, other]) => other - one).map(([what, times]) => `${what}: ${times}`);
    this.#unwritten = new Map();
    this.#options.log.warn(`More of the same in the last ${spanMs / 1000} s, not written line by line: ${sums.join('; ')}.`);
  }

  #key(endpoint: string, { id, label, last4, state }: KeyStatus, now: number): void {
    const subject = `${endpoint}\n${id}`;
    const before = this.#keys.get(subject);
    this.#keys.set(subject, state);
    if (before === undefined ? state !== 'rejected' && state !== 'no-money' : before === state || (before === 'unused' && state === 'ok')) return;
    const words = { 'ok': 'works again', 'unused': 'is not used', 'rejected': 'was rejected by the provider', 'no-money': 'has no money left', 'cooling': 'is rate-limited' }[state];
    this.#write(state === 'ok' || state === 'unused' ? 'info' : 'warn', `${this.#name(endpoint)}: ${this.#keyName(label, last4)} ${words}.`, `changes of keys of ${this.#name(endpoint)}`, now);
  }

  #forget(present: ReadonlySet<string>): void {
    for (const name of this.#conditions.keys()) if (!present.has(name)) this.#conditions.delete(name);
    for (const subject of this.#keys.keys()) if (!present.has(subject.slice(0, subject.indexOf('\n')))) this.#keys.delete(subject);
  }

  #attemptText(attempt: Attempt): string {
    const key = attempt.keyLabel === undefined ? '' : `, ${this.#keyName(attempt.keyLabel, attempt.keyLast4 ?? '')}`;
    return `attempt ${attempt.number} at ${this.#name(attempt.target)} failed: ${this.#classText(attempt)}${key}, after ${ms(attempt.totalMs)}${attempt.drill === true ? ' (fire drill)' : ''}`;
  }

  #classText({ failureClass = 'server', status }: Pick<Attempt, 'failureClass' | 'status'>): string {
    return `${failureClassWords[failureClass]}${status === undefined ? '' : ` (${status})`}`;
  }

  #write(level: Level, line: string, kind: string, now: number): void {
    this.tick(now);
    this.#lines += 1;
    if (this.#lines <= mostLines) {
      this.#options.log[level](line);
      return;
    }
    const what = this.#unwritten.has(kind) || this.#unwritten.size < mostKinds ? kind : 'others';
    this.#unwritten.set(what, (this.#unwritten.get(what) ?? 0) + 1);
  }

  #name(text: string): string {
    const clean = this.#options.redact(text).replace(/\p{Cc}/gu, ' ');
    return clean.length <= longestName ? clean : `${clean.slice(0, longestName)}…`;
  }

  /** `key work …9f3c`; where the label itself begins with "key", the word is not repeated: `key 1 …9f3c`. */
  #keyName(label: string, last4: string): string {
    return `${/^key\b/i.test(label) ? '' : 'key '}${this.#name(label)}${last4 === '' ? '' : ` …${last4}`}`;
  }

  #quoted(text: string): string {
    return `"${this.#name(text)}"`;
  }
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`;
}
