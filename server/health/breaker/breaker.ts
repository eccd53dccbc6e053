import type { FailureClass } from '../../api/failure.ts';
import { isCoolingDown } from '../../base/cooldownSpan.ts';
import type { BreakerConfig } from '../../config/config.ts';
import type { Admission } from '../healthReader.ts';
import { failureWords, waitWords } from '../wording.ts';

/**
 * The circuit breaker of an endpoint, or of one model at it: values without methods, so that a state can be stored, and
 * pure functions from one value to the next. They read no clock.
 *
 * An open breaker stays `open` when its time is up, because nothing is known to be better yet. The first attempt admitted
 * after that (or a success that a probe observed) makes it `half-open`. An attempt that is forced through earlier makes it
 * `half-open` too, but the failure of such an attempt only restores the open state: it came too early to judge.
 */
export type Breaker =
  | {
    readonly state: 'closed';
    /** Consecutive failures that count. */
    readonly streak: number;
    /** Outcomes within the sliding window since the breaker closed, in spans of a tenth of it, oldest first. */
    readonly spans: readonly SpanCount[];
    /** When it closed after having been open; absent: it never opened. */
    readonly closedAt?: number | undefined;
  }
  | {
    readonly state: 'open';
    readonly openedAt: number;
    readonly until: number;
    /** How many times it opened without closing in between. */
    readonly timesOpened: number;
    readonly cause: OpenCause;
    /** How many forced attempts failed since it opened. */
    readonly forcedFailures?: number | undefined;
  }
  | {
    readonly state: 'half-open';
    readonly since: number;
    readonly successes: number;
    /** When the one trial now under way began. */
    readonly trialSince?: number | undefined;
    /** A success made it half-open; false: its time was up. */
    readonly invited: boolean;
    readonly timesOpened: number;
    readonly cause: OpenCause;
    /** The trial was forced through: the state the breaker returns to when it fails. */
    readonly forcedFrom?: Extract<Breaker, { state: 'open' }> | undefined;
  };

export interface SpanCount { readonly from: number; readonly outcomes: number; readonly failures: number }

/** Why it opened: consecutive failures, too large a share of the recent attempts, or a trial (or probe) that failed. */
export interface OpenCause {
  readonly by: 'streak' | 'rate' | 'trial';
  readonly failures: number;
  readonly outcomes: number;
  readonly failureClass: FailureClass;
  readonly words: string;
  /** The machine's own network, lost or blocked, causes such failures too. */
  readonly mayBeLink: boolean;
}

/** One attempt or probe as a breaker sees it. */
export interface BreakerOutcome {
  at: number;
  kind: 'traffic' | 'probe';
  /** The attempt was admitted as a half-open trial. */
  trial: boolean;
  /** Absent: it succeeded. Classes that do not count only end a trial. */
  failureClass?: FailureClass | undefined;
  message?: string | undefined;
  /** A probe that a person asked for: where probes can disprove what opened the breaker, one success closes it. */
  asked?: boolean | undefined;
  /** Observed by a peer; it may arrive late. */
  foreign?: boolean | undefined;
  /** The machine's own network, lost or blocked, causes such failures too; absent: by its class. */
  mayBeLink?: boolean | undefined;
}

const spansPerSlidingWindow = 10;
/** A trial that has not ended after so long counts as lost. Longer than any attempt may last by default. */
export const trialLeaseMs = 900_000;
/** How soon another look is worth while during a trial, whose length cannot be foreseen. */
const trialPollMs = 1000;
const rampStepMs = 2000;
const rampSteps = 5;

/** A breaker without any outcome. */
export function newBreaker(): Breaker {
  return { state: 'closed', streak: 0, spans: [] };
}

/** Whether a failure counts against the endpoint or model. Limits and keys have cooldowns of their own; a request's own faults prove nothing. */
export function countsForBreaker(failureClass: FailureClass): boolean {
  switch (failureClass) {
    case 'network': case 'timeout': case 'server': case 'overloaded':
      return true;
    case 'auth': case 'quota': case 'rate-limit': case 'context-overflow': case 'content-policy':
    case 'model-not-found': case 'bad-request': case 'local': case 'cancelled':
      return false;
  }
}

/**
 * Whether an attempt may be sent now.
 *
 * @param inFlight attempts under way there. After closing, a ramp instead of a flood: for the first ten seconds
 *   at most 2, 4, 8, 16, then 32 at once, a step every two seconds.
 * @param what what the breaker belongs to, for the reason
 */
export function breakerAdmission(breaker: Breaker, inFlight: number, now: number, what: 'endpoint' | 'model' = 'endpoint'): Admission {
  switch (breaker.state) {
    case 'closed': return rampAdmission(breaker.closedAt, inFlight, now);
    case 'open':
      if (openUntil(breaker, now) === undefined) return { admitted: true, trial: true };
      return { admitted: false, retryAt: breaker.until, reason: `${openWords(breaker.cause)}, next try in ${waitWords(breaker.until - now)}` };
    case 'half-open':
      if (!trialUnderWay(breaker, now)) return { admitted: true, trial: true };
      return { admitted: false, cause: 'busy', retryAt: now + trialPollMs, reason: `breaker half-open: one request is trying the ${what}, others wait for its result` };
  }
}

/** Whether a trial is under way. @param now absent: a trial that counts as lost is included */
export function trialUnderWay(breaker: Breaker, now?: number): boolean {
  if (breaker.state !== 'half-open' || breaker.trialSince === undefined) return false;
  return now === undefined || Math.abs(now - breaker.trialSince) < trialLeaseMs;
}

/** Until when the breaker refuses everything; undefined when it does not. Setting the clock back ends its time. */
export function openUntil(breaker: Breaker, now: number): number | undefined {
  if (breaker.state !== 'open') return undefined;
  return isCoolingDown({ since: breaker.openedAt, until: breaker.until }, now) ? breaker.until : undefined;
}

function rampAdmission(closedAt: number | undefined, inFlight: number, now: number): Admission {
  if (closedAt === undefined || now < closedAt) return { admitted: true, trial: false };
  const step = Math.floor((now - closedAt) / rampStepMs);
  if (step >= rampSteps) return { admitted: true, trial: false };
  const allowed = 2 ** (step + 1);
  if (inFlight < allowed) return { admitted: true, trial: false };
  return {
    admitted: false,
    cause: 'busy',
    retryAt: closedAt + (step + 1) * rampStepMs,
    reason: `just recovered: no more than ${allowed} requests at once for now, more in ${waitWords(closedAt + (step + 1) * rampStepMs - now)}`,
  };
}

/** Why a breaker that is not closed is as it is, in a few words. */
export function breakerWords(breaker: Exclude<Breaker, { state: 'closed' }>): string {
  return openWords(breaker.cause);
}

function openWords(cause: OpenCause): string {
  switch (cause.by) {
    case 'streak': return `breaker open after ${cause.failures} ${cause.failures === 1 ? 'failure' : 'failures'} (${cause.words})`;
    case 'rate': return `breaker open after ${cause.failures} of ${cause.outcomes} recent attempts failed (${cause.words})`;
    case 'trial': return `breaker open again after a failed trial (${cause.words})`;
  }
}

/** Takes the trial slot; only after `breakerAdmission` answered with a trial, or for an attempt that is forced through. */
export function takeTrial(breaker: Breaker, now: number): Breaker {
  switch (breaker.state) {
    case 'closed': return breaker;
    case 'open': return {
      state: 'half-open', since: now, successes: 0, trialSince: now, invited: false, timesOpened: breaker.timesOpened, cause: breaker.cause,
      forcedFrom: openUntil(breaker, now) === undefined ? undefined : breaker,
    };
    case 'half-open': return { ...breaker, trialSince: now };
  }
}

/** The breaker after a trial that proved nothing. Where nothing ever succeeded the breaker is open again, with its time up. */
export function releaseTrial(breaker: Breaker): Breaker {
  if (breaker.state !== 'half-open' || breaker.trialSince === undefined) return breaker;
  if (breaker.invited || breaker.successes > 0) return { ...breaker, trialSince: undefined };
  if (breaker.forcedFrom !== undefined) return breaker.forcedFrom;
  return { state: 'open', openedAt: breaker.since, until: breaker.since, timesOpened: breaker.timesOpened, cause: breaker.cause };
}

/** The breaker after an outcome. The same value when nothing changed. */
export function breakerAfter(breaker: Breaker, config: BreakerConfig, outcome: BreakerOutcome): Breaker {
  const verdict = outcome.failureClass === undefined ? 'success' : countsForBreaker(outcome.failureClass) ? 'failure' : 'nothing';
  switch (breaker.state) {
    case 'closed': return verdict === 'nothing' ? breaker : closedAfter(breaker, config, outcome);
    case 'open':
      if (verdict !== 'success' || outcome.at < breaker.openedAt) return breaker;
      if (outcome.asked === true && probesProve(breaker.cause)) return newBreaker();
      return { state: 'half-open', since: outcome.at, successes: 0, invited: true, timesOpened: breaker.timesOpened, cause: breaker.cause };
    case 'half-open':
      if (outcome.trial && verdict === 'nothing') return releaseTrial(breaker);
      // While a trial is under way only the trial decides; attempts from before the opening never do.
      if (verdict === 'nothing' || (!outcome.trial && (outcome.kind !== 'probe' || breaker.trialSince !== undefined))) return breaker;
      return verdict === 'success' ? halfOpenSuccess(breaker, config, outcome) : trialFailed(breaker, config, outcome);
  }
}

function trialFailed(breaker: Extract<Breaker, { state: 'half-open' }>, config: BreakerConfig, outcome: BreakerOutcome): Breaker {
  const { forcedFrom, timesOpened } = breaker;
  // Forced attempts of callers without another target would otherwise drive the open time to its maximum within seconds.
  if (forcedFrom !== undefined) return { ...forcedFrom, forcedFailures: (forcedFrom.forcedFailures ?? 0) + 1 };
  return opened(config, outcome, timesOpened, { by: 'trial', failures: 1, outcomes: 1 });
}

function halfOpenSuccess(breaker: Extract<Breaker, { state: 'half-open' }>, config: BreakerConfig, outcome: BreakerOutcome): Breaker {
  // A probe shows that the endpoint can be reached, not that it answers prompts. Where prompts failed, only trials close.
  const proves = outcome.trial || probesProve(breaker.cause);
  if (!proves) return breaker;
  if (outcome.asked === true) return newBreaker();
  const successes = breaker.successes + 1;
  if (successes >= config.halfOpenProbes) return { state: 'closed', streak: 0, spans: [], closedAt: outcome.at };
  return { ...breaker, successes, trialSince: undefined, forcedFrom: undefined };
}

/** Whether a probe can disprove what opened a breaker: that the endpoint does not answer. */
function probesProve({ failureClass }: OpenCause): boolean {
  return failureClass === 'network' || failureClass === 'timeout';
}

function closedAfter(breaker: Extract<Breaker, { state: 'closed' }>, config: BreakerConfig, outcome: BreakerOutcome): Breaker {
  // What a peer observed before this breaker closed no longer counts.
  if (outcome.foreign === true && breaker.closedAt !== undefined && outcome.at < breaker.closedAt) return breaker;
  const failed = outcome.failureClass !== undefined;
  const spans = outcome.kind === 'traffic' ? counted(breaker.spans, config.windowMs, outcome.at, failed) : breaker.spans;
  if (!failed) return { ...breaker, streak: 0, spans };
  const streak = breaker.streak + 1;
  if (streak >= config.failures) return opened(config, outcome, 0, { by: 'streak', failures: streak, outcomes: streak });
  let outcomes = 0;
  let failures = 0;
  for (const span of spans) { outcomes += span.outcomes; failures += span.failures; }
  // A rate of 1 cannot be exceeded: it takes a failure of every attempt.
  const tooMany = failures > outcomes * config.failureRate || failures === outcomes;
  if (outcomes >= config.minimumAttempts && tooMany) return opened(config, outcome, 0, { by: 'rate', failures, outcomes });
  return { ...breaker, streak, spans };
}

function counted(spans: readonly SpanCount[], windowMs: number, at: number, failed: boolean): readonly SpanCount[] {
  const spanMs = Math.max(1, windowMs / spansPerSlidingWindow);
  const from = Math.floor(at / spanMs) * spanMs;
  const last = spans.at(-1);
  const first = spans[0];
  if (last !== undefined && first !== undefined && last.from === from && first.from > from - windowMs && spans.length <= 4 * spansPerSlidingWindow) {
    // Nearly every outcome: one more in the newest span, and none is too old.
    const same = spans.slice();
    same[same.length - 1] = { from, outcomes: last.outcomes + 1, failures: last.failures + (failed ? 1 : 0) };
    return same;
  }
  const newest = Math.max(from, last?.from ?? from);
  const kept: SpanCount[] = [];
  let own: SpanCount = { from, outcomes: 1, failures: failed ? 1 : 0 };
  for (const span of spans) {
    if (span.from === from) own = { from, outcomes: span.outcomes + 1, failures: span.failures + (failed ? 1 : 0) };
    // Spans that began a whole sliding window ago are dropped. Spans of an earlier configured length count until then, too.
    else if (span.from > newest - windowMs) kept.push(span);
  }
  if (from > newest - windowMs) kept.push(own);
  if (from < newest) kept.sort((a, b) => a.from - b.from);
  return kept.length <= 4 * spansPerSlidingWindow ? kept : kept.slice(-4 * spansPerSlidingWindow);
}

function opened(config: BreakerConfig, outcome: BreakerOutcome, timesOpened: number, by: Pick<OpenCause, 'by' | 'failures' | 'outcomes'>): Breaker {
  const failureClass = outcome.failureClass ?? 'server';
  return {
    state: 'open',
    openedAt: outcome.at,
    until: outcome.at + openForMs(config, timesOpened),
    timesOpened: timesOpened + 1,
    cause: { ...by, failureClass, words: failureWords(failureClass, outcome.message), mayBeLink: mayBeLink(outcome) },
  };
}

function mayBeLink({ failureClass, mayBeLink: known }: BreakerOutcome): boolean {
  return known ?? (failureClass === 'network' || failureClass === 'timeout');
}

/** How long the breaker is open: doubled with each opening in a row, up to the user's maximum, and never less than the setting. */
function openForMs(config: BreakerConfig, timesOpened: number): number {
  return Math.min(Math.max(config.openForMs, config.maxOpenForMs), config.openForMs * 2 ** Math.min(30, timesOpened));
}

/**
 * Takes back the effect of failures since `from` that the machine's own network caused, not the endpoint.
 */
export function forgiveLinkFailures(breaker: Breaker, from: number): Breaker {
  if (breaker.state === 'closed') return breaker.streak === 0 ? breaker : { ...breaker, streak: 0, spans: [] };
  if (breaker.state !== 'open' || breaker.openedAt < from || !breaker.cause.mayBeLink) return breaker;
  // The breaker was open before: the trial that failed with the network counts as not made.
  if (breaker.timesOpened > 1) return { ...breaker, until: breaker.openedAt, timesOpened: breaker.timesOpened - 1 };
  return newBreaker();
}
