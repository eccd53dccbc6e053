import type { Receipt } from '../api/receipt.ts';
import { WaybillError } from '../base/failure.ts';
import type { ExchangeEnd, FailureOfExchange } from './machine/exchangeState.ts';
import { exhaustedFailure } from './exhausted.ts';
import type { ExchangeInput, ResponseSink } from './request.ts';
import type { ExchangeServices } from './services.ts';

/** What the receipt says of an exchange that ended, and what its caller gets. */
export interface Conclusion {
  readonly outcome: Exclude<Receipt['outcome'], 'open'>;
  readonly failureClass?: Receipt['failureClass'];
  /** One sentence without words of a provider. */
  readonly message?: string | undefined;
  /** The error for the caller; absent where the caller has the whole answer, or is gone. */
  readonly failure?: FailureOfExchange | undefined;
}

type ConclusionServices = Pick<ExchangeServices, 'providerMessages' | 'networkTrouble' | 'unknownNameMessage'> & { readonly healthRegistry: Pick<ExchangeServices['healthRegistry'], 'isOffline'> };

/** What the end of an exchange means for its caller and its receipt. */
export function conclusionOf(end: ExchangeEnd, services: ConclusionServices, { requestedModel }: Pick<ExchangeInput, 'requestedModel'>, receipt: Receipt): Conclusion {
  switch (end.kind) {
    case 'ok': return { outcome: 'ok', failureClass: end.refusal ? 'content-policy' : undefined };
    case 'cancelled': return { outcome: 'cancelled', failureClass: 'cancelled', message: 'The caller went away.' };
    case 'stopped': {
      const failure = stoppedByUser();
      return { outcome: 'cancelled', failureClass: 'cancelled', message: failure.error.message, failure };
    }
    case 'interrupted': {
      const error = new WaybillError('shutting-down', 'server', 'Waybill was shut down; send the request again.');
      return { outcome: 'interrupted', failureClass: 'cancelled', message: error.message, failure: { error, status: 503 } };
    }
    case 'crashed':
      return failed({ error: new WaybillError('internal', 'server', 'Waybill failed at this request; its log says more. Send the request again.'), status: 500 });
    case 'failed': return failed(end.failure);
    case 'exhausted': {
      const { look, tried, raw } = end;
      return failed(exhaustedFailure({
        requestedModel, plan: receipt.plan, attempts: receipt.attempts, messageOf: attempt => services.providerMessages.ofAttempt(receipt.id, attempt.number),
        lastFailure: tried.failures, coolingDown: look.coolingDown, unfit: [...look.unfit, ...tried.unfit], capped: look.capped, now: look.now,
        // The machine's own trouble kept some target out of reach; a local one that fails does so for its own reasons.
        link: receipt.attempts.some(attempt => services.healthRegistry.isOffline(attempt.endpoint)) ? services.networkTrouble() : undefined,
        unknownNameMessage: () => services.unknownNameMessage(requestedModel), raw,
      }));
    }
  }
}

/** What a caller gets whose request a person cancelled. No client sends it again by itself. */
export function stoppedByUser(): FailureOfExchange {
  return { error: new WaybillError('cancelled', 'cancelled', 'The request was cancelled in Waybill; send it again to get an answer.', { status: 499 }), status: 499 };
}

/** What the receipt says of a request that a person cancelled, and whose call answered others. */
export const stoppedWhileShared: Conclusion = { outcome: 'cancelled', failureClass: 'cancelled', message: 'The request was cancelled in Waybill; its call went on for other requests that shared it.' };

function failed(failure: FailureOfExchange): Conclusion {
  return { outcome: 'failed', failureClass: failure.error.failureClass, message: failure.error.storedMessage, failure };
}

/**
 * Answers the caller of an exchange that ended.
 * @returns what the receipt says: where the caller could not be answered, Waybill itself failed
 */
export function conclude(end: ExchangeEnd, sink: ResponseSink, services: ConclusionServices & Pick<ExchangeServices, 'log'>, input: ExchangeInput, receipt: Receipt): Conclusion {
  const conclusion = conclusionOf(end, services, input, receipt);
  try {
    answer(conclusion, sink, services, receipt);
    return conclusion;
  } catch (cause) {
    if (end.kind === 'crashed') {
      services.log.error(`The caller of the exchange ${receipt.id} could not be answered`, cause);
      return conclusion;
    }
    services.log.error(`The exchange ${receipt.id} failed inside of Waybill`, cause);
    return conclude({ kind: 'crashed' }, sink, services, input, receipt);
  }
}

function answer({ outcome, failure }: Conclusion, sink: ResponseSink, { providerMessages }: ConclusionServices, receipt: Receipt): void {
  if (outcome === 'ok') sink.end();
  if (failure === undefined) return;
  sink.fail({ ...failure, exchangeId: receipt.id, attempts: receipt.attempts.length });
  const { message, storedMessage } = failure.error;
  if (message !== storedMessage) providerMessages.keep(receipt.id, undefined, message);
}
