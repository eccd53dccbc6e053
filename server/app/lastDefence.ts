import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';

/** What the last line of defence needs of a process. */
export interface DefendedProcess {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
}

export interface LastDefenceOptions {
  process: DefendedProcess;
  /** Asked for at each error: it may change while the server starts. */
  log(): Pick<Log, 'error'>;
  /** Ends the server in order, after the sentence was logged. */
  end(): void;
}

/**
 * The owner of whatever no other part owns: it is logged with its stack, at growing distance, and the server goes on
 * serving. Only where memory cannot be had any more nothing can be relied on: then the server ends in order.
 */
export function installLastDefence({ process, log, end }: LastDefenceOptions): void {
  const errors: Pick<Log, 'error'> = { error: (message, cause) => log().error(message, cause) };
  const exceptions = new Guard('A part of the server that nothing guards', errors);
  const rejections = new Guard('A promise that nothing waits for', errors);
  let ending = false;
  const owned = (guard: Guard) => (error: unknown): void => {
    if (!isOutOfMemory(error)) {
      guard.failed(error);
      return;
    }
    if (ending) return;
    ending = true;
    exceptions.run(() => { errors.error('The server is out of memory and ends; start it again, with fewer requests at once or more memory.', error); });
    end();
  };
  process.on('uncaughtException', owned(exceptions));
  process.on('unhandledRejection', owned(rejections));
}

/** The codes and the one uncoded error with which Node says that memory for a buffer or a string cannot be had. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'ENOMEM' || (error instanceof RangeError && error.message === 'Array buffer allocation failed');
}

/** A standard stream of the process. */
export interface StandardStream {
  write(text: string): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * Writes to a standard stream whose reader may go away at any time (a closed pipe, a full disk): what cannot be written
 * is dropped, without an error and without a log line, which would have to go the same way.
 */
export function quietWriter(stream: StandardStream): (text: string) => void {
  stream.on('error', () => undefined);
  return (text) => {
    try {
      stream.write(text);
    } catch {
      // As above; streams to files throw at once.
    }
  };
}
