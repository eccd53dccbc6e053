import { spawn, type ChildProcess } from 'node:child_process';
import {
  CancellationTokenSource, createMessageConnection, IPCMessageReader, IPCMessageWriter, StreamMessageReader, StreamMessageWriter, type MessageConnection,
} from 'vscode-jsonrpc/node';
import {
  chatEventsNotification, chatRequest, configureRequest, noticeNotification, statusNotification,
  type ChatEvent, type ChatEventsParams, type ChatParams, type ChatResult, type ConfigureParams, type ConfigureResult, type NoticeParams,
} from '../../../server/api/messages.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { endedWithTests } from '../../support/childProcesses.ts';
import { exitOf, serverEntry } from './serverProcess.ts';
import { askServer, listenTo } from './typedMessages.ts';

export type EditorTransport = 'stdio' | 'node-ipc';

/** An editor's end of the language server, which runs in a process of its own. */
export class EditorClient {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
  readonly notices: NoticeParams[] = [];
  readonly snapshots: StatusSnapshot[] = [];
  /** What the server logged, and what it wrote to stderr. */
  readonly log: string[] = [];
  #events = new Map<string, ChatEvent[]>();
  #turns = 0;

  constructor(transport: EditorTransport) {
    const child = endedWithTests(spawn(process.execPath, [serverEntry, `--${transport}`], {
      stdio: transport === 'node-ipc' ? ['ignore', 'ignore', 'pipe', 'ipc'] : ['pipe', 'pipe', 'pipe'],
    }));
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.log.push(text));
    this.connection = transport === 'node-ipc'
      ? createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child))
      : createMessageConnection(new StreamMessageReader(child.stdout ?? process.stdin), new StreamMessageWriter(child.stdin ?? process.stdout));
    listenTo(this.connection, chatEventsNotification, ({ id, events }: ChatEventsParams) => void this.#events.get(id)?.push(...events));
    listenTo(this.connection, noticeNotification, (notice: NoticeParams) => void this.notices.push(notice));
    listenTo(this.connection, statusNotification, (snapshot: StatusSnapshot) => void this.snapshots.push(snapshot));
    this.connection.onNotification('window/logMessage', ({ message }: { message: string }) => void this.log.push(message));
    this.connection.listen();
  }

  async initialize(dataDir: string): Promise<{ serverInfo?: { name: string } }> {
    const result: { serverInfo?: { name: string } } = await this.connection.sendRequest('initialize', {
      processId: null, rootUri: null, capabilities: {}, initializationOptions: { dataDir },
    });
    await this.connection.sendNotification('initialized', {});
    return result;
  }

  configure(settings: Pick<ConfigureParams, 'endpoints' | 'routes'> & Partial<ConfigureParams>): Promise<ConfigureResult> {
    return askServer(this.connection, configureRequest, { keys: {}, http: { enabled: false, port: 0 }, ...settings });
  }

  /** Begins a chat turn; its events gather while it runs. */
  chat(wanted: string, prompt: string, conversation: Partial<ChatParams['conversation']> = {}): { events: ChatEvent[]; result: Promise<ChatResult>; cancel(): void } {
    const id = `turn-${this.#turns += 1}`;
    const events: ChatEvent[] = [];
    this.#events.set(id, events);
    const cancellation = new CancellationTokenSource();
    const params: ChatParams = {
      id, requestedModel: wanted, caller: { tool: 'vscode-chat', workspace: 'demo', purpose: 'chat' },
      conversation: { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }], tools: [], ...conversation },
    };
    return { events, result: askServer(this.connection, chatRequest, params, cancellation.token), cancel: () => cancellation.cancel() };
  }

  /** Shuts the server down as editors do. @returns its exit code */
  async end(): Promise<number | null> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    return exitOf(this.child);
  }

  kill(): void {
    this.connection.dispose();
    this.child.kill('SIGKILL');
  }
}

/** The text of a turn since it last began anew. */
export function textOf(events: readonly ChatEvent[]): string {
  const from = events.findLastIndex(event => event.type === 'restart') + 1;
  return events.slice(from).map(event => (event.type === 'text' ? event.text : '')).join('');
}
