import type { RedisConfig } from '../config/state/stateConfig.ts';
import type { StateReply } from './stateStore.ts';

/** One connection, or those to the nodes of one cluster. It is never made again by itself. */
export interface StateDriver {
  /** @param key decides which node of a cluster is asked @throws the store's error, whose message begins with a word in capitals, or that of the connection */
  send(key: string, args: readonly string[]): Promise<StateReply>;
  /** From here on the connection serves messages alone. */
  subscribe(channel: string, listen: (message: string) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Ends it at once. Doing so twice is safe. */
  close(): void;
}

/** Opens a connection. @param lost called once, when an open connection ends by itself */
export type OpenDriver = (config: RedisConfig, lost: (cause: Error) => void) => Promise<StateDriver>;
