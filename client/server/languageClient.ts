import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as vscode from 'vscode';
import { CloseAction, ErrorAction, IPCMessageReader, IPCMessageWriter, LanguageClient, RevealOutputChannelOn } from 'vscode-languageclient/node';
import { t } from '@vscode/l10n';
import { chatEventsNotification, noticeNotification, statusNotification } from '../../server/api/messages.ts';
import type { InitializationOptions } from '../../server/api/messages.ts';
import type { NotificationType, RequestType } from '../../server/api/messageTypes.ts';
import type { ServerConnection, ServerListener } from './connection.ts';
import type { ServerChild } from './serverChild.ts';

export interface LanguageServerOptions {
  /** The server, as it was started. It ends with the connection. */
  server: ServerChild;
  dataDir: vscode.Uri;
  log: vscode.LogOutputChannel;
  /** Documents that the server completes and checks. */
  documents: { scheme: string; pattern: string }[];
}

/** A server that has not answered `initialize` by then is ended, and counts as crashed. */
const startTimeoutMs = 30_000;
/** A server that was told to end and has not by then is ended. */
const stopTimeoutMs = 2_000;

/** Connects to the server as a language server over Node IPC. */
export async function connectLanguageServer({ server: { process: child, ended }, dataDir, log, documents }: LanguageServerOptions, listener: ServerListener): Promise<ServerConnection> {
  eachLine(child.stdout, line => { log.info(line); });
  eachLine(child.stderr, line => { log.error(line); });
  const initializationOptions: InitializationOptions = { dataDir: dataDir.fsPath, window: vscode.env.sessionId };
  let closed = false;
  const client = new QuietLanguageClient(
    'waybill',
    'Waybill',
    () => Promise.resolve({ reader: new IPCMessageReader(child), writer: new IPCMessageWriter(child) }),
    {
      documentSelector: documents,
      initializationOptions,
      outputChannel: log,
      traceOutputChannel: silentTraceChannel(),
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          closed = true;
          listener.onClosed();
          return { action: CloseAction.DoNotRestart, handled: true, message: t('The connection to the server ended.') };
        },
      },
    },
  );
  onNotification(client, statusNotification, status => { listener.onStatus(status); });
  onNotification(client, noticeNotification, notice => { listener.onNotice(notice); });
  onNotification(client, chatEventsNotification, events => { listener.onChatEvents(events); });
  const timeout = setTimeout(() => { child.kill('SIGKILL'); }, startTimeoutMs);
  try {
    await Promise.race([client.start(), ended.then((how): never => { throw new Error(`it ${how} before it could be spoken to`); })]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timeout);
  }
  return {
    processId: child.pid,
    // The client sends a token that is undefined as one parameter more, null, which the server would take for its own token.
    sendRequest: <Params, Result>(type: RequestType<Params, Result>, params: Params, token?: vscode.CancellationToken) =>
      (token === undefined ? client.sendRequest<Result>(type.method, params) : client.sendRequest<Result>(type.method, params, token)),
    sendNotification: (type, params) => {
      client.sendNotification(type.method, params).catch((error: unknown) => { log.debug(`A message did not reach the server: ${String(error)}`); });
    },
    stop: async () => {
      try {
        if (!closed && client.needsStop()) await client.stop();
      } catch (error) {
        log.debug(`The server did not stop in order: ${String(error)}`);
      }
      const late = setTimeout(() => { child.kill('SIGKILL'); }, stopTimeoutMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function eachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity, terminal: false, historySize: 0 }).on('line', take);
}

function onNotification<Params>(client: LanguageClient, type: NotificationType<Params>, handle: (params: Params) => void): void {
  client.onNotification(type.method, handle);
}

/**
 * The library shows some failures in its own notifications and logs them with a stack; ours say what to do, and
 * the log needs a line. The server's own error lines arrive here too, with a message only.
 */
class QuietLanguageClient extends LanguageClient {
  override error(message: string, failure?: unknown): void {
    if (failure === undefined) super.error(message, undefined, false);
    else this.outputChannel.warn(`${message} ${failure instanceof Error ? failure.message : String(failure)}`);
  }
}

/**
 * Tracing would write whole messages, and with them keys, into a log that people attach to bug reports. So
 * the trace goes nowhere, whatever `waybill.trace.server` or the log level says.
 */
function silentTraceChannel(): vscode.LogOutputChannel {
  const nothing = (): void => undefined;
  return {
    name: 'Waybill', logLevel: vscode.LogLevel.Off, onDidChangeLogLevel: () => ({ dispose: nothing }),
    trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing,
    append: nothing, appendLine: nothing, replace: nothing, clear: nothing, show: nothing, hide: nothing, dispose: nothing,
  };
}
