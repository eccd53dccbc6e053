import * as vscode from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, TransportKind, type NodeModule } from 'vscode-languageclient/node';
import { t } from '@vscode/l10n';
import { chatEventsNotification, noticeNotification, statusNotification } from '../../server/api/messages.ts';
import type { InitializationOptions } from '../../server/api/messages.ts';
import type { NotificationType, RequestType } from '../../server/api/messageTypes.ts';
import type { ServerConnection, ServerListener } from './connection.ts';

export interface LanguageServerOptions {
  /** Path of the server bundle. */
  module: string;
  dataDir: vscode.Uri;
  log: vscode.LogOutputChannel;
  /** Documents that the server completes and checks. */
  documents: { scheme: string; pattern: string }[];
}

/** A server that has not answered `initialize` by then is ended, and counts as crashed. */
const startTimeoutMs = 30_000;

/** Where a debugger finds the server while the extension host itself is debugged; see CONTRIBUTING.md. */
const inspectPort = 6009;

/** The server bundle as a Node module over IPC. The experimental warning is about node:sqlite and would be the first line of every log. */
function serverModule(module: string, dataDir: string, debugArgs: readonly string[] = []): NodeModule {
  // The data folder is on the command line because the server's compiled code is there.
  return { module, args: ['--data', dataDir], transport: TransportKind.ipc, options: { execArgv: ['--disable-warning=ExperimentalWarning', ...debugArgs] } };
}

/** Connects to the server bundle as a language server over Node IPC. */
export async function connectLanguageServer(options: LanguageServerOptions, listener: ServerListener): Promise<ServerConnection> {
  await vscode.workspace.fs.createDirectory(options.dataDir);
  const initializationOptions: InitializationOptions = { dataDir: options.dataDir.fsPath, window: vscode.env.sessionId };
  let closed = false;
  const client = new QuietLanguageClient(
    'waybill',
    'Waybill',
    { run: serverModule(options.module, options.dataDir.fsPath), debug: serverModule(options.module, options.dataDir.fsPath, [`--inspect=${inspectPort}`]) },
    {
      documentSelector: options.documents,
      initializationOptions,
      outputChannel: options.log,
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
  const timeout = setTimeout(() => { client.serverProcess?.kill('SIGKILL'); }, startTimeoutMs);
  try {
    await client.start();
  } finally {
    clearTimeout(timeout);
  }
  return {
    processId: client.serverProcess?.pid,
    // The client sends a token that is undefined as one parameter more, null, which the server would take for its own token.
    sendRequest: <Params, Result>(type: RequestType<Params, Result>, params: Params, token?: vscode.CancellationToken) =>
      (token === undefined ? client.sendRequest<Result>(type.method, params) : client.sendRequest<Result>(type.method, params, token)),
    sendNotification: (type, params) => {
      client.sendNotification(type.method, params).catch((error: unknown) => { options.log.debug(`A message did not reach the server: ${String(error)}`); });
    },
    stop: async () => {
      try {
        if (!closed && client.needsStop()) await client.stop();
      } catch (error) {
        options.log.debug(`The server did not stop in order: ${String(error)}`);
      }
    },
  };
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
