import type { Receipt } from '../api/receipt.ts';

/** Failures of so many exchanges, and so many characters of them, are remembered. */
const rememberedExchanges = 500;
const rememberedChars = 512 * 1024;

/** Of one exchange: the sentences that callers got about its attempts, by number, and about the whole. */
interface KnownMessages { attempts: Map<number, string>; whole: string | undefined; chars: number }

/**
 * What providers said of failures, redacted, for the receipts of this process. It may quote the conversation, so the
 * ledger has our own sentences only, and this is forgotten with the process or when it becomes too much.
 */
export class ProviderMessages {
  #exchanges = new Map<string, KnownMessages>();
  #chars = 0;

  /** @param attempt its number; undefined: of the exchange as a whole */
  keep(exchangeId: string, attempt: number | undefined, message: string): void {
    const known = this.#exchanges.get(exchangeId) ?? { attempts: new Map<number, string>(), whole: undefined, chars: 0 };
    if (attempt === undefined) known.whole = message;
    else known.attempts.set(attempt, message);
    known.chars += message.length;
    this.#chars += message.length;
    this.#exchanges.set(exchangeId, known);
    for (const [id, oldest] of this.#exchanges) {
      if (this.#exchanges.size <= rememberedExchanges && this.#chars <= rememberedChars) break;
      this.#exchanges.delete(id);
      this.#chars -= oldest.chars;
    }
  }

  /** The sentence that a caller got about an attempt, where a provider's words are in it. */
  ofAttempt(exchangeId: string, attempt: number): string | undefined {
    return this.#exchanges.get(exchangeId)?.attempts.get(attempt);
  }

  /** The receipt with the providers' words, as far as they are remembered. */
  complete(receipt: Receipt): Receipt {
    const known = this.#exchanges.get(receipt.id);
    if (known === undefined) return receipt;
    const attempts = receipt.attempts.map(attempt => {
      const message = known.attempts.get(attempt.number);
      return message === undefined ? attempt : { ...attempt, message };
    });
    return { ...receipt, message: known.whole ?? receipt.message, attempts };
  }
}
