import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node';
import type { NotificationType, RequestType } from '../../../server/api/messageTypes.ts';

/** Sends a request of the protocol as an editor does. */
export function askServer<Params, Result>(connection: MessageConnection, type: RequestType<Params, Result>, params: Params, token?: CancellationToken): Promise<Result> {
  return token === undefined ? connection.sendRequest<Result>(type.method, params) : connection.sendRequest<Result>(type.method, params, token);
}

/** Listens to a notification of the protocol. */
export function listenTo<Params>(connection: MessageConnection, type: NotificationType<Params>, handle: (params: Params) => void): void {
  connection.onNotification(type.method, handle);
}
