import type { HttpStatus, StatusSnapshot } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ExchangePublisher } from '../../exchange/publisher.ts';
import type { SharedState } from '../../ledger/ports.ts';

/** What monitoring looks at. */
export interface MonitoringSources {
  events: Pick<ExchangePublisher, 'subscribe'>;
  /** What happens to the copies that shadows send. */
  copies: Pick<ExchangePublisher, 'subscribe'>;
  ledger: Pick<SharedState, 'isOpen' | 'backlog'>;
  status(http: HttpStatus): StatusSnapshot;
  clock: Clock;
  log: Log;
}
