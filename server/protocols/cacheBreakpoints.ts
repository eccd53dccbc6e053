import type { CacheBreakpoint, ContentPart, ConversationRequest, Message, ToolDefinition } from '../api/conversation.ts';
import { oncePerList } from './toolLists.ts';

/** Smaller prompts are not cached by any model of Anthropic's, so a mark would have no effect. Source: its prompt caching guide. */
const smallestCachedTokens = 1024;
const mark: CacheBreakpoint = '5m';

/**
 * Marks where Anthropic may cache the prompt, for callers who cannot: after the last tool, after the instructions, and
 * after the last two turns of the user. What changes least stands first there (tools, system, messages), so each mark
 * is found again by the next request of the conversation: the older user turn is what the request before ended with.
 * That makes four marks, which is as many as are accepted. A request that has a mark already, or is too small to be
 * cached, is given back as it is.
 *
 * @param estimatedInputTokens of the whole prompt
 */
export function withCacheBreakpoints(request: ConversationRequest, estimatedInputTokens: number): ConversationRequest {
  if (estimatedInputTokens < smallestCachedTokens || hasBreakpoint(request)) return request;
  const userTurns = lastTwoUserTurns(request.messages);
  return {
    ...request,
    tools: markLastTool(request.tools),
    system: markLast(request.system, part => ({ ...part, cache: mark }), part => part.text.trim() !== ''),
    messages: request.messages.map((message, index) => (userTurns.has(index)
      ? { ...message, content: markLast(message.content, part => ({ ...part, cache: mark }), canBeMarked) }
      : message)),
  };
}

const markLastTool = oncePerList((tools: ToolDefinition[]): ToolDefinition[] => markLast(tools, tool => ({ ...tool, cache: mark })));

function hasBreakpoint({ system, tools, messages }: ConversationRequest): boolean {
  return system.some(part => part.cache !== undefined) || tools.some(tool => tool.cache !== undefined)
    || messages.some(message => message.content.some(part => 'cache' in part && part.cache !== undefined));
}

/** Indexes of the messages that end the last two runs of user messages, which the provider sees as two turns. */
function lastTwoUserTurns(messages: readonly Message[]): Set<number> {
  const ends = new Set<number>();
  let within = false;
  for (let index = messages.length - 1; index >= 0 && ends.size < 2; index -= 1) {
    const message = messages[index];
    if (message === undefined || message.role === 'assistant') {
      within = false;
      continue;
    }
    if (!within && message.role === 'user' && message.content.some(canBeMarked)) {
      ends.add(index);
      within = true;
    }
  }
  return ends;
}

type Markable = Exclude<ContentPart, { type: 'thinking' | 'refusal' }>;

/** Empty text is not sent, and reasoning cannot be marked. */
function canBeMarked(part: ContentPart): part is Markable {
  return part.type !== 'thinking' && part.type !== 'refusal' && (part.type !== 'text' || part.text.trim() !== '');
}

function markLast<Entry, Marked extends Entry>(list: readonly Entry[], marked: (entry: Marked) => Entry, fits: (entry: Entry) => entry is Marked): Entry[];
function markLast<Entry>(list: readonly Entry[], marked: (entry: Entry) => Entry, fits?: (entry: Entry) => boolean): Entry[];
function markLast<Entry>(list: readonly Entry[], marked: (entry: Entry) => Entry, fits: (entry: Entry) => boolean = () => true): Entry[] {
  const last = list.findLastIndex(fits);
  return list.map((entry, index) => (index === last ? marked(entry) : entry));
}
