import type { Decision } from './decidePurpose.ts';

/** A person may come back to a conversation after lunch. */
const keptForMs = 3 * 3_600_000;
const mostKept = 1000;

interface Kept { readonly decision: Decision; readonly at: number }

/** What conversations were taken for, by their id, the latest ones. Nothing of a prompt is in it. */
export class DecisionMemory {
  readonly #kept = new Map<string, Kept>();

  /** @param now milliseconds since the epoch */
  before(conversation: string, now: number): Decision | undefined {
    const kept = this.#kept.get(conversation);
    return kept === undefined || now - kept.at > keptForMs ? undefined : kept.decision;
  }

  keep(conversation: string, decision: Decision, now: number): void {
    // The last one that was kept stands last.
    this.#kept.delete(conversation);
    this.#kept.set(conversation, { decision, at: now });
    if (this.#kept.size > mostKept) for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }
}
