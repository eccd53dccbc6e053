import type { LanguageModelChatRequestMessage, LanguageModelChatTool } from 'vscode';
import { requestBody } from '../traffic.ts';
import type { EditorHistory } from './editorJobs.ts';
import { LanguageModelTextPart, LanguageModelToolCallPart, LanguageModelToolResultPart } from './vscodeStub.ts';

/** The part of a chat completion request that becomes an editor's turn. */
interface ChatBody {
  messages: { role: string; content: string | null; tool_call_id?: string; tool_calls?: { id: string; function: { name: string; arguments: string } }[] }[];
  tools: { function: { name: string; description: string; parameters: object } }[];
}

export interface EditorTurn {
  messages: LanguageModelChatRequestMessage[];
  tools: LanguageModelChatTool[];
}

const megabyteTools = 40;
const roles = { user: 1, assistant: 2, system: 3 } as const;

const bodies: Record<EditorHistory, string | undefined> = { turn: undefined, megabyte: undefined };

function chatBody(history: EditorHistory): ChatBody {
  const body = JSON.parse(bodies[history] ??= requestBody(history === 'turn' ? 'turn' : 'tools1m', '').toString()) as ChatBody;
  return history === 'turn' ? body : { ...body, tools: body.tools.slice(0, megabyteTools) };
}

/** The same request as bytes for the upstream, which looks for the model at their beginning. */
export function directBody(history: EditorHistory, model: string): Buffer {
  return Buffer.from(JSON.stringify({ ...chatBody(history), model }));
}

/**
 * A turn of a chat as the editor hands it to a provider. Always new objects, as the editor makes them.
 * @param continued the conversation of all turns is one, and only its last message is new
 * @param number of the turn
 */
export function editorTurn(history: EditorHistory, continued: boolean, number: number): EditorTurn {
  const { messages, tools } = chatBody(history);
  const question = { role: 'user', content: `Question ${number}.` };
  messages.splice(continued ? messages.length : 1, 0, question);
  return {
    messages: messages.map(message => ({ name: undefined, ...messageOf(message) }) as LanguageModelChatRequestMessage),
    tools: tools.map(({ function: { name, description, parameters } }) => ({ name, description, inputSchema: parameters })),
  };
}

function messageOf({ role, content, tool_call_id: answered, tool_calls: calls = [] }: ChatBody['messages'][number]): { role: number; content: object[] } {
  if (answered !== undefined) return { role: roles.user, content: [new LanguageModelToolResultPart(answered, [new LanguageModelTextPart(content ?? '')])] };
  return {
    role: role === 'assistant' ? roles.assistant : role === 'system' ? roles.system : roles.user,
    content: [
      ...(content === null ? [] : [new LanguageModelTextPart(content)]),
      ...calls.map(call => new LanguageModelToolCallPart(call.id, call.function.name, JSON.parse(call.function.arguments) as object)),
    ],
  };
}
