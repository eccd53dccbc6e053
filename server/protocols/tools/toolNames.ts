import { createHash } from 'node:crypto';
import type { ContentPart, ConversationEvent, ConversationRequest, ProtocolName, ToolDefinition } from '../../api/conversation.ts';
import type { ProtocolCodec, ToolNameRule } from '../codec.ts';
import { stringsOfField } from '../bodyRules/fieldStrings.ts';
import { MappedDecoder } from '../mappedDecoder.ts';
import { oncePerList } from '../toolLists.ts';

interface NameRule {
  shape: RegExp;
  longest: number;
  /** Tools with names of this shape, made once for each list. */
  named: (tools: ToolDefinition[]) => ToolDefinition[];
}

function nameRule(shape: RegExp, longest: number): NameRule {
  const rule: NameRule = { shape, longest, named: oncePerList((tools: ToolDefinition[]) => tools.map(tool => (shape.test(tool.name) ? tool : { ...tool, name: replacement(tool.name, rule) }))) };
  return rule;
}

/** Sources: the error texts of OpenAI and Anthropic, Google's reference of function declarations, and AWS's of ToolSpecification, November 2026. */
const rules: Readonly<Record<ProtocolName | 'converse', NameRule>> = {
  'openai-chat': nameRule(/^[a-zA-Z0-9_-]{1,64}$/, 64),
  'openai-responses': nameRule(/^[a-zA-Z0-9_-]{1,64}$/, 64),
  'anthropic-messages': nameRule(/^[a-zA-Z0-9_-]{1,128}$/, 128),
  'gemini': nameRule(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/, 64),
  // Converse of Amazon Bedrock.
  'converse': nameRule(/^[a-zA-Z0-9_-]{1,64}$/, 64),
};

/** By the rule of a provider, so that a list of tools is made once for it. */
const ownRules = new WeakMap<ToolNameRule, NameRule>();

function ruleFor(protocol: ProtocolName | 'converse', own: ToolNameRule | undefined): NameRule {
  if (own === undefined) return rules[protocol];
  let rule = ownRules.get(own);
  if (rule === undefined) {
    rule = nameRule(own.shape, own.longest);
    ownRules.set(own, rule);
  }
  return rule;
}

/** Whether all names in a caller's bytes are such that the provider takes them as names of tools. False alarms are harmless. */
export function namesFit(bytes: Buffer, { shape }: ToolNameRule): boolean {
  return stringsOfField(bytes, 'name', name => shape.test(name));
}

/** A conversation whose tools have names that the target takes, and the caller's name of each that was replaced. */
export interface FittedNames {
  readonly request: ConversationRequest;
  /** By the name that is sent. */
  readonly callers: ReadonlyMap<string, string>;
}

/**
 * Replaces names of tools that a protocol does not take, in definitions, history and choice alike. A name always becomes the
 * same one, so that the beginning of the prompt stays what was cached.
 * @param own the provider's rule, where it takes fewer names than the protocol
 * @returns undefined when all names can be sent as they are
 */
export function withFittingNames(request: ConversationRequest, protocol: ProtocolName | 'converse', own?: ToolNameRule): FittedNames | undefined {
  const rule = ruleFor(protocol, own);
  const callers = new Map<string, string>();
  const fit = (name: string): string => {
    if (rule.shape.test(name)) return name;
    const sent = replacement(name, rule);
    callers.set(sent, name);
    return sent;
  };
  for (const tool of request.tools) fit(tool.name);
  for (const { content } of request.messages) {
    for (const part of content) if (part.type === 'tool-call' || (part.type === 'tool-result' && part.name !== undefined)) fit(part.name ?? '');
  }
  if (callers.size === 0) return undefined;
  const fitPart = (part: ContentPart): ContentPart => {
    if (part.type === 'tool-call') return { ...part, name: fit(part.name) };
    return part.type === 'tool-result' && part.name !== undefined ? { ...part, name: fit(part.name) } : part;
  };
  const { toolChoice } = request;
  return {
    request: {
      ...request,
      tools: rule.named(request.tools),
      messages: request.messages.map(message => ({ ...message, content: message.content.map(fitPart) })),
      ...(toolChoice?.type === 'tool' ? { toolChoice: { ...toolChoice, name: fit(toolChoice.name) } } : {}),
    },
    callers,
  };
}

function replacement(name: string, { longest, shape }: NameRule): string {
  const mark = `_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
  const letters = name.replace(/[^a-zA-Z0-9_-]/g, '_');
  const plain = shape.test(letters.slice(0, longest)) ? letters : letters.replace(/^(?![a-zA-Z])/, shape.test('_') ? '_' : 'f');
  return plain.slice(0, longest - mark.length) + mark;
}

/** A codec whose answers name tools as the caller does. @param callers see FittedNames */
export function withCallersNames(codec: ProtocolCodec, callers: ReadonlyMap<string, string>): ProtocolCodec {
  const restored = (events: ConversationEvent[]): ConversationEvent[] => events.map(event => {
    const name = event.type === 'tool-call-start' ? callers.get(event.name) : undefined;
    return name === undefined || event.type !== 'tool-call-start' ? event : { ...event, name };
  });
  return {
    ...codec,
    createStreamDecoder: dialect => new MappedDecoder(codec.createStreamDecoder(dialect), restored),
    decodeResponse: (body, dialect) => restored(codec.decodeResponse(body, dialect)),
  };
}
