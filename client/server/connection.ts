import type * as vscode from 'vscode';
import type { ChatEventsParams, NoticeParams } from '../../server/api/messages.ts';
import type { NotificationType, RequestType } from '../../server/api/messageTypes.ts';
import type { StatusSnapshot } from '../../server/api/status.ts';

/** Receives what one run of the server process sends unasked. */
export interface ServerListener {
  /** The process or its channel ended without being asked to. At most once. */
  onClosed(): void;
  onStatus(status: StatusSnapshot): void;
  onNotice(notice: NoticeParams): void;
  onChatEvents(events: ChatEventsParams): void;
}

/** One run of the server process, initialised and ready to be configured. */
export interface ServerConnection {
  readonly processId: number | undefined;
  /** Rejects with the server's error, or when the connection ends first. */
  sendRequest<Params, Result>(type: RequestType<Params, Result>, params: Params, token?: vscode.CancellationToken): Promise<Result>;
  /** Sends without waiting. A connection that has ended drops it. */
  sendNotification<Params>(type: NotificationType<Params>, params: Params): void;
  /** Ends the process; resolves when it has ended, or the connection has. Never rejects. */
  stop(): Promise<void>;
}

/** Starts a server process. Rejects when it does not come up; `onClosed` may then have been called as well. */
export type ConnectServer = (listener: ServerListener) => Promise<ServerConnection>;

/** The part of a log channel that is used here. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Real timers, or a test's. Returns a function that cancels. */
export interface Timers {
  now(): number;
  after(delayMs: number, run: () => void): () => void;
}

export const realTimers: Timers = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => { clearTimeout(timer); };
  },
};
