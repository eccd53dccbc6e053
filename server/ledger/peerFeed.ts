import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { PeerFacts } from './ports.ts';

type Listener = (facts: PeerFacts) => void;

/** Hands facts of peers to listeners. Each listener has a guard of its own: one that throws keeps the others from nothing. */
export class PeerFeed {
  readonly #log: Log;
  readonly #listeners = new Map<Listener, Guard>();
  #reopened = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @returns ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#listeners.set(listener, new Guard('A listener to facts of peers', this.#log));
    return () => { this.#listeners.delete(listener); };
  }

  /** The store was opened; the next delivery says so. */
  reopened(): void {
    this.#reopened = true;
  }

  deliver(found: Omit<PeerFacts, 'reopened'>): void {
    const reopened = this.#reopened;
    if (!reopened && !found.repriced && found.attempts.length === 0 && found.probes.length === 0 && found.keyNotes.length === 0) return;
    this.#reopened = false;
    const facts: PeerFacts = { ...found, reopened };
    for (const [listener, guard] of this.#listeners) guard.run(() => { listener(facts); });
  }
}
