import type { ConversationRequest, Message, TextPart, ToolDefinition } from './conversation.ts';
import { jsonLength } from './jsonLength.ts';

/** What a chat takes over from an earlier chat of the same connection, so that it is not sent again. */
export interface ContinuedHistory {
  /** The id of the earlier chat. */
  id: string;
  /** How many of its messages, from the first on, come before those of the new one. */
  messages: number;
  /** The leading instructions are its own. */
  system?: true | undefined;
  /** The tools are its own. */
  tools?: true | undefined;
}

/** A conversation as it is sent: what `continues` names is left out of it. */
export interface SentConversation {
  conversation: ConversationRequest;
  continues?: ContinuedHistory | undefined;
}

/** A shorter history is sent faster than it is looked up. In characters of JSON, roughly. */
export const shortestKept = 16 * 1024;
/** All kept histories together, in characters of JSON, roughly. */
export const mostKeptCharacters = 8 * 1024 * 1024;
/** An agent and some chats beside it. */
const mostKept = 4;

interface KeptHistory {
  system: readonly TextPart[];
  messages: readonly Message[];
  tools: readonly ToolDefinition[];
  characters: number;
}

/**
 * The long conversations that went over one connection last. An editor sends the whole conversation with each turn; with this on
 * both sides, a turn sends what the turns before did not. Both sides keep the same chats in the same order under the same bounds;
 * a server that misses one nevertheless says so.
 */
export class KeptHistories {
  /** The one that was used last is the last. */
  readonly #kept = new Map<string, KeptHistory>();
  #characters = 0;

  /** Leaves out of a conversation what the other side has, where that is long enough to be worth it. */
  shorten(conversation: ConversationRequest): SentConversation {
    let continues: ContinuedHistory | undefined;
    for (const [id, kept] of this.#kept) {
      const messages = commonStart(kept.messages, conversation.messages);
      if (messages > (continues?.messages ?? 0)) continues = { id, messages, ...(isSame(kept.system, conversation.system) ? { system: true } : {}), ...(isSame(kept.tools, conversation.tools) ? { tools: true } : {}) };
    }
    if (continues === undefined) return { conversation };
    return {
      conversation: {
        ...conversation, messages: conversation.messages.slice(continues.messages),
        ...(continues.system === true ? { system: [] } : {}), ...(continues.tools === true ? { tools: [] } : {}),
      },
      continues,
    };
  }

  /** The whole of a conversation that was shortened; undefined where the chat that it continues is not known. */
  whole({ conversation, continues }: SentConversation): ConversationRequest | undefined {
    if (continues === undefined) return conversation;
    const kept = this.#kept.get(continues.id);
    // The number comes from another process, so it can be of another type.
    if (kept === undefined || !Number.isInteger(continues.messages) || continues.messages < 0 || continues.messages > kept.messages.length) return undefined;
    return {
      ...conversation, messages: [...kept.messages.slice(0, continues.messages), ...conversation.messages],
      ...(continues.system === true ? { system: [...kept.system] } : {}), ...(continues.tools === true ? { tools: [...kept.tools] } : {}),
    };
  }

  /** Keeps a whole conversation in place of the one that it continues. Must not be changed afterwards. */
  keep(id: string, { system, messages, tools }: ConversationRequest, continued: string | undefined): void {
    this.#forget(id);
    if (continued !== undefined) this.#forget(continued);
    const characters = jsonLength(system) + jsonLength(messages) + jsonLength(tools);
    if (characters < shortestKept || characters > mostKeptCharacters) return;
    this.#kept.set(id, { system, messages, tools, characters });
    this.#characters += characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept && this.#characters <= mostKeptCharacters) break;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    this.#characters -= this.#kept.get(id)?.characters ?? 0;
    this.#kept.delete(id);
  }
}

function commonStart(left: readonly unknown[], right: readonly unknown[]): number {
  let index = 0;
  while (index < left.length && index < right.length && isSame(left[index], right[index])) index++;
  return index;
}

/** Whether two values of plain data have the same JSON; the order of fields counts, since it is kept on the way to a provider. */
function isSame(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right;
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && left.length === right.length && commonStart(left, right) === left.length;
  }
  if (!isPlain(left) || !isPlain(right)) return false;
  const names = Object.keys(left);
  const otherNames = Object.keys(right);
  if (names.length !== otherNames.length) return false;
  return names.every((name, index) => otherNames[index] === name && isSame(left[name], right[name]));
}

/** Objects of classes can have a JSON of their own. */
function isPlain(value: object): value is Record<string, unknown> {
  return Object.getPrototypeOf(value) === Object.prototype;
}
