import type { CancellationToken, Connection } from 'vscode-languageserver';
import type { ConversationRequest } from '../../api/conversation.ts';
import {
  catalogMethod, chatEventsMethod, chatMethod, configureMethod, connectedToolsMethod, connectToolMethod, disconnectToolMethod, getStatusMethod, noticeMethod, probeMethod, receiptMethod, requestsMethod, retryEndpointMethod, spendMethod,
  statusMethod, testEndpointMethod,
  type CatalogResult, type ChatParams, type ChatResult, type ConfigureParams, type ConfigureResult, type ConnectedToolsResult, type ConnectToolParams,
  type ConnectToolResult, type DisconnectToolParams, type ProbeParams, type ProbeReport, type ReceiptParams,
  type ReceiptResult, type RequestsParams, type RequestsResult, type RetryEndpointResult, type SpendParams, type SpendResult, type StatusParams, type TestEndpointParams,
  type TestEndpointResult,
} from '../../api/messages.ts';
import {
  startDrillMethod, stopDrillMethod, resilienceReportMethod,
  type StartDrillParams, type StartDrillResult, type StopDrillParams, type StopDrillResult, type ResilienceReportResult,
} from '../../api/drill.ts';
import { textTokens, tokensPerImage } from '../../api/tokenEstimate.ts';
import type { HttpStatus } from '../../api/status.ts';
import { WaybillError } from '../../base/failure.ts';
import { tokenLimit } from '../../base/figures.ts';
import { Guard } from '../../base/guarded.ts';
import { keptCaller, keptLabel, modelNameProblem } from '../../base/names.ts';
import type { KeyMaterial } from '../../api/messages.ts';
import { providerOffers } from '../../catalog/offers.ts';
import { findProvider, providers } from '../../catalog/providers.ts';
import type { ResolveOptions } from '../../config/resolveOptions.ts';
import { supportedProtocols } from '../../protocols/registry.ts';
import type { Requirements } from '../../routing/plan.ts';
import type { ExchangeFailure } from '../../exchange/request.ts';
import type { Router } from '../../router/router.ts';
import type { TestedKeys } from '../../router/testEndpoint.ts';
import { sumUsage } from '../../pricing/sums.ts';
import { chatResult, LspSink, refusedChat } from './lspSink.ts';
import { StatusSender } from './statusSender.ts';

export interface LspServerOptions {
  connection: Connection;
  router: Router;
  http(): HttpStatus;
  /** Starts or stops the local HTTP endpoint. */
  listen(port: number | undefined): void;
  /** Tries to listen again, and finds out who holds the port. */
  checkPort(): Promise<HttpStatus>;
  /** The tokens of single tools. */
  tools: { connect(tool: string): string; disconnect(tool: string): void; names(): string[] };
}

const resolveOptions: ResolveOptions = { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' };
const patienceMs = 45_000;

/** The language server's door: chat and the editor's questions about state, spend and receipts. */
export class LspServer {
  #options: LspServerOptions;
  #status: StatusSender;
  /** The connection refuses messages once the editor is gone; what was to be said then has no reader. */
  readonly #messages: Guard;

  constructor(options: LspServerOptions) {
    this.#options = options;
    const { connection, router } = options;
    this.#messages = new Guard('A message to the editor', router.log);
    this.#status = new StatusSender(() => router.status(options.http()), snapshot => this.#notify(statusMethod, snapshot), router.log);
    router.onChange(() => { this.#status.changed(); });
    router.onNotice(notice => { this.#notify(noticeMethod, notice); });
    connection.onRequest(configureMethod, (params: ConfigureParams) => this.#configure(params));
    connection.onRequest(chatMethod, (params: ChatParams, token: CancellationToken) => this.#chat(params, token));
    connection.onRequest(testEndpointMethod, (params: TestEndpointParams, token: CancellationToken) => this.#test(params, token));
    connection.onRequest(probeMethod, (params: ProbeParams): Promise<ProbeReport> => router.probe(params.endpoint));
    connection.onRequest(getStatusMethod, (): StatusParams => router.status(options.http()));
    connection.onRequest(spendMethod, (params: SpendParams): Promise<SpendResult> => router.spend(params.range));
    connection.onRequest(requestsMethod, (params: RequestsParams): Promise<RequestsResult> => router.recent(params.limit, params.before));
    connection.onRequest(receiptMethod, async (params: ReceiptParams): Promise<ReceiptResult> => await router.receipt(params.id) ?? null);
    connection.onRequest(catalogMethod, (): CatalogResult => providerOffers());
    connection.onRequest(connectToolMethod, ({ tool }: ConnectToolParams) => this.#connectTool(tool));
    connection.onRequest(retryEndpointMethod, (): Promise<RetryEndpointResult> => options.checkPort());
    connection.onRequest(disconnectToolMethod, ({ tool }: DisconnectToolParams) => {
      const known = options.tools.names().includes(tool);
      options.tools.disconnect(tool);
      if (known) router.log.info(`The token of the tool ${tool} was revoked.`);
    });
    connection.onRequest(startDrillMethod, (params: StartDrillParams): StartDrillResult => this.#startDrill(params));
    connection.onRequest(stopDrillMethod, (params: StopDrillParams): StopDrillResult => router.drills.stop(params.id));
    connection.onRequest(resilienceReportMethod, (): ResilienceReportResult => router.drills.report());
    connection.onRequest(connectedToolsMethod, (): ConnectedToolsResult => options.tools.names());
  }

  /** The HTTP endpoint's state changed. */
  httpChanged(): void {
    this.#status.changed();
  }

  /** The state is no longer told: to be called before the house is closed, whose ledger every snapshot reads. */
  close(): void {
    this.#status.stop();
  }

  #notify(method: string, params: unknown): void {
    this.#messages.start(() => this.#options.connection.sendNotification(method, params));
  }

  async #configure(params: ConfigureParams): Promise<ConfigureResult> {
    const { resolveConfig } = await import('../../config/resolve.ts');
    const { config, problems } = resolveConfig({ endpoints: params.endpoints, routes: params.routes, aliases: params.aliases }, resolveOptions);
    this.#options.router.configure(config, labelled(params.keys), problems);
    this.#options.listen(params.http.enabled ? params.http.port : undefined);
    return { problems };
  }

  async #test(params: TestEndpointParams, token: CancellationToken): Promise<TestEndpointResult> {
    const { resolveConfig } = await import('../../config/resolve.ts');
    const { config, problems } = resolveConfig({ endpoints: { [params.name]: params.settings }, routes: {} }, resolveOptions);
    const endpoint = config.endpoints.get(params.name);
    if (endpoint === undefined) return { ok: false, failureClass: 'bad-request', message: problems[0]?.message ?? 'The endpoint is not complete.', models: [] };
    const aborter = new AbortController();
    const registration = token.onCancellationRequested(() => aborter.abort());
    try {
      return await this.#options.router.testEndpoint(endpoint, testedKeys(params), aborter.signal);
    } finally {
      registration.dispose();
    }
  }

  /** A token is given out only for an address at which a Waybill has just been found. */
  async #connectTool(tool: string): Promise<ConnectToolResult> {
    const { state, url, message } = await this.#options.checkPort();
    if (url === undefined && state !== 'off') throw new Error(message ?? 'The local endpoint is not open yet; try again in a moment.');
    const { tools, router } = this.#options;
    const known = tools.names().includes(tool);
    const token = tools.connect(tool);
    router.log.info(`The tool ${tool} ${known ? 'asked for its token' : 'got a token of its own'}.`);
    return { token, url };
  }

  #startDrill(params: StartDrillParams): StartDrillResult {
    try {
      return { drill: this.#options.router.drills.start(params) };
    } catch (error) {
      if (error instanceof WaybillError) return { refused: error.message };
      throw error;
    }
  }

  #chat(params: ChatParams, token: CancellationToken): Promise<ChatResult> {
    const { router, connection } = this.#options;
    const nameProblem = modelNameProblem(params.requestedModel);
    if (nameProblem !== undefined) return Promise.resolve(refusedChat(router.newId(), nameProblem));
    return new Promise((resolve, reject) => {
      const conversation = params.conversation;
      const caller = new LspSink(
        events => this.#notify(chatEventsMethod, { id: params.id, events }),
        async (message, accept) => {
          const answer = await connection.window.showWarningMessage(message, { title: accept }, { title: 'Keep the Refusal' }).catch((error: unknown) => {
            this.#messages.failed(error);
          });
          return answer?.title === accept;
        },
        failure => finish(failure),
      );
      let finished = false;
      const finish = (failure: ExchangeFailure | undefined): void => {
        if (finished) return;
        finished = true;
        registration.dispose();
        // The exchange settles right after it has told its caller.
        queueMicrotask(() => {
          try {
            resolve({ ...chatResult(run.receipt, failure), usage: sumUsage(run.receipt.attempts) });
          } catch (error) {
            reject(error as Error);
          }
        });
      };
      const run = router.create({
        id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel: params.requestedModel, stream: true, caller: keptCaller(params.caller),
        requirements: requirementsOf(conversation), conversation: () => conversation, protocolHeaders: {}, includeUsage: true, patienceMs,
        thinkingAsked: conversation.reasoning !== undefined && conversation.reasoning.effort !== 'none',
      }, caller);
      const registration = token.onCancellationRequested(() => {
        run.cancel();
        finish(undefined);
      });
      try {
        run.start();
      } catch (error) {
        registration.dispose();
        run.cancel();
        throw error;
      }
    });
  }
}

/** A key that was typed for the test wins over those that the endpoint has. */
function testedKeys({ secret, keyId }: TestEndpointParams): TestedKeys {
  return secret === undefined ? { kind: 'configured', keyId } : { kind: 'typed', secret };
}

/** Keys by endpoint, with labels of bounded length. */
function labelled(keys: ConfigureParams['keys']): Map<string, KeyMaterial[]> {
  return new Map(Object.entries(keys).map(([endpoint, materials]) => [endpoint, materials.map(key => ({ ...key, label: keptLabel(key.label) ?? 'key' }))]));
}

/** What a conversation of the editor needs of a target. */
export function requirementsOf(conversation: ConversationRequest): Requirements {
  let chars = 0;
  let images = 0;
  let documents = 0;
  const parts = [...conversation.system, ...conversation.messages.flatMap(message => message.content)];
  for (const part of parts.flatMap(one => (one.type === 'tool-result' ? one.content : [one]))) {
    switch (part.type) {
      case 'text':
      case 'thinking':
      case 'refusal': chars += part.text.length; break;
      case 'tool-call': chars += part.arguments.length; break;
      case 'image': images++; break;
      case 'document': documents++; break;
      default:
    }
  }
  if (conversation.tools.length > 0) chars += JSON.stringify(conversation.tools).length;
  return {
    stream: true,
    tools: conversation.tools.length > 0,
    images: images > 0,
    documents: documents > 0,
    jsonSchema: conversation.responseFormat?.type === 'json-schema',
    thinking: false,
    estimatedInputTokens: textTokens(chars, 'lower') + images * tokensPerImage.lower,
    maxOutputTokens: tokenLimit(conversation.maxOutputTokens),
  };
}
