export interface UntilOptions {
  /** How long the condition may take, in milliseconds. */
  timeoutMs?: number;
  everyMs?: number;
}

/** A probe that takes longer waits for an element. */
const stuckMs = 1_000;

/**
 * Asks `probe` again and again until it answers something other than undefined or false, and returns that answer.
 * `what` completes the sentence "Waited for …" of the error; an error of the last probe is its cause.
 */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, { timeoutMs = 15_000, everyMs = 50 }: UntilOptions = {}): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  let isLast = false;
  for (;;) {
    const askedAt = Date.now();
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    // A probe that waited for an element which went away has seen nothing of what came meanwhile: it is asked once more.
    const isOver = Date.now() >= deadline && (isLast || Date.now() - askedAt < stuckMs);
    isLast = Date.now() >= deadline;
    if (isOver) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
