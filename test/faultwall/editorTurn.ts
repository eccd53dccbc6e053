import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type { ContentPart, ConversationRequest, ProtocolName } from '../../server/api/conversation.ts';
import type { ChatEvent, ChatResult } from '../../server/api/messages.ts';
import type { EditorDoor } from '../integration/support/editorDoor.ts';
import { earlier, lookUp } from './callers/seenAnswer.ts';

/** One turn of the editor's chat and everything the editor received in it. */
export interface EditorTurn { events: ChatEvent[]; result: ChatResult; elapsedMs: number }

export interface EditorQuestion {
  wanted: string;
  prompt: string;
  tools?: boolean | undefined;
  foreignReasoning?: boolean | undefined;
  /** The protocol of the provider that signed the foreign reasoning. */
  origin: ProtocolName;
  signal?: AbortSignal | undefined;
  onFirst?: (() => void) | undefined;
}

/** Asks as the extension does, over the language server's connection. */
export async function askEditor(door: EditorDoor, question: EditorQuestion): Promise<EditorTurn> {
  const cancel = new CancellationTokenSource();
  question.signal?.addEventListener('abort', () => cancel.cancel(), { once: true });
  const startedAt = performance.now();
  const { events, result } = await door.chat(question.wanted, conversationOf(question), cancel, question.onFirst);
  return { events, result, elapsedMs: performance.now() - startedAt };
}

function conversationOf({ prompt, tools, foreignReasoning, origin }: EditorQuestion): ConversationRequest {
  const said: ContentPart[] = [{ type: 'thinking', text: earlier.thought, signature: earlier.signature, encrypted: earlier.signature, itemId: 'rs_elsewhere', origin }, { type: 'text', text: earlier.answer }];
  const before: ConversationRequest['messages'] = foreignReasoning !== true ? [] : [
    { role: 'user', content: [{ type: 'text', text: earlier.question }] }, { role: 'assistant', content: said },
  ];
  return {
    system: [],
    messages: [...before, { role: 'user', content: [{ type: 'text', text: prompt }] }],
    tools: tools === true ? [{ name: lookUp.name, description: lookUp.description, parameters: lookUp.schema }] : [],
  };
}
