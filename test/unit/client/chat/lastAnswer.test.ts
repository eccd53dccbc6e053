import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import type { ChatParams, ChatResult } from '../../../../server/api/messages.ts';

/** An editor without folders and without Git. */
const editor = `data:text/javascript,
export class EventEmitter { dispose() {} }
export class CancellationTokenSource { token = {}; cancel() {} dispose() {} }
export const workspace = {}; export const extensions = { getExtension: () => undefined };
export const commands = { executeCommand: async (name, id) => { globalThis.opened = id; } };
export const QuickPickItemKind = {}; export const LanguageModelChatMessageRole = { User: 1, Assistant: 2 };`.replaceAll('\n', '');

const hooks = registerHooks({ resolve: (name, context, next) => (name === 'vscode' ? { url: editor, shortCircuit: true } : next(name, context)) });
const { ChatProvider } = await import('../../../../client/chat/chatProvider.ts');
const { lastChatReceipt } = await import('../../../../client/commands/requests/requestCommands.ts');
hooks.deregister();

const nothing = () => undefined;

/** A chat whose exchanges end as they are told to, one after the other. */
function chatOf(results: readonly (Pick<ChatResult, 'exchangeId' | 'outcome'> & { by?: string; small?: boolean })[]) {
  const left = [...results];
  const server = {
    onDidChangeStatus: () => ({ dispose: nothing }),
    chat: (_: ChatParams) => {
      const { exchangeId, outcome } = left[0] ?? assert.fail();
      return Promise.resolve({ exchangeId, outcome, attempts: 1, usage: {}, cost: { certainty: 'unknown' } });
    },
  };
  const configuration = { settings: { shownModels: 'all', blockedExtensions: [] }, onDidChange: () => ({ dispose: nothing }) };
  const chat = new ChatProvider(server as never, configuration as never, { get: nothing, update: () => Promise.resolve() } as never, { keep: nothing });
  const ask = async (): Promise<void> => {
    const { by, small } = left[0] ?? assert.fail();
    const options = { requestInitiator: by ?? 'core', modelOptions: small === true ? {} : { _conversationId: 'c' } };
    // What the person reads where a turn gave no answer is not of interest here.
    await chat.provideLanguageModelChatResponse({ id: 'best' } as never, [], options as never, { report: nothing }, { isCancellationRequested: false, onCancellationRequested: () => ({ dispose: nothing }) } as never).catch(nothing);
    left.shift();
  };
  return { chat, ask, left };
}

describe('the last answer of the chat', () => {
  it('stays the last one while turns are stopped or fail, and others ask', async () => {
    const { chat, ask, left } = chatOf([
      { exchangeId: 'first', outcome: 'ok' },
      { exchangeId: '', outcome: 'cancelled' },
      { exchangeId: 'x1', outcome: 'failed' },
      { exchangeId: 'x2', outcome: 'ok', by: 'acme.helper' },
      { exchangeId: 'x3', outcome: 'ok', small: true },
      { exchangeId: 'second', outcome: 'ok' },
    ]);
    const last: (string | undefined)[] = [];
    while (left.length > 0) {
      await ask();
      last.push(chat.lastAnswer);
    }
    assert.deepEqual(last, ['first', 'first', 'first', 'first', 'first', 'second']);
  });

  it('is looked for among the answers of the workspace while this window has none', async () => {
    const searched: unknown[] = [];
    const server = { findRequests: ({ filter }: { filter: { outcome?: string } }) => {
      searched.push(filter);
      return Promise.resolve({ requests: [{ id: filter.outcome === 'ok' ? 'answered' : 'failed', caller: { tool: 'vscode-chat', purpose: 'chat' } }] });
    } };
    await lastChatReceipt({ server } as never, { lastAnswer: undefined });
    assert.equal((globalThis as { opened?: string }).opened, 'answered');
  });
});
