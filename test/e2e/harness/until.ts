export interface UntilOptions {
  /** How long the condition may take, in milliseconds. */
  timeoutMs?: number;
  everyMs?: number;
}

/**
 * Asks `probe` again and again until it answers something other than undefined or false, and returns that answer.
 * `what` completes the sentence "Waited for …" of the error; an error of the last probe is its cause.
 */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, { timeoutMs = 15_000, everyMs = 50 }: UntilOptions = {}): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
