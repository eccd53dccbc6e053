import type { ConversationRequest } from '../../server/api/conversation.ts';

const mostKept = 200;
const longestTitle = 60;
/** The editor's own chat puts what a person typed between these. */
const open = '<userRequest>';
const close = '</userRequest>';

/**
 * The first words of conversations of the editor's chat, by which a person tells their requests apart in a list. Kept in the
 * memory of this window alone, and lost with it.
 */
export class ConversationTitles {
  readonly #titles = new Map<string, string>();

  /** Learns the title of a conversation from its first message. */
  keep(conversation: string | undefined, { messages }: Pick<ConversationRequest, 'messages'>): void {
    if (conversation === undefined || this.#titles.has(conversation)) return;
    const title = titleOf(messages);
    if (title === undefined) return;
    this.#titles.set(conversation, title);
    if (this.#titles.size > mostKept) for (const oldest of this.#titles.keys()) { this.#titles.delete(oldest); break; }
  }

  of(conversation: string): string | undefined {
    return this.#titles.get(conversation);
  }
}

/** The first words that a person typed in a conversation, on one line; undefined where there are none. */
export function titleOf(messages: ConversationRequest['messages']): string | undefined {
  for (const { role, content } of messages) {
    if (role !== 'user') continue;
    const text = content.flatMap(part => (part.type === 'text' ? [part.text] : [])).join('\n');
    const from = text.indexOf(open);
    const until = from < 0 ? -1 : text.indexOf(close, from);
    // Context that the editor adds comes in tags of its own.
    const typed = from >= 0 ? text.slice(from + open.length, until < 0 ? undefined : until) : text.trimStart().startsWith('<') ? '' : text;
    const line = typed.slice(0, 4 * longestTitle).replace(/\s+/g, ' ').trim();
    if (line !== '') return line.length <= longestTitle ? line : `${line.slice(0, longestTitle - 1).trimEnd()}…`;
  }
  return undefined;
}
