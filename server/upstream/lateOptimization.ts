import { setFlagsFromString } from 'node:v8';

/** V8's own budget of a WebAssembly function, roughly in bytes of executed code, until it is optimized. Source: V8's flag definitions. */
const ownBudget = 13_000_000;
/** Some five hundred answers to small requests. V8 keeps the budget in 32 bits. */
const lateBudget = 2_000_000_000;

/**
 * Does work that may compile WebAssembly, so that V8 optimizes this code late. undici parses HTTP with WebAssembly and compiles it with
 * the first connection. By default V8 optimizes the parser after a handful of answers, on a background thread: that takes 70 ms of CPU
 * from the first requests, and 15 MB that the process keeps, also where it only probes endpoints. V8 reads the flag while it compiles
 * a module; it is set back afterwards, because compiled code is kept for one set of flags.
 */
export function optimizedLate<Result>(work: () => Result): Result {
  setFlagsFromString(`--wasm-tiering-budget=${lateBudget}`);
  try {
    return work();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${ownBudget}`);
  }
}
