import { logText } from '../api/logText.ts';
import type { Attempt, Plan } from '../api/receipt.ts';
import { WaybillError, type FailureDetails } from '../base/failure.ts';
import type { FailureCode } from '../base/failureCodes.ts';
import { troubleSentence } from '../health/wording.ts';
import type { NetworkStatus } from '../api/status.ts';
import type { PlanResult } from '../routing/plan.ts';
import { spendCapCode } from '../protocols/callerErrors.ts';
import { leastFinal } from './machine/failover.ts';
import type { ExchangeFailure, RawError } from './request.ts';

/** What is known when no target of a plan could serve. */
export interface ExhaustedExchange {
  requestedModel: string;
  plan: Plan;
  attempts: readonly Attempt[];
  /** The message of an attempt with the provider's words; undefined where the record has the whole message. */
  messageOf(attempt: Attempt): string | undefined;
  /** By target. */
  lastFailure: ReadonlyMap<string, WaybillError>;
  coolingDown: PlanResult['coolingDown'];
  unfit: PlanResult['unfit'];
  capped: PlanResult['capped'];
  now: number;
  /** What is wrong with the machine's own network; undefined where nothing is. */
  link: NetworkStatus['kind'] | undefined;
  unknownNameMessage(): string;
  /** The last error as the provider sent it, for a caller of the same protocol. */
  raw: RawError | undefined;
}

/** The one error for a caller that no target could serve: what was tried, why it failed, when to try again. */
export function exhaustedFailure(exchange: ExhaustedExchange): Omit<ExchangeFailure, 'exchangeId' | 'attempts'> {
  const { plan, attempts, lastFailure } = exchange;
  if (attempts.length === 0) return nothingTried(exchange);
  const failures = [...lastFailure.values()];
  const failureClass = leastFinal(failures.map(failure => failure.failureClass));
  const leftOut = plan.excluded.filter(excluded => !attempts.some(attempt => attempt.target === excluded.target));
  const isAlone = failures.length === 1 && leftOut.length === 0;
  // A limit that was met more than once, after a wait or with each key, is one answer of one provider.
  const only = isAlone && (attempts.length === 1 || attempts.every(attempt => attempt.failureClass === 'rate-limit')) ? failures[0] : undefined;
  const retryAfterMs = soonestRecovery(exchange);
  if (exchange.link !== undefined) {
    return failure('offline', 'network', troubleSentence(exchange.link), retryAfterMs);
  }
  if (only !== undefined) {
    const passRaw = only.failureClass === 'context-overflow' || only.failureClass === 'model-not-found';
    return {
      error: new WaybillError(only.code, only.failureClass, withWait(withNextAction(only.message, only.failureClass), retryAfterMs), {
        ownSentence: only.ownSentence === undefined ? undefined : withWait(withNextAction(only.ownSentence, only.failureClass), retryAfterMs), status: only.status, retryAfterMs, scope: only.scope, providerCode: only.providerCode, detail: only.detail, helpUrl: only.helpUrl, injected: only.injected, namesKeyOwner: only.namesKeyOwner, cause: only,
      }),
      target: attempts[0]?.target,
      raw: passRaw ? exchange.raw : undefined,
    };
  }
  const mixed = new Set(failures.map(one => one.failureClass)).size > 1;
  const sentence = (messageOf: (attempt: Attempt) => string | undefined): string => {
    const lines = [
      ...attempts.map(attempt => `${attempt.target}: ${messageOf(attempt) ?? 'failed'}`),
      ...leftOut.map(excluded => `${excluded.target}: left out, ${excluded.reason}.`),
    ];
    return withWait(`No target of ${logText(exchange.requestedModel)} could answer.\n${lines.join('\n')}\n`, retryAfterMs).trim();
  };
  return failure('all-targets-failed', failureClass, sentence(attempt => exchange.messageOf(attempt) ?? attempt.message), retryAfterMs,
    mixed ? 503 : undefined, { ownSentence: sentence(attempt => attempt.message), namesKeyOwner: failures.some(one => one.namesKeyOwner) || undefined });
}

function nothingTried(exchange: ExhaustedExchange): Omit<ExchangeFailure, 'exchangeId' | 'attempts'> {
  const { plan, requestedModel } = exchange;
  if (plan.targets.length === 0 && plan.excluded.length === 0) {
    return { error: new WaybillError('unknown-name', 'model-not-found', exchange.unknownNameMessage(), { status: 404, providerCode: 'model_not_found' }) };
  }
  const retryAfterMs = soonestRecovery(exchange);
  const { unfit, capped, coolingDown } = exchange;
  if (capped !== undefined && coolingDown.length === 0) {
    return { error: new WaybillError(capped.byBudget === true ? 'budget-reached' : 'cap-reached', 'quota', capped.sentence, { status: 400, providerCode: spendCapCode }), status: 400 };
  }
  const lines = plan.excluded.map(excluded => `${excluded.target}: ${excluded.reason}.`);
  const never = plan.excluded.length > 0 && plan.excluded.every(excluded => unfit.some(one => one.target === excluded.target));
  const tooLong = never && unfit.every(one => one.tooLong);
  const message = withWait(`No target of ${logText(requestedModel)} can serve this request now.\n${lines.join('\n')}\n`, retryAfterMs).trim();
  return tooLong
    ? { error: new WaybillError('context-overflow', 'context-overflow', message, { status: 400, providerCode: 'context_length_exceeded' }) }
    : never ? failure('no-target', 'bad-request', message, undefined, 400)
      : isLimited(exchange) ? failure('no-target', 'rate-limit', message, retryAfterMs) : failure('no-target', 'server', message, retryAfterMs, 503);
}

/** Providers named a wait for every target that could be waited for: the caller gets the answer of the one that asked last. */
function isLimited({ coolingDown }: ExhaustedExchange): boolean {
  return coolingDown.length > 0 && coolingDown.every(({ cause, ownLimit }) => cause === 'rate-limit' && ownLimit !== true);
}

function failure(code: FailureCode, failureClass: WaybillError['failureClass'], message: string, retryAfterMs: number | undefined, status?: number, details?: Pick<FailureDetails, 'ownSentence' | 'namesKeyOwner'>) {
  return { error: new WaybillError(code, failureClass, message, { ...details, retryAfterMs }), status };
}

/** How long until the first of the targets that cool down or are limited may be tried, in milliseconds; undefined where no moment is known. */
function soonestRecovery({ coolingDown, lastFailure, now }: ExhaustedExchange): number | undefined {
  const waits = [
    // No wait mends a rejected key or an unknown model, and both are tried with the next request.
    ...coolingDown.filter(({ cause }) => cause !== 'auth' && cause !== 'model-not-found').map(({ retryAt }) => Math.max(0, retryAt - now)),
    ...[...lastFailure.values()].flatMap(one => (one.retryAfterMs === undefined ? [] : [one.retryAfterMs])),
  ];
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Errors of a single target end with what the user can do, where their sentence does not say it already. */
function withNextAction(message: string, failureClass: WaybillError['failureClass']): string {
  switch (failureClass) {
    case 'network':
    case 'timeout':
    case 'server':
    case 'overloaded':
    case 'rate-limit': return `${message} Try again, or add a fallback to the route.`;
    default: return message;
  }
}

function withWait(message: string, retryAfterMs: number | undefined): string {
  if (retryAfterMs === undefined || retryAfterMs < 1000) return message;
  const seconds = Math.ceil(retryAfterMs / 1000);
  const words = seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
  return `${message}${message.endsWith('\n') ? '' : ' '}Try again in ${words}.`;
}
