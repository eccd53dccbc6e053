import type { AttemptRole, PlannedTarget } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import type { Repair } from '../../protocols/repairs/repair.ts';
import type { CapQuestion } from '../../routing/caps/withinCaps.ts';
import type { KeptAway, PlanResult } from '../../routing/plan.ts';
import type { ExchangeFailure, RawError } from '../request.ts';
import type { TriedTargets } from './triedTargets.ts';

/** What is decided once, with the first plan, and holds until the exchange ends. */
export interface ExchangeTerms {
  /** How long the caller may be kept without an answer, in milliseconds. */
  readonly patienceMs: number;
  /** A second target may be asked beside one that takes long to begin. */
  readonly mayHedge: boolean;
  /** Names of targets that are used only when all before them are out, so that none of them is a hedge; absent: none. */
  readonly noHedge?: ReadonlySet<string> | undefined;
  /** The reader can be asked whether another model may answer what one refused. */
  readonly asksOnRefusal: boolean;
  /** Somebody reads the answer, and can be asked. */
  readonly hasReader: boolean;
}

/** One attempt as the exchange sees it: being admitted, or under way. */
export interface ExchangeAttempt {
  /** Counts from 1; a number is used up only when the attempt is sent. */
  readonly number: number;
  readonly target: PlannedTarget;
  /** Why the attempt is made, where it is not simply the next of the plan. */
  readonly role: AttemptRole | undefined;
}

/** What every state between the first plan and the end carries on. */
export interface Walk {
  readonly terms: ExchangeTerms;
  /** Targets that are still to be tried, in order. */
  readonly queue: readonly PlannedTarget[];
  /** Targets of the plan that the receipt shows. */
  readonly planned: readonly PlannedTarget[];
  /** How many attempts were sent. */
  readonly launched: number;
  /** How many attempts there may be. */
  readonly attemptBound: number;
  readonly tried: TriedTargets;
  /** Why the next attempt will be made, where it is not simply the next of the plan. */
  readonly nextRole: AttemptRole | undefined;
  /** Why an answer broke off in sight of the reader, until the reader has been shown what follows. */
  readonly brokenBy: string | undefined;
  /** A cooldown was waited out, and nothing was sent since. */
  readonly waited: boolean;
  /** The head of the answer is with the caller. */
  readonly headSent: boolean;
  /** Since when the caller has had nothing; its patience counts from here. Monotonic clock, milliseconds. */
  readonly waitsSinceMs: number;
  /** The error of the last failed attempt as the provider sent it. */
  readonly lastRaw: RawError | undefined;
}

/** What a second look at all targets shows, after the queue has run empty. */
export interface Look extends Pick<PlanResult, 'coolingDown' | 'unfit' | 'capped'> {
  /** Targets that could be tried now. */
  readonly targets: readonly PlannedTarget[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
}

/**
 * Where an exchange stands: values without methods. A datum is there only in the states that have it.
 *
 * planning -> acquiring -> attempting -> answering -> ended is the way of most. `looking`, `choosing` and `waiting` follow
 * when the queue is empty, `asking` follows a refusal.
 */
export type ExchangeState =
  /** The first plan is being made. */
  | { readonly kind: 'planning' }
  /** Nothing runs; a permit for the next attempt is being acquired. `look`: the last resort, after which nothing follows. */
  | {
      readonly kind: 'acquiring'; readonly walk: Walk; readonly attempt: ExchangeAttempt; readonly look: Look | undefined;
      /** Of the last resort: what may be asked where this target cannot be tried. */
      readonly others?: readonly KeptAway[] | undefined;
    }
  /** One attempt runs, or two while a hedge is out, and none leads. `pending`: a permit for the hedge is being acquired. */
  | { readonly kind: 'attempting'; readonly walk: Walk; readonly running: readonly ExchangeAttempt[]; readonly pending: ExchangeAttempt | undefined }
  /** The one attempt that runs leads: the caller gets its answer. */
  | { readonly kind: 'answering'; readonly walk: Walk; readonly attempt: ExchangeAttempt }
  /** The queue is empty, or was waited for: all targets are looked at again. */
  | { readonly kind: 'looking'; readonly walk: Walk; readonly why: 'exhausted' | 'waited' }
  /** Nothing can be tried or waited for: the best of the targets that are kept away is being chosen. */
  | { readonly kind: 'choosing'; readonly walk: Walk; readonly look: Look; readonly candidates: readonly KeptAway[] }
  /** A pause. `next`: what is tried after it; undefined: all targets are looked at again. */
  | { readonly kind: 'waiting'; readonly walk: Walk; readonly next: readonly PlannedTarget[] | undefined }
  /** The reader is asked: after a refusal, whether another model may answer; with `question`, whether more may be spent. `end`: what follows a no. */
  | { readonly kind: 'asking'; readonly walk: Walk; readonly end: ExchangeEnd; readonly question?: CapQuestion | undefined }
  | { readonly kind: 'ended' };

export type FailureOfExchange = Omit<ExchangeFailure, 'exchangeId' | 'attempts'>;

/** A failed attempt, with what is known at that moment. */
export interface AttemptFailure {
  readonly error: WaybillError;
  readonly raw: RawError | undefined;
  /** Something of its answer was already passed on. */
  readonly begun: boolean;
  /** A timer ended it sooner than it would have with no target to take over. */
  readonly cutShort: boolean;
  /** Id of its key; undefined where the endpoint needs none. */
  readonly keyId: string | undefined;
  /** Another key of the endpoint is usable and was not tried. */
  readonly anotherKey: boolean;
  /** Keys of the provider's account share limits. */
  readonly sharedLimits: boolean;
  /** After `context-overflow`: the targets of the queue whose context window may be larger. */
  readonly largerContexts: readonly PlannedTarget[] | undefined;
  /** No key is free, nothing else is left to ask, and a key that the provider said something against may work all the same. */
  readonly keyRests?: boolean | undefined;
  /** What the provider refused by name, and is left out from now on; undefined where it named nothing of that kind. */
  readonly repairs: readonly Repair[] | undefined;
  /** The sink can start the answer again in sight of the reader, and no tool call was handed out. */
  readonly canRestart: boolean;
  /** Another target can continue the answer where it broke off. */
  readonly canResume: boolean;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
}

export type ExchangeEvent =
  /** The name of the model cannot be looked up. */
  | { readonly type: 'name-refused'; readonly failure: FailureOfExchange }
  /** The first plan. */
  | { readonly type: 'planned'; readonly targets: readonly PlannedTarget[]; readonly terms: ExchangeTerms; readonly atMs: number }
  /** The permit is there and the request is built: the attempt can be sent. */
  | { readonly type: 'ready' }
  /** The target cannot be tried. `unfit`: it can never serve such a request. `failure`: admission itself failed. */
  | { readonly type: 'excluded'; readonly reason: string; readonly unfit?: boolean | undefined; readonly failure?: WaybillError | undefined }
  /** The request itself cannot be sent to any target. */
  | { readonly type: 'unsendable'; readonly failure: FailureOfExchange }
  | { readonly type: 'hedge-due' }
  /** The first content of an attempt is here, though perhaps none that the caller can see yet. */
  | { readonly type: 'arrived'; readonly number: number }
  /** Content that the caller can see is here: from now on a failure is visible. */
  | { readonly type: 'committed'; readonly number: number }
  /** The first bytes or events of an attempt are about to be passed on. */
  | { readonly type: 'begun'; readonly number: number; readonly headers: Readonly<Record<string, string>> }
  /** An attempt gave its whole answer. `refusal`: the model declined. */
  | { readonly type: 'answered'; readonly number: number; readonly refusal: boolean }
  | { readonly type: 'failed'; readonly number: number; readonly failure: AttemptFailure }
  | { readonly type: 'looked'; readonly look: Look }
  /** The best of the targets that are kept away; undefined where none is to be asked. */
  | { readonly type: 'chosen'; readonly target: PlannedTarget | undefined }
  | { readonly type: 'wait-over' }
  | { readonly type: 'reader-answered'; readonly proceed: boolean; readonly instead?: true; readonly atMs: number }
  | { readonly type: 'question-expired' }
  /** The caller has the whole answer of another exchange, from the response cache. */
  | { readonly type: 'replayed'; readonly refusal: boolean }
  /** The answer of another exchange broke off. */
  | { readonly type: 'replay-failed'; readonly failure: FailureOfExchange }
  | { readonly type: 'cancelled' }
  /** A person cancelled the request, and the caller waits for its answer. */
  | { readonly type: 'stopped' }
  | { readonly type: 'interrupted' }
  /** Waybill itself failed at this exchange. */
  | { readonly type: 'crashed' };

/** How an exchange ends, for its caller and its receipt. */
export type ExchangeEnd =
  | { readonly kind: 'ok'; readonly refusal: boolean }
  | { readonly kind: 'failed'; readonly failure: FailureOfExchange }
  /** No target could serve. */
  | { readonly kind: 'exhausted'; readonly look: Look; readonly tried: TriedTargets; readonly raw: RawError | undefined }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'crashed' };

/** What the driver does after a step, in order. Those that give an event in return (`acquire`, `look`, `choose`) come last. */
export type ExchangeEffect =
  /** Acquires a permit and builds the request: `ready`, `excluded` or `unsendable` follows. */
  | { readonly type: 'acquire'; readonly attempt: ExchangeAttempt }
  /** The permit that is being acquired is of no use any more: it is refunded when it comes, and no event follows. */
  | { readonly type: 'withdraw' }
  /** The receipt says why a target was left out. */
  | { readonly type: 'exclude'; readonly target: PlannedTarget; readonly reason: string }
  /** Sends the attempt that is ready. */
  | { readonly type: 'start' }
  | { readonly type: 'announce-restart'; readonly message: string }
  /** The next attempt continues the answer that broke off. */
  | { readonly type: 'resume' }
  /** `hedge-due` follows when the target takes longer to begin than it usually does. */
  | { readonly type: 'arm-hedge'; readonly target: PlannedTarget }
  | { readonly type: 'stop-hedge' }
  /** The caller gets the answer of this attempt. */
  | { readonly type: 'lead'; readonly attempt: ExchangeAttempt }
  /** Sends the head of the answer. `attempts`: how many there were so far. */
  | { readonly type: 'begin'; readonly target: PlannedTarget; readonly attempts: number; readonly headers: Readonly<Record<string, string>> }
  /** Ends an attempt that runs, without blaming its provider. `slower`: another target began to answer first. */
  | { readonly type: 'give-up'; readonly number: number; readonly why: 'cancelled' | 'slower' }
  /** Makes the plan once more: `looked` follows. `keepsPlan`: the receipt keeps its plan, and learns of more targets left out. */
  | { readonly type: 'look'; readonly keepsPlan: boolean }
  /** Chooses the best of these: `chosen` follows. */
  | { readonly type: 'choose'; readonly candidates: readonly KeptAway[]; readonly now: number }
  /** `wait-over` follows. `backoff`: after a random time, where that is longer. */
  | { readonly type: 'wait'; readonly delayMs: number; readonly backoff: boolean }
  /** `reader-answered` or `question-expired` follows. */
  | { readonly type: 'ask'; readonly message: string; readonly accept: string; readonly decline: string; readonly instead?: string | undefined }
  /** The reader allows more to be spent, in millionths of a US dollar. */
  | { readonly type: 'allow'; readonly question: CapQuestion; readonly microUsd: number }
  /** The wait or the question is over. */
  | { readonly type: 'stop-wait' }
  /** Answers the caller and closes the receipt. Always the last effect of an exchange; timers stop with it. */
  | { readonly type: 'end'; readonly end: ExchangeEnd };

/** A state and what is to be done to get there. The same state object where an event changes nothing. */
export interface ExchangeStep { readonly state: ExchangeState; readonly effects: readonly ExchangeEffect[] }
