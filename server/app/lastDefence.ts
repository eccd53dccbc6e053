import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';

/** The events of a process that are handled here. */
export interface DefendedProcess {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
}

export interface LastDefenceOptions {
  process: DefendedProcess;
  /** Called at each error: the log may change while the server starts. */
  log(): Pick<Log, 'error'>;
  /** Ends the server in order, after the sentence was logged. */
  end(): void;
}

/**
 * Handles errors that no other part handles. They are logged with their stack, at growing distance, and the server continues.
 * When memory cannot be allocated, no part can be relied on, and the server ends in order.
 */
export function installLastDefence({ process, log, end }: LastDefenceOptions): void {
  const errors: Pick<Log, 'error'> = { error: (message, cause) => log().error(message, cause) };
  const exceptions = new Guard('A part of the server that nothing guards', errors);
  const rejections = new Guard('A promise that nothing waits for', errors);
  let ending = false;
  const guarded = (guard: Guard) => (error: unknown): void => {
    if (!isOutOfMemory(error)) {
      guard.failed(error);
      return;
    }
    if (ending) return;
    ending = true;
    exceptions.run(() => { errors.error('The server is out of memory and ends; start it again, with fewer requests at once or more memory.', error); });
    end();
  };
  process.on('uncaughtException', guarded(exceptions));
  process.on('unhandledRejection', guarded(rejections));
}

/** The codes, and the one error without a code, with which Node reports that memory for a buffer or a string cannot be allocated. */
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
 * Writes to a standard stream whose reader may go away at any time (a closed pipe, a full disk). What cannot be written is
 * dropped without a log line, because the log takes the same way.
 */
export function quietWriter(stream: StandardStream): (text: string) => void {
  stream.on('error', () => undefined);
  return (text) => {
    try {
      stream.write(text);
    } catch {
      // Streams to files throw at once instead of emitting an error.
    }
  };
}
