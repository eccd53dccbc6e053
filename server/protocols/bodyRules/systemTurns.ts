import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isClaude, takesSystemTurns } from '../anthropicMessages/claudeModels.ts';
import { stringsOfField } from './fieldStrings.ts';
import type { BodyBytes, FitTarget } from './rule.ts';

/*
 * Where instructions may stand. On Chat, MiniMax takes one message of the system, at the beginning (can1357/oh-my-pi#954), and GLM
 * wants a message of the user (anomalyco/opencode#2557). On Messages, turns of the system among the others are known to new models of
 * Anthropic's only, while Claude Code writes them whatever the model is (anthropics/claude-code#77698, QwenLM/Qwen#2244). November 2026.
 */

/** What the user says where nothing else is said. */
const begin = 'Begin.';

/** An instruction in the user's mouth. */
function marked(content: JsonValue | undefined): JsonValue {
  if (typeof content === 'string') return `<system>\n${content}\n</system>`;
  if (!Array.isArray(content)) return '';
  return content.map(part => (isObject(part) && part.type === 'text' && typeof part.text === 'string' && part.text.trim() !== '' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part));
}

function joined(messages: readonly JsonObject[]): JsonObject {
  const [first = {}] = messages;
  const texts = messages.map(({ content }) => content);
  if (texts.every(text => typeof text === 'string')) return { ...first, content: texts.filter(text => text !== '').join('\n\n') };
  return { ...first, content: texts.flatMap(text => (Array.isArray(text) ? text : typeof text === 'string' && text !== '' ? [{ type: 'text', text }] : [])) };
}

const isSystem = (message: JsonValue | undefined): message is JsonObject => isObject(message) && message.role === 'system';

/** Messages of Chat with those of the system where the target takes them. */
export function systemInPlace(messages: readonly JsonValue[], { dialect }: FitTarget, changes: Set<string>): JsonValue[] {
  let fit = [...messages];
  if (dialect.oneSystemMessage === true) {
    const leading = fit.findIndex(message => !isSystem(message));
    const first = fit.slice(0, leading === -1 ? fit.length : leading).filter(isSystem);
    const others = fit.slice(first.length);
    if (first.length > 1) changes.add('instructions were joined to one message');
    if (others.some(isSystem)) changes.add("a later instruction was sent as the user's");
    fit = [...(first.length > 1 ? [joined(first)] : first), ...others.map(message => (isSystem(message) ? { ...message, role: 'user', content: marked(message.content) } : message))];
  }
  if (dialect.userMessageRequired === true && !fit.some(message => isObject(message) && message.role === 'user')) {
    const leading = fit.findIndex(message => !isSystem(message));
    fit.splice(leading === -1 ? fit.length : leading, 0, { role: 'user', content: begin });
    changes.add('a request to begin was added');
  }
  return fit;
}

/** Whether messages of Chat in a caller's bytes may have their instructions where the target does not take them. False is certain. */
export function mayBreakSystemRules(bytes: Buffer, { start, end }: { start: number; end: number }, { dialect }: FitTarget): boolean {
  if (dialect.oneSystemMessage !== true && dialect.userMessageRequired !== true) return false;
  const list = bytes.subarray(start, end);
  let index = 0;
  if (dialect.oneSystemMessage === true && !stringsOfField(list, 'role', role => (index += 1) === 1 || role !== 'system')) return true;
  return dialect.userMessageRequired === true && stringsOfField(list, 'role', role => role !== 'user');
}

/** Whether a Messages request may have turns of the system that its target refuses. False is certain. */
export function mayHaveSystemTurns({ scan: { words } }: BodyBytes, model: string): boolean {
  return words.has('system') && !(isClaude(model) && takesSystemTurns(model));
}

/** Turns of a Messages request with those of the system in the user's mouth; neighbours of one role are taken as one turn. */
export function withoutSystemTurns(messages: readonly JsonValue[], model: string, changes: Set<string>): JsonValue[] {
  if (!messages.some(isSystem) || (isClaude(model) && takesSystemTurns(model))) return [...messages];
  changes.add("a later instruction was sent as the user's");
  return messages.map(message => (isSystem(message) ? { ...message, role: 'user', content: marked(message.content) } : message));
}
