import type { ExchangeObserver } from '../../exchange/events.ts';
import type { FailureNotices } from '../notices.ts';

/** A person is notified of failures that only a person can mend. */
export function noticesObserver(notices: Pick<FailureNotices, 'failed'>): ExchangeObserver {
  return {
    name: 'The notices of failures',
    onAttemptEnded({ attempt, record, error }) {
      if (error === undefined || record.drill === true) return;
      notices.failed({ endpoint: attempt.endpoint.name, failureClass: error.failureClass, code: error.code, message: error.storedMessage, helpUrl: error.helpUrl });
    },
  };
}
