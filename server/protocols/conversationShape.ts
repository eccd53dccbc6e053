import type { ContentPart, ConversationRequest, Message, ProtocolName, TextPart, ThinkingPart, ToolCallPart } from '../api/conversation.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';

/**
 * Whether the opaque part of a piece of reasoning may be sent to a target: it must have been made by that very
 * target, or come from a caller who speaks the target's protocol and is trusted to know (then the maker is
 * written as the protocol's name). Reasoning without a signature has no origin: it is never sent as signed.
 */
export function maySendOpaque(part: ThinkingPart | ToolCallPart, protocol: ProtocolName, origin: string): boolean {
  return part.origin !== undefined && (part.origin === origin || part.origin === protocol);
}

/**
 * Whether reasoning may be sent as plain text: it is the target's own or its protocol's, or it is unsigned.
 */
export function textIsAtHome(part: ThinkingPart, protocol: ProtocolName, origin: string): boolean {
  return part.origin === undefined || part.origin === origin || part.origin === protocol;
}

/** Joins neighbours of the same role, and drops messages that hold nothing. */
export function mergeNeighbours(messages: readonly Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    if (message.content.length === 0) continue;
    const last = merged.at(-1);
    if (last?.role === message.role) last.content.push(...message.content);
    else merged.push({ role: message.role, content: [...message.content] });
  }
  return merged;
}

/** The text of text parts only, joined. */
export function joinedText(parts: readonly ContentPart[], separator: string): string {
  return parts.filter((part): part is TextPart => part.type === 'text').map((part) => part.text).join(separator);
}

/**
 * Claude Code begins its system prompt with an attribution line that only Anthropic reads and that changes with
 * every request: at another provider it costs tokens and breaks the prompt cache.
 */
export function withoutAttribution(system: readonly TextPart[]): TextPart[] {
  const kept: TextPart[] = [];
  for (const part of system) {
    if (!part.text.startsWith('x-anthropic-billing-header:')) {
      kept.push(part);
      continue;
    }
    const lineEnd = part.text.indexOf('\n');
    const rest = lineEnd === -1 ? '' : part.text.slice(lineEnd + 1).trimStart();
    if (rest !== '') kept.push({ ...part, text: rest });
  }
  return kept;
}

/** The text of a failed tool result, for protocols without a flag for it: without a mark the model takes it for a success. */
export function failureText(text: string): string {
  if (/^\s*error\b/i.test(text)) return text;
  return text === '' ? 'Error' : `Error: ${text}`;
}

/** The tools of a request body: those of the list, and after them the hosted tools of the body's own protocol. */
export function withHostedTools(tools: JsonValue[], { hostedTools = [] }: Pick<ConversationRequest, 'hostedTools'>, protocol: ProtocolName, written = (definition: JsonObject): JsonObject => definition): JsonValue[] {
  const own = hostedTools.filter((hosted) => hosted.protocol === protocol);
  return own.length === 0 ? tools : [...tools, ...own.map(({ definition }) => written(definition as JsonObject))];
}

/** Answers are translated one at a time: a request for several goes to targets of its own protocol only. */
export function severalAnswers(count: unknown): { reason: string } | undefined {
  return typeof count === 'number' && count > 1 ? { reason: `${count} answers at once are asked for` } : undefined;
}
