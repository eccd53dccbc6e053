import type { PeerNote } from '../../ledger/peerNotes.ts';
import type { HealthEvent } from '../../ledger/ports.ts';
import { DecisionDesk } from './decisions.ts';
import { NewsDesk, type NewsFigures } from './news/newsDesk.ts';
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

  constructor(sources: ReplicaSources) {
    const clock = new StoreClock();
    this.#news = new NewsDesk(sources, clock);
    this.#decisions = new DecisionDesk(sources, clock);
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
  }

  /** Tells what is left, and ends. */
  async close(): Promise<void> {
    this.#decisions.close();
    await this.#news.close();
  }
}
