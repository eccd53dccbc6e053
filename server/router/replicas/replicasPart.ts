import type { PeerNote } from '../../ledger/peerNotes.ts';
import type { HealthEvent } from '../../ledger/ports.ts';
import { DecisionDesk } from './decisions.ts';
import { NewsDesk, type NewsFigures } from './news/newsDesk.ts';
import { SharedRouteStates } from './routeStates/sharedRouteStates.ts';
import type { SwitchedRouteStates } from './routeStates/switchedRouteStates.ts';
import type { ReplicaSources } from './sources.ts';
import { StoreClock } from './storeClock.ts';

/** Starts to speak with the other replicas. */
export function startReplicas(sources: ReplicaSources): ReplicasPart {
  return new ReplicasPart(sources);
}

/** What runs while the configuration names a store that replicas share. */
export class ReplicasPart {
  readonly #news: NewsDesk;
  readonly #decisions: DecisionDesk;
  readonly #states: readonly { shared: SharedRouteStates; of: SwitchedRouteStates }[];

  constructor(sources: ReplicaSources) {
    const clock = new StoreClock();
    this.#news = new NewsDesk(sources, clock);
    this.#decisions = new DecisionDesk(sources, clock);
    const { store, log } = sources;
    this.#states = sources.routeStates.map(({ name, states, changed }) => {
      const shared = new SharedRouteStates({ store, folder: states, name, log, changed });
      states.use(shared);
      return { shared, of: states };
    });
  }

  get figures(): NewsFigures {
    return this.#news.figures;
  }

  note(note: PeerNote): void {
    this.#news.note(note);
  }

  probe(event: HealthEvent): void {
    this.#news.probe(event);
  }

  /** A person decided something about an endpoint. */
  decided(): void {
    this.#decisions.exchange();
  }

  /** About once a second. */
  tick(): void {
    this.#news.tick();
    this.#decisions.tick();
    for (const { shared } of this.#states) shared.tick();
  }

  /** Tells what is left, and ends. */
  async close(): Promise<void> {
    this.#decisions.close();
    for (const { shared, of } of this.#states) {
      await shared.flush();
      shared.close();
      of.use(undefined);
    }
    await this.#news.close();
  }
}
