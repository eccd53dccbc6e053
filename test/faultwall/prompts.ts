/** What callers ask: an answer long enough to have a middle to break in. */
export const wordsPrompt = 'Tell me something in a good dozen of words, please, so that there is a middle to break in.';
/** A call whose arguments come in several pieces. */
export const toolPrompt = 'call tool look_up {"place":"Rome on the Tiber, seen from the Janiculum hill","day":3}';

/** A simulated provider quotes no more than this of a prompt. */
const quotedLength = 400;

/** What a simulated provider answers to a prompt; the same words each time. */
export function answerOf(provider: string, prompt: string): string {
  return `Waybill sandbox ${provider} answers your prompt: "${prompt.trim().slice(0, quotedLength)}".`;
}

/** A label this long is invalid, so the machine's resolver rejects the name at once, without a query to another server. */
export const noSuchHost = `no-such-host-${'x'.repeat(64)}.invalid`;
