import type { CancellationToken } from 'vscode-languageserver';
import { chatEventsHandledNotification, chatEventsNotification, chatRequest, type ChatParams, type ChatResult } from '../../../api/messages.ts';
import { KeptHistories } from '../../../api/keptHistories.ts';
import { keptCaller, modelNameProblem } from '../../../base/names.ts';
import { conversationBody, type ExchangeFailure } from '../../../exchange/request.ts';
import { sumUsage } from '../../../pricing/sums.ts';
import { chatResult, LspSink, refusedChat } from '../lspSink.ts';
import { requirementsOf } from '../requirements.ts';
import type { FeatureContext, LspFeature } from './feature.ts';

const patienceMs = 45_000;

/** Chats that run, by the id the client chose. */
type RunningChats = Map<string, LspSink>;

/** Chat turns of the editor: events as notifications, the outcome as the request's result. */
export const chatFeature: LspFeature = {
  name: 'chat',
  register(context) {
    const running: RunningChats = new Map();
    const histories = new KeptHistories();
    context.editor.onRequest(chatRequest, (params, token) => {
      const conversation = histories.whole(params);
      if (conversation === undefined) return { ...refusedChat(context.router.newId(), 'The server does not have the conversation: send the message again.'), resend: true as const };
      const result = chat(context, running, { ...params, conversation }, token);
      // The first attempt has been sent by now.
      histories.keep(params.id, conversation, params.continues?.id);
      return result;
    });
    // An acknowledgement may cross the end of its chat.
    context.editor.onNotification(chatEventsHandledNotification, ({ id, acknowledge }) => running.get(id)?.acknowledged(acknowledge));
    return undefined;
  },
};

function chat({ editor, router }: FeatureContext, running: RunningChats, params: ChatParams, token: CancellationToken): Promise<ChatResult> {
  const { id, requestedModel, conversation, caller, flowControl } = params;
  const nameProblem = modelNameProblem(requestedModel);
  if (nameProblem !== undefined) return Promise.resolve(refusedChat(router.newId(), nameProblem));
  return new Promise((resolve, reject) => {
    const sink = new LspSink({
      send: (events, acknowledge) => editor.notify(chatEventsNotification, acknowledge === undefined ? { id, events } : { id, events, acknowledge }),
      ask: (message, accept, decline, instead) => editor.confirm(message, accept, decline, instead),
      ended: failure => finish(failure),
      flowControl: flowControl === true,
    });
    let finished = false;
    const finish = (failure: ExchangeFailure | undefined): void => {
      if (finished) return;
      finished = true;
      release();
      // The receipt is complete once the call that ends the sink has returned.
      queueMicrotask(() => {
        try {
          resolve({ ...chatResult(exchange.receipt, failure), usage: sumUsage(exchange.receipt.attempts) });
        } catch (error) {
          reject(error as Error);
        }
      });
    };
    const exchange = router.create({
      id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel, stream: true, caller: keptCaller(caller),
      requirements: requirementsOf(conversation), body: conversationBody(conversation), patienceMs,
    }, sink);
    running.set(id, sink);
    const registration = token.onCancellationRequested(() => {
      exchange.cancel();
      sink.close();
      finish(undefined);
    });
    const release = (): void => {
      registration.dispose();
      // A client may use an id again as soon as its chat has ended.
      if (running.get(id) === sink) running.delete(id);
    };
    try {
      exchange.start();
    } catch (error) {
      release();
      exchange.cancel();
      throw error;
    }
  });
}
