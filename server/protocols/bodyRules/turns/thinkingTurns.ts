import { isObject, type JsonObject, type JsonValue } from '../../../base/json.ts';
import { budgetOfEffort, parseEffort } from '../../reasoningEffort.ts';
import type { Dialect } from '../../codec.ts';
import type { BodyBytes } from '../rule.ts';

/*
 * Thinking in Messages at vendors other than Anthropic. Sources: DeepSeek's page on the Anthropic API and decolua/9router#2397 (calls without their thinking),
 * NousResearch/hermes-agent#16149 (an explicit `disabled`); SGLang's types of the protocol. Read in November 2026.
 */

/** Whether a body may hold thinking that the target refuses. False is certain. */
export function mayHoldRefusedThinking({ bytes, scan: { words } }: BodyBytes, dialect: Dialect): boolean {
  if (dialect.reasoningRequiredWithTools === true && words.has('tool_use')) return true;
  return dialect.redactedThinking === false && bytes.includes('"redacted_thinking"', 0, 'latin1');
}

/** Leaves hidden thinking out, and turns thinking off where calls in the history come without theirs. */
export function fitThinkingTurns(body: JsonObject, dialect: Dialect, changes: Set<string>): void {
  if (dialect.redactedThinking === false && Array.isArray(body.messages)) body.messages = body.messages.map(message => withoutRedacted(message, changes));
  if (dialect.reasoningRequiredWithTools !== true || thinkingIsOff(body) || !Array.isArray(body.messages) || !body.messages.some(callsWithoutThinking)) return;
  body.thinking = { type: 'disabled' };
  withoutEffort(body);
  changes.add('thinking was turned off, because calls of tools come without their reasoning');
}

/** The caller turns thinking off. */
export function thinkingIsOff({ thinking }: JsonObject): boolean {
  return isObject(thinking) && thinking.type === 'disabled';
}

/** A budget in place of adaptive thinking, for servers that know the older form only. */
export function fitAdaptive(body: JsonObject, dialect: Dialect, changes: Set<string>): void {
  const { thinking } = body;
  if (dialect.adaptiveThinking !== false || !isObject(thinking) || thinking.type !== 'adaptive') return;
  const asked = isObject(body.output_config) ? parseEffort(body.output_config.effort) : undefined;
  body.thinking = { type: 'enabled', budget_tokens: budgetOfEffort(asked ?? 'medium') };
  changes.add('adaptive thinking was sent as a budget');
}

function withoutEffort(body: JsonObject): void {
  const config = body.output_config;
  if (!isObject(config) || config.effort === undefined) return;
  const { effort: _effort, ...rest } = config;
  if (Object.keys(rest).length > 0) body.output_config = rest;
  else delete body.output_config;
}

function withoutRedacted(message: JsonValue, changes: Set<string>): JsonValue {
  if (!isObject(message) || !Array.isArray(message.content) || !message.content.some(isRedacted)) return message;
  changes.add('hidden thinking was left out');
  const content = message.content.filter(block => !isRedacted(block));
  return { ...message, content: content.length === 0 ? '(thinking)' : content };
}

function isRedacted(block: JsonValue): boolean {
  return isObject(block) && block.type === 'redacted_thinking';
}

function callsWithoutThinking(message: JsonValue): boolean {
  if (!isObject(message) || message.role !== 'assistant' || !Array.isArray(message.content)) return false;
  const types = message.content.map(block => (isObject(block) ? block.type : undefined));
  return types.includes('tool_use') && !types.includes('thinking');
}
