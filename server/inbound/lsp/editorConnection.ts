import type { CancellationToken, Connection } from 'vscode-languageserver';
import type { NotificationType, RequestType } from '../../api/messageTypes.ts';
import { Guard } from '../../base/guarded.ts';
import type { ReaderAnswer } from '../../exchange/request.ts';
import type { Log } from '../../base/log.ts';

/** The connection to the editor, in the typed messages of server/api. A connection that has ended drops what is sent. */
export class EditorConnection {
  #connection: Connection;
  #sending: Guard;

  constructor(connection: Connection, log: Pick<Log, 'error'>) {
    this.#connection = connection;
    this.#sending = new Guard('A message to the editor', log);
  }

  /** Answers a request. What the handler throws or rejects with becomes the error response. */
  onRequest<Params, Result>(type: RequestType<Params, Result>, handle: (params: Params, token: CancellationToken) => Result | Promise<Result>): void {
    this.#connection.onRequest(type.method, (params: Params, token: CancellationToken): unknown => handle(params, token));
  }

  onNotification<Params>(type: NotificationType<Params>, handle: (params: Params) => void): void {
    this.#connection.onNotification(type.method, handle);
  }

  /** Sends a notification. Never throws. */
  notify<Params>(type: NotificationType<Params>, params: Params): void {
    this.#sending.start(() => this.#connection.sendNotification(type.method, params));
  }

  /**
   * Shows a question with two buttons, or three.
   * @returns whether `accept`, or `instead`, was pressed; false where the editor cannot ask. Never rejects
   */
  async confirm(message: string, accept: string, decline: string, instead?: string): Promise<ReaderAnswer> {
    try {
      const answer = await this.#connection.window.showWarningMessage(message, ...[accept, ...(instead === undefined ? [] : [instead]), decline].map(title => ({ title })));
      return answer?.title === accept ? true : answer !== undefined && answer !== null && answer.title === instead ? 'instead' : false;
    } catch (error) {
      this.#sending.failed(error);
      return false;
    }
  }
}
