import type { NoticeParams } from '../../api/messages.ts';
import type { ProtocolName } from '../../api/conversation.ts';
import type { SpendReport, TimeRange } from '../../api/receipt.ts';
import type { HttpStatus, StatusSnapshot } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { LayerFigures } from '../../exchange/cache/layerFigures.ts';
import type { ExchangePublisher } from '../../exchange/publisher.ts';
import type { TracePassing } from '../../exchange/services.ts';
import type { SharedState } from '../../ledger/ports.ts';
import type { SharedLedgerFigures } from '../../ledger/sharedLedger.ts';
import type { RouteOutcomes } from '../../ledger/spend.ts';
import type { NewsFigures } from '../replicas/news/newsDesk.ts';
import type { SharedStoreFigures } from '../../limits/replicas/countFigures.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import type { StateStore } from '../../state/stateStore.ts';
import type { Receivers } from '../../upstream/receivers.ts';

/** What monitoring looks at. */
export interface MonitoringSources {
  events: Pick<ExchangePublisher, 'subscribe'>;
  /** What happens to the copies that shadows send. */
  copies: Pick<ExchangePublisher, 'subscribe'>;
  ledger: Pick<SharedState, 'isOpen' | 'backlog' | 'revision'>;
  /** What replicas share; its figures are undefined where none is configured. */
  sharedLedger: { figures(): SharedLedgerFigures | undefined };
  status(http: HttpStatus): StatusSnapshot;
  /** What all servers have spent in a time: those of the data folder, or of a shared ledger. */
  spend(range: TimeRange): Promise<Pick<SpendReport, 'totals'>>;
  /** How requests of all servers of the data folder ended in a time; see LedgerReader.outcomes. */
  outcomes(range: TimeRange, boundsMs: readonly number[]): Promise<readonly RouteOutcomes[]>;
  /** Where servers agree on incidents of alerts; absent: there are no alerts. */
  alertsFolder: string | undefined;
  /** What replicas share; where none is configured, servers of a data folder agree through it. */
  store: Pick<StateStore, 'isConfigured' | 'replica' | 'run'>;
  config(): Pick<Config, 'endpoints' | 'monitoring'>;
  /** Sends to receivers over the network of the configuration. */
  receivers: Pick<Receivers, 'configure' | 'post' | 'shutdown'>;
  /** How targets learn of traces. */
  tracePassing: TracePassing;
  codecFor(protocol: ProtocolName): ProtocolCodec | undefined;
  /** What was told to other replicas and heard from them; undefined where no store is shared. */
  news(): NewsFigures | undefined;
  /** Undefined where no store is shared. */
  shared(): SharedStoreFigures | undefined;
  /** What response caches were asked; undefined where no route keeps answers. */
  answers(): LayerFigures | undefined;
  redact(text: string): string;
  /** A window of the editor listens. */
  hasAudience(): boolean;
  notify(notice: NoticeParams): void;
  clock: Clock;
  log: Log;
}
