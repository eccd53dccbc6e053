import { setFlagsFromString } from 'node:v8';

/** Compile every function at once, since a function that is compiled with its first call takes the flags of that moment; and count no calls. */
const baselineOnly = ['--no-wasm-lazy-compilation', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];
const ownFlags = ['--wasm-lazy-compilation', '--wasm-tier-up', '--wasm-dynamic-tiering'];

/**
 * Does work that may compile WebAssembly, so that V8 keeps to its baseline compiler for this code. undici parses HTTP with WebAssembly
 * and compiles it with the first connection. By default V8 optimizes the parser after a handful of answers, on a background thread: that
 * takes 70 ms of CPU from the requests of that moment, and 15 MB that the process keeps, also where it only probes endpoints. An answer
 * gains nothing measurable from the optimized parser. V8 reads the flags while it compiles a module; they are set back afterwards,
 * because compiled code is kept for one set of flags.
 */
export function withBaselineWasm<Result>(work: () => Result): Result {
  for (const flag of baselineOnly) setFlagsFromString(flag);
  try {
    return work();
  } finally {
    for (const flag of ownFlags) setFlagsFromString(flag);
  }
}
