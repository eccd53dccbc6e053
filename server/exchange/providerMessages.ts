import type { Receipt } from '../api/receipt.ts';

/** Failures of so many exchanges, and so many characters of them, are remembered. */
const rememberedExchanges = 500;
const rememberedChars = 512 * 1024;

/** Of one exchange: what callers were told of its attempts, by number, and of the whole. */
interface Told { attempts: Map<number, string>; whole: string | undefined; chars: number }

/**
 * What providers said of failures, redacted, for the receipts of this process. It may quote the conversation, so the
 * ledger has our own sentences only, and this is forgotten with the process or when it becomes too much.
 */
export class ProviderWords {
  #exchanges = new Map<string, Told>();
  #chars = 0;

  /** @param attempt its number; undefined: of the exchange as a whole */
  keep(exchangeId: string, attempt: number | undefined, message: string): void {
    const told = this.#exchanges.get(exchangeId) ?? { attempts: new Map<number, string>(), whole: undefined, chars: 0 };
    if (attempt === undefined) told.whole = message;
    else told.attempts.set(attempt, message);
    told.chars += message.length;
    this.#chars += message.length;
    this.#exchanges.set(exchangeId, told);
    for (const [id, oldest] of this.#exchanges) {
      if (this.#exchanges.size <= rememberedExchanges && this.#chars <= rememberedChars) break;
      this.#exchanges.delete(id);
      this.#chars -= oldest.chars;
    }
  }

  /** What a caller was told of an attempt, where a provider's words are in it. */
  ofAttempt(exchangeId: string, attempt: number): string | undefined {
    return this.#exchanges.get(exchangeId)?.attempts.get(attempt);
  }

  /** The receipt with the providers' words, as far as they are remembered. */
  complete(receipt: Receipt): Receipt {
    const told = this.#exchanges.get(receipt.id);
    if (told === undefined) return receipt;
    const attempts = receipt.attempts.map(attempt => {
      const message = told.attempts.get(attempt.number);
      return message === undefined ? attempt : { ...attempt, message };
    });
    return { ...receipt, message: told.whole ?? receipt.message, attempts };
  }
}
