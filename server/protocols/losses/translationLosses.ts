import type { ContentPart, ConversationRequest, ProtocolName } from '../../api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { nineCharacterCallIds } from '../bodyRules/callIdRules.ts';
import type { EncodeTarget } from '../codec.ts';
import { maySendOpaque, textIsAtHome } from '../conversationShape.ts';
import { geminiModelRules } from '../gemini/models.ts';
import { describeMedia, documentText, leftOut } from '../media.ts';

/** Where a translated body says what a conversation asks for. Nothing: the protocol cannot say it. */
interface Places {
  readonly temperature?: string;
  readonly topP?: string;
  readonly topK?: string;
  readonly seed?: string;
  readonly frequencyPenalty?: string;
  readonly presencePenalty?: string;
  readonly logprobs?: string;
  readonly verbosity?: string;
  readonly serviceTier?: string;
  readonly user?: string;
  readonly metadata?: string;
  readonly truncation?: string;
  readonly stop?: string;
  readonly reasoning: readonly string[];
  /** Of these, the one that names an effort. */
  readonly effort: string;
  /** Of these, the one that holds a budget. */
  readonly budget?: string;
  readonly format: string;
  readonly parallelToolCalls?: string;
}

const places: Readonly<Record<ProtocolName, Places>> = {
  'openai-chat': {
    temperature: 'temperature', topP: 'top_p', topK: 'top_k', seed: 'seed', frequencyPenalty: 'frequency_penalty', presencePenalty: 'presence_penalty', logprobs: 'logprobs', verbosity: 'verbosity', serviceTier: 'service_tier', user: 'user', stop: 'stop',
    reasoning: ['reasoning_effort', 'thinking', 'reasoning'], effort: 'reasoning_effort', format: 'response_format', parallelToolCalls: 'parallel_tool_calls',
  },
  'openai-responses': {
    temperature: 'temperature', topP: 'top_p', logprobs: 'include', verbosity: 'text.verbosity', serviceTier: 'service_tier', user: 'safety_identifier', metadata: 'metadata', truncation: 'truncation',
    reasoning: ['reasoning'], effort: 'reasoning.effort', format: 'text.format', parallelToolCalls: 'parallel_tool_calls',
  },
  'anthropic-messages': {
    temperature: 'temperature', topP: 'top_p', topK: 'top_k', serviceTier: 'service_tier', user: 'metadata.user_id', stop: 'stop_sequences',
    reasoning: ['thinking', 'output_config.effort'], effort: 'output_config.effort', budget: 'thinking.budget_tokens', format: 'output_config.format', parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
  },
  'gemini': {
    temperature: 'generationConfig.temperature', topP: 'generationConfig.topP', topK: 'generationConfig.topK', seed: 'generationConfig.seed', frequencyPenalty: 'generationConfig.frequencyPenalty', presencePenalty: 'generationConfig.presencePenalty',
    logprobs: 'generationConfig.responseLogprobs', serviceTier: 'serviceTier', stop: 'generationConfig.stopSequences', reasoning: ['generationConfig.thinkingConfig'], effort: 'generationConfig.thinkingConfig.thinkingLevel', budget: 'generationConfig.thinkingConfig.thinkingBudget', format: 'generationConfig.responseMimeType',
  },
};

/** By the names that callers know them under. */
const numbers = [['temperature', 'temperature'], ['topP', 'top_p'], ['topK', 'top_k'], ['seed', 'seed'], ['frequencyPenalty', 'frequency_penalty'], ['presencePenalty', 'presence_penalty']] as const;
const others = [['logprobs', 'logprobs'], ['verbosity', 'verbosity'], ['serviceTier', 'service_tier'], ['user', 'user'], ['metadata', 'metadata'], ['truncation', 'truncation']] as const;

function valueAt(body: JsonObject, place: string | undefined): JsonValue | undefined {
  if (place === undefined) return undefined;
  let value: JsonValue | undefined = body;
  for (const step of place.split('.')) value = isObject(value) ? value[step] : undefined;
  return value;
}

/**
 * What a translated body says otherwise than the conversation it was made of, or not at all, in words for the receipt. Read from the body
 * itself, so that nothing is left out in silence whatever left it out.
 * @param changes takes the words; what is in it already is not said twice
 */
export function addTranslationLosses(conversation: ConversationRequest, body: JsonObject, protocol: ProtocolName, target: Pick<EncodeTarget, 'origin' | 'dialect' | 'model'>, changes: Set<string>): void {
  const at = places[protocol];
  for (const [field, name] of numbers) {
    const wanted = conversation[field];
    if (wanted === undefined) continue;
    const place = field === 'seed' ? target.dialect.seedField ?? at.seed : at[field];
    const sent = valueAt(body, place);
    if (sent === undefined) changes.add(`${name} was left out`);
    else if (sent !== wanted) changes.add(`${name} ${wanted} was sent as ${String(sent)}`);
  }
  for (const [field, name] of others) {
    if (conversation[field] !== undefined && valueAt(body, at[field]) === undefined) changes.add(`${name} was left out`);
  }
  addStopLosses(conversation, valueAt(body, at.stop), changes);
  addEffortLoss(conversation, valueAt(body, at.effort), valueAt(body, at.budget), changes);
  if (asksForReasoning(conversation) && at.reasoning.every(place => valueAt(body, place) === undefined)) changes.add('the effort of reasoning was left out');
  if (conversation.parallelToolCalls === false && conversation.tools.length > 0 && valueAt(body, at.parallelToolCalls) === undefined) changes.add('parallel_tool_calls was left out');
  const format = conversation.responseFormat?.type;
  if ((format === 'json' || format === 'json-schema') && valueAt(body, at.format) === undefined && ![...changes].some(change => (change.includes('JSON') || change.includes('answer')) && change.endsWith('asked for in words'))) {
    changes.add(format === 'json' ? 'JSON was asked for in words' : 'the JSON schema of the answer was asked for in words');
  }
  const choice = conversation.toolChoice?.type;
  if ((choice === 'required' || choice === 'tool') && protocol === 'anthropic-messages' && valueAt(body, 'tool_choice.type') === 'auto') changes.add('the forced choice of a tool was asked for in words');
  addContentLosses(conversation, body, protocol, target, changes);
}

/** The stop strings that the target does not apply itself. */
export function missingStops({ stop }: ConversationRequest, body: JsonObject, protocol: ProtocolName): boolean {
  const sent = valueAt(body, places[protocol].stop);
  return stop !== undefined && !(Array.isArray(sent) && sent.length === stop.length);
}

function addStopLosses({ stop = [] }: ConversationRequest, sent: JsonValue | undefined, changes: Set<string>): void {
  if (stop.length > 0 && !(Array.isArray(sent) && sent.length === stop.length)) changes.add('stop strings are applied to the answer here');
}

function addEffortLoss({ reasoning }: ConversationRequest, sent: JsonValue | undefined, budget: JsonValue | undefined, changes: Set<string>): void {
  const wanted = reasoning?.effort;
  if (wanted === undefined && reasoning?.budgetTokens !== undefined && typeof sent === 'string') changes.add(`a thinking budget of ${reasoning.budgetTokens} was sent as the effort ${sent.toLowerCase()}`);
  if (wanted !== undefined && typeof sent !== 'string' && typeof budget === 'number') changes.add(`reasoning effort ${wanted} was sent as a budget of ${budget}`);
  if (wanted === undefined || typeof sent !== 'string' || sent.toLowerCase() === wanted || [...changes].some(change => change.includes(`effort ${wanted} was`))) return;
  changes.add(`reasoning effort ${wanted} was sent as ${sent.toLowerCase()}`);
}

function asksForReasoning({ reasoning }: ConversationRequest): boolean {
  return reasoning !== undefined && (reasoning.effort !== undefined || reasoning.budgetTokens !== undefined);
}

function addContentLosses({ messages }: ConversationRequest, body: JsonObject, protocol: ProtocolName, target: Pick<EncodeTarget, 'origin' | 'dialect' | 'model'>, changes: Set<string>): void {
  const hasFlag = protocol === 'anthropic-messages' || protocol === 'gemini';
  const textResults = protocol === 'openai-chat' || (protocol === 'gemini' && !geminiModelRules(target.model).mediaInResults);
  const inlinesTexts = protocol !== 'anthropic-messages';
  let text: string | undefined;
  for (const { role, content } of messages) {
    if (role === 'system' && hasFlag) changes.add('a later instruction was sent as words of the user');
    for (const part of content) {
      if (part.type === 'tool-call' && part.signature !== undefined && !(protocol === 'gemini' && maySendOpaque(part, protocol, target.origin))) changes.add('reasoning of earlier turns was left out');
      if (part.type === 'tool-result') {
        if (part.isError === true && !hasFlag) changes.add('a failed result was marked in words');
        for (const inner of part.content) {
          if (!isMedia(inner)) continue;
          if (textResults && (inner.type === 'image' || documentText(inner) === undefined)) changes.add(inner.type === 'image' ? 'pictures of results were sent behind them' : 'documents of results were sent behind them');
          if (inlinesTexts) addInlined(inner, changes);
          text = mediaLoss(inner, body, text, changes);
        }
      } else if (isMedia(part)) {
        if (inlinesTexts) addInlined(part, changes);
        text = mediaLoss(part, body, text, changes);
      } else if (part.type === 'tool-call' && protocol === 'openai-chat' && target.dialect.shortCallIds === true && !nineCharacterCallIds.fits(part.id)) changes.add('ids of tool calls were replaced');
      else if (part.type === 'thinking' && !isSent(part, protocol, target)) changes.add('reasoning of earlier turns was left out');
    }
  }
}

function isMedia(part: ContentPart): part is Extract<ContentPart, { type: 'image' | 'document' }> {
  return part.type === 'image' || part.type === 'document';
}

function addInlined(part: Extract<ContentPart, { type: 'image' | 'document' }>, changes: Set<string>): void {
  if (part.type === 'document' && documentText(part) !== undefined) changes.add('a document was sent as text');
}

/** @param text of the body, where it was made already */
function mediaLoss(part: Extract<ContentPart, { type: 'image' | 'document' }>, body: JsonObject, text: string | undefined, changes: Set<string>): string | undefined {
  // Only these are ever left out by a translation: what is in the request as bytes of a common type is sent.
  if (part.type === 'image' && part.source.kind === 'base64') return text;
  const written = text ?? JSON.stringify(body);
  if (written.includes(JSON.stringify(leftOut(describeMedia(part)).text).slice(1, -1))) changes.add(part.type === 'image' ? 'an image was left out' : 'a document was left out');
  return written;
}

function isSent(part: Extract<ContentPart, { type: 'thinking' }>, protocol: ProtocolName, { origin, dialect }: Pick<EncodeTarget, 'origin' | 'dialect'>): boolean {
  switch (protocol) {
    case 'openai-chat': return textIsAtHome(part, protocol, origin) && (dialect.reasoningField !== undefined || part.text === '');
    case 'openai-responses': return part.encrypted !== undefined && maySendOpaque(part, protocol, origin);
    case 'anthropic-messages': return (part.signature !== undefined || part.redacted !== undefined) && maySendOpaque(part, protocol, origin);
    case 'gemini': return part.signature !== undefined && maySendOpaque(part, protocol, origin);
  }
}
