import type { FailureClass } from '../../api/failure.ts';
import type { NoticeParams } from '../../api/messages.ts';
import type { ExchangeObserver } from '../../exchange/events.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { FailureNotices } from '../notices.ts';

/** A person is notified of failures that only a person can mend. @param noRoute what to say after a failed exchange, where nothing can serve another one */
export function noticesObserver(notices: Pick<FailureNotices, 'failed' | 'tell'>, keys: Pick<KeyPool, 'isRejectedAgain' | 'fingerprintOf'>, noRoute: (failureClass: FailureClass | undefined) => NoticeParams | undefined): ExchangeObserver {
  return {
    name: 'The notices of failures',
    onAttemptEnded({ attempt, record, error }) {
      if (error === undefined || record.drill === true) return;
      const { endpoint, keyId, target } = attempt;
      // A key that is tried again and rejected again is no news.
      if (error.failureClass === 'auth' && keyId !== undefined && keys.isRejectedAgain(endpoint.name, keyId, target.model)) return;
      notices.failed({ endpoint: endpoint.name, failureClass: error.failureClass, scope: error.scope, code: error.code, message: error.storedMessage, helpUrl: error.helpUrl, key: keys.fingerprintOf(endpoint.name, keyId) });
    },
    onEnded({ receipt }) {
      if (receipt.outcome !== 'failed' || receipt.attempts.some(({ drill }) => drill === true)) return;
      const notice = noRoute(receipt.failureClass);
      if (notice !== undefined) notices.tell(notice);
    },
  };
}
