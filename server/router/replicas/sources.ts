import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { ExchangePublisher } from '../../exchange/publisher.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { LedgerReader, SharedState } from '../../ledger/ports.ts';
import type { StateStore } from '../../state/stateStore.ts';
import type { Pauses } from '../endpoints/pauses.ts';
import type { PeerSync } from '../peerSync.ts';
import type { SwitchedRouteStates } from './routeStates/switchedRouteStates.ts';

/** What the part that speaks with other replicas works with. */
export interface ReplicaSources {
  store: StateStore;
  config(): Config;
  events: Pick<ExchangePublisher, 'subscribe'>;
  health: Pick<HealthRegistry, 'networkTrouble'>;
  keys: Pick<KeyPool, 'fingerprintOf' | 'fingerprintsWith'>;
  ledger: Pick<LedgerReader, 'notes'> & Pick<SharedState, 'isOpen'>;
  peers: Pick<PeerSync, 'take'>;
  pauses: Pick<Pauses, 'decisions' | 'learn'>;
  /** States of routes that replicas have in common. @property changed called when another replica changed one */
  routeStates: readonly { readonly name: 'canaries' | 'shadows'; readonly states: SwitchedRouteStates; changed(): void }[];
  clock: Clock;
  log: Log;
}
