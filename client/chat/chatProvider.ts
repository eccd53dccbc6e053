import * as vscode from 'vscode';
import type { OfferedModel } from '../../server/api/status.ts';
import { messageOf, plainError } from '../base/errors.ts';
import { callerFrom, refusalOf } from './caller.ts';
import { currentBranch } from './gitBranch.ts';
import { chatProblem, isChatAnswer } from './chatOutcome.ts';
import { conversationFrom } from './conversationFrom.ts';
import type { ConversationTitles } from './conversationTitles.ts';
import { readKeptModels, sameModels, shownModels, wantedName } from './offeredModels.ts';
import type { ShownModel } from './offeredModels.ts';
import { promptTokens } from '../../server/api/usage.ts';
import { ResponseAssembler } from './responseParts.ts';
import type { ResponsePart } from './responseParts.ts';
import { TokenEstimator } from './tokenEstimate.ts';
import type { Configuration } from '../settings/configuration.ts';
import { asksForGroup, pickerModel, requestExtras, thinkingPartConstructor } from './hostExtras.ts';
import type { PickerModel, ThinkingPartConstructor } from './hostExtras.ts';
import type { WaybillServer } from '../server/waybillServer.ts';

const keptModelsKey = 'offeredModels';

/**
 * Waybill as a provider of chat models: what VS Code's own chat, its agent mode and every extension that uses
 * `vscode.lm` talk to. The list of models is answered from memory; requests go through the server.
 */
export class ChatProvider implements vscode.LanguageModelChatProvider<PickerModel>, vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #configuration: Configuration;
  readonly #memory: vscode.Memento;
  readonly #titles: Pick<ConversationTitles, 'keep'>;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #estimator = new TokenEstimator();
  readonly #thinkingPart: ThinkingPartConstructor | undefined = thinkingPartConstructor(vscode);
  readonly #subscriptions: vscode.Disposable[];
  /** The last known offer, from this session or the one before. */
  #offered: readonly OfferedModel[];
  #shown: ShownModel[];
  #chats = 0;
  /** The exchange of the last whole answer that a person saw in the chat. */
  #lastAnswer: string | undefined;

  constructor(server: WaybillServer, configuration: Configuration, memory: vscode.Memento, titles: Pick<ConversationTitles, 'keep'>) {
    this.#titles = titles;
    this.#server = server;
    this.#configuration = configuration;
    this.#memory = memory;
    this.#offered = server.status?.offered ?? readKeptModels(memory.get(keptModelsKey));
    this.#shown = shownModels(this.#offered, configuration.settings.shownModels);
    this.#subscriptions = [
      server.onDidChangeStatus(status => {
        this.#offered = status.offered;
        this.#refresh();
      }),
      configuration.onDidChange(() => { this.#refresh(); }),
    ];
  }

  /** The id of the request that the last answer of a chat in this window came from; undefined: none yet. */
  get lastAnswer(): string | undefined { return this.#lastAnswer; }

  get onDidChangeLanguageModelChatInformation(): vscode.Event<void> { return this.#changed.event; }

  /** Registers with the editor where it has such providers; undefined where it has not. */
  register(): vscode.Disposable | undefined {
    const host: { registerLanguageModelChatProvider?: typeof vscode.lm.registerLanguageModelChatProvider } | undefined = vscode.lm;
    return host?.registerLanguageModelChatProvider?.('waybill', this);
  }

  provideLanguageModelChatInformation(options: vscode.PrepareLanguageModelChatModelOptions): PickerModel[] {
    if (asksForGroup(options)) return [];
    return this.#shown.map(model => pickerModel(model, id => new vscode.ThemeIcon(id)));
  }

  async provideLanguageModelChatResponse(
    model: PickerModel,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const extras = requestExtras(options);
    const tools = options.tools ?? [];
    const assembler = new ResponseAssembler();
    const wanted = wantedName(model.id, this.#offered);
    const broken = new vscode.CancellationTokenSource();
    const caller = token.onCancellationRequested(() => { broken.cancel(); });
    let brokenBy: unknown;
    try {
      const conversation = conversationFrom(messages, { ...options, modelConfiguration: extras.modelConfiguration });
      const from = callerFrom({ requestInitiator: extras.requestInitiator, modelOptions: options.modelOptions, tools }, vscode.workspace.workspaceFolders?.[0]?.name, currentBranch());
      const refusal = refusalOf(from.extension, this.#configuration.settings.blockedExtensions);
      if (refusal !== undefined) throw plainError(refusal);
      this.#titles.keep(from.conversation, conversation);
      const result = await this.#server.chat(
        { id: `chat-${String(++this.#chats)}`, requestedModel: wanted, conversation, caller: from },
        events => {
          if (brokenBy !== undefined || token.isCancellationRequested) return;
          try {
            for (const event of events) for (const part of assembler.accept(event)) this.#report(part, progress);
          } catch (error) {
            // The remaining answer is of no use; the provider need not write it.
            brokenBy = error;
            broken.cancel();
          }
        },
        token.isCancellationRequested ? token : broken.token,
      );
      if (isChatAnswer(from, result.outcome)) this.#lastAnswer = result.exchangeId;
      if (token.isCancellationRequested) return;
      if (brokenBy !== undefined) throw plainError(messageOf(brokenBy));
      for (const part of assembler.end(result.usage)) this.#report(part, progress);
      const prompt = promptTokens(assembler.usage);
      if (prompt !== undefined && result.outcome === 'ok') {
        this.#estimator.learn(model.id, this.#estimator.promptWeight(messages, tools), prompt);
      }
      const problem = chatProblem(result, assembler.shown, assembler.stopReason);
      if (problem !== undefined) throw plainError(problem);
    } catch (error) {
      if (token.isCancellationRequested) return;
      throw plainError(messageOf(error));
    } finally {
      caller.dispose();
      broken.dispose();
    }
  }

  provideTokenCount(model: PickerModel, text: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
    return Promise.resolve(typeof text === 'string' ? this.#estimator.text(model.id, text) : this.#estimator.message(model.id, text));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  #refresh(): void {
    const shown = shownModels(this.#offered, this.#configuration.settings.shownModels);
    if (sameModels(shown, this.#shown)) return;
    this.#shown = shown;
    this.#changed.fire();
    void this.#memory.update(keptModelsKey, this.#offered);
  }

  #report(part: ResponsePart, progress: vscode.Progress<vscode.LanguageModelResponsePart>): void {
    switch (part.kind) {
      case 'text':
        progress.report(new vscode.LanguageModelTextPart(part.text));
        return;
      case 'tool-call':
        progress.report(new vscode.LanguageModelToolCallPart(part.callId, part.name, part.input));
        return;
      case 'usage':
        progress.report(new vscode.LanguageModelDataPart(new TextEncoder().encode(part.json), 'usage'));
        return;
      case 'thinking':
        this.#reportThinking(part.text, '', undefined, progress);
        return;
      case 'thinking-done':
        this.#reportThinking('', '', part.metadata, progress);
        return;
    }
  }

  #reportThinking(text: string, id: string, metadata: Record<string, unknown> | undefined, progress: vscode.Progress<vscode.LanguageModelResponsePart>): void {
    if (this.#thinkingPart === undefined) return;
    progress.report(new this.#thinkingPart(text, id, metadata) as vscode.LanguageModelResponsePart);
  }
}
