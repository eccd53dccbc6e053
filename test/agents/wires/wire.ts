import type { ProtocolName } from '../../../server/api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../server/base/json.ts';

/** A tool as a request offers it. */
export interface SeenTool { name: string; kind: 'function' | 'custom'; schema: JsonObject | undefined }

/** What the scripted provider takes from a request. */
export interface SeenRequest {
  model: string;
  stream: boolean;
  tools: SeenTool[];
  /** Texts of all tool results, in order: how far the task has come. */
  results: string[];
  /** Opaque reasoning that was sent back. */
  signatures: string[];
}

/** One answer of the scripted model. A call of a free-text tool has a string for its input. */
export interface Turn {
  thinking?: string;
  text?: string;
  calls?: readonly { name: string; input: JsonObject | string }[];
}

/** Tokens of one answer: the prompt with what was read from a cache, the output with its reasoning. */
export interface TurnUsage { prompt: number; cached: number; output: number; reasoning: number }

export interface Reply {
  turn: Turn;
  usage: TurnUsage;
  request: SeenRequest;
  /** Unique in the run; ids are made from it. */
  serial: number;
  /** Opaque reasoning that only this provider may be sent again. */
  signature: string;
}

/** A request that a provider of this protocol would answer with 400. */
export class Refused extends Error {}

/** One provider protocol, as the scripted upstream speaks it. Written from the protocols' descriptions, apart from the server's own codecs. */
export interface Wire {
  readonly protocol: ProtocolName;
  /** What an endpoint's base URL ends in. */
  readonly basePath: string;
  matches(path: string): boolean;
  /** @throws Refused */
  read(body: JsonObject, path: string): SeenRequest;
  /** Known fields beyond those that the protocol defines for all callers. */
  readonly fields: ReadonlySet<string>;
  stream(reply: Reply): string[];
  whole(reply: Reply): JsonObject;
  failure(status: number, message: string): JsonObject;
}

export function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The text of content that is a string or a list of parts with `text`. */
export function contentText(content: JsonValue | undefined): string {
  return typeof content === 'string' ? content : list(content).map(part => text(part.text)).join('');
}

/** Pieces of seven characters: borders fall inside escapes, names and words. */
export function pieces(whole: string): string[] {
  return whole.match(/[\s\S]{1,7}/g) ?? [];
}

export function sse(data: JsonObject, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** @throws Refused when a name cannot be used or is there twice, or a schema is not an object's */
export function checkTools(tools: readonly SeenTool[], namePattern: RegExp): void {
  const names = new Set<string>();
  for (const { name, schema } of tools) {
    if (!namePattern.test(name)) throw new Refused(`tool name "${name}" is not valid`);
    if (names.has(name)) throw new Refused(`tool "${name}" is there twice`);
    names.add(name);
    if (schema !== undefined && schema.type !== 'object') throw new Refused(`schema of tool "${name}" must have type "object", got ${JSON.stringify(schema.type)}`);
  }
}
