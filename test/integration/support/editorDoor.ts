import { PassThrough } from 'node:stream';
import { createMessageConnection, CancellationTokenSource, StreamMessageReader, StreamMessageWriter, type MessageConnection } from 'vscode-jsonrpc/node';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import {
  chatEventsNotification, chatRequest, noticeNotification,
  type ChatEvent, type ChatEventsParams, type ChatParams, type ChatResult, type NoticeParams,
} from '../../../server/api/messages.ts';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import { LspServer } from '../../../server/inbound/lsp/lspServer.ts';
import type { RouterProcess } from '../../../server/app/routerProcess.ts';
import { askServer, listenTo } from './typedMessages.ts';

/** What the editor saw of one chat turn. */
export interface EditorTurn { events: ChatEvent[]; result: ChatResult }

/** The editor's end of a connection to a server in this process: the same messages, over streams in memory. */
export class EditorDoor {
  readonly connection: MessageConnection;
  readonly notices: NoticeParams[] = [];
  /** The questions that the reader received. */
  readonly questions: string[] = [];
  /** Whether the reader presses the button under a question. */
  saysYes = false;
  #running = new Map<string, ChatEvent[]>();
  /** Called at a turn's first words, by the turn's id. */
  #watched = new Map<string, () => void>();
  #turns = 0;
  #inbound: LspServer;

  constructor(testRouter: RouterProcess) {
    const toServer = new PassThrough();
    const toEditor = new PassThrough();
    const server = createConnection(ProposedFeatures.all, new StreamMessageReader(toServer), new StreamMessageWriter(toEditor));
    server.onInitialize(() => ({ capabilities: {} }));
    this.#inbound = new LspServer({
      connection: server, router: testRouter.router, tools: testRouter.tools, simulation: { addressed: endpoints => Promise.resolve({ endpoints, problems: [] }), endOthers: () => Promise.resolve() },
      localEndpoint: { status: () => testRouter.port.status, listen: () => undefined, check: () => testRouter.port.check() },
    });
    server.listen();
    this.connection = createMessageConnection(new StreamMessageReader(toEditor), new StreamMessageWriter(toServer));
    listenTo(this.connection, chatEventsNotification, ({ id, events }: ChatEventsParams) => {
      this.#running.get(id)?.push(...events);
      if (!events.some(event => event.type === 'text')) return;
      this.#watched.get(id)?.();
      this.#watched.delete(id);
    });
    this.connection.onRequest('window/showMessageRequest', ({ message, actions }: { message: string; actions?: { title: string }[] }) => {
      this.questions.push(message);
      return this.saysYes ? actions?.[0] ?? null : null;
    });
    listenTo(this.connection, noticeNotification, (notice: NoticeParams) => void this.notices.push(notice));
    this.connection.listen();
  }

  async open(): Promise<void> {
    await this.connection.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {} });
  }

  /** One chat turn to its end. @param onFirst called when the first words are here */
  async chat(wanted: string, conversation: ConversationRequest, cancel?: CancellationTokenSource, onFirst?: () => void): Promise<EditorTurn> {
    const id = `turn-${this.#turns += 1}`;
    const events: ChatEvent[] = [];
    this.#running.set(id, events);
    const params: ChatParams = { id, requestedModel: wanted, conversation, caller: { tool: 'vscode-chat', purpose: 'chat' } };
    if (onFirst !== undefined) this.#watched.set(id, onFirst);
    const result: ChatResult = await askServer(this.connection, chatRequest, params, (cancel ?? new CancellationTokenSource()).token);
    return { events, result };
  }

  close(): void {
    this.#inbound.close();
    this.connection.dispose();
  }
}
