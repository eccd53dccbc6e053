import type { Subscribe, Subscription } from '../base/emitter.ts';

/** What the store answers: texts, whole numbers, nothing, and lists of these. */
export type StateReply = string | number | null | readonly StateReply[];

/** A script in Lua that the store runs as one step. `KEYS` are the names that it is called with, behind the prefix. Made once, as a constant. */
export interface StateScript {
  /** As errors name it. */
  readonly name: string;
  readonly source: string;
}

/**
 * `up`: it can be used, for the first time or again. `down`: it cannot. `emptied`: it lost what it held, which is told before `up` where
 * that was noticed when the connection was made. `subscribed`: messages come from now on; those before may have been missed.
 */
export type StateChange = 'up' | 'down' | 'emptied' | 'subscribed';

/** The store cannot be used now. Whether the command was carried out is not known where `isSent`. */
export class StateAwayError extends Error {
  readonly isSent: boolean;

  constructor(message: string, isSent: boolean) {
    super(message);
    this.name = 'StateAwayError';
    this.isSent = isSent;
  }
}

/** By its name: a part that is bundled by itself has a copy of the class. */
export function isStateAway(error: unknown): boolean {
  return error instanceof Error && error.name === 'StateAwayError';
}

/**
 * What servers on several machines share. Every call is answered, or rejected with a StateAwayError, within the timeout of
 * the configuration; while the store is away it is rejected at once. Another error is a mistake in the call.
 */
export interface StateStore {
  /** Whether the configuration names one. */
  readonly isConfigured: boolean;
  readonly isUp: boolean;
  /** What this server is known by in the store. */
  readonly replica: string;
  /** Servers that were alive at the last heartbeat, this one included; at least 1, and the last known number while the store is away. */
  readonly replicas: number;
  /** A call is answered or rejected within so long, in milliseconds. */
  readonly timeoutMs: number;
  /** Begins every name, for scripts that make some. */
  readonly prefix: string;
  /** Runs a script. @param keys without the prefix */
  run(script: StateScript, keys: readonly string[], args: readonly (string | number)[]): Promise<StateReply>;
  /** A command whose first argument is a key. @param key without the prefix */
  command(name: string, key: string, ...args: readonly (string | number)[]): Promise<StateReply>;
  publish(channel: string, message: string): Promise<void>;
  /** Calls back with the messages of a channel, also with this server's own. They are lost while the store is away. */
  subscribe(channel: string, listen: (message: string) => void): Subscription;
  readonly changes: Subscribe<StateChange>;
}
