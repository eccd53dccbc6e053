import { WaybillError } from '../base/failure.ts';

/** The ledger cannot be read or written now; it is tried again. `message` is one sentence for a person. */
export class LedgerUnavailableError extends WaybillError {
  constructor(message: string) {
    super('ledger-unavailable', 'server', message);
    this.name = 'LedgerUnavailableError';
  }
}
