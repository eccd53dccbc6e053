import type { SharedAnswer } from './sharedAnswer.ts';

/** Kept answers by key, bounded in bytes: those that were not used for longest go first. An answer that is too old is none. */
export class AnswerStore {
  /** Least recently used first. */
  readonly #answers = new Map<string, SharedAnswer>();
  #bytes = 0;

  get size(): number {
    return this.#answers.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string, now: number, maxAgeMs: number): SharedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    if (!isFresh(answer, now, maxAgeMs)) {
      this.#bytes -= answer.bytes;
      return undefined;
    }
    this.#answers.set(key, answer);
    return answer;
  }

  /** @returns whether it is kept: one that is larger than all may be together is not */
  keep(key: string, answer: SharedAnswer, maxBytes: number): boolean {
    this.#drop(key);
    if (answer.bytes > maxBytes) return false;
    this.#answers.set(key, answer);
    this.#bytes += answer.bytes;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= maxBytes) break;
      this.#drop(oldest);
    }
    return true;
  }

  /** Drops what is too old. */
  expire(now: number, maxAgeMs: number): void {
    for (const [key, answer] of this.#answers) if (!isFresh(answer, now, maxAgeMs)) this.#drop(key);
  }

  clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= answer.bytes;
  }
}

/** A clock that was set back makes no answer younger than it can be. */
function isFresh({ keptAt }: SharedAnswer, now: number, maxAgeMs: number): boolean {
  return now >= keptAt && now - keptAt < maxAgeMs;
}
