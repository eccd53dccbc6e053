import { isObject, type JsonObject } from '../../../server/base/json.ts';

/** A call as a tool would receive it; `complete`: the protocol said that the call has ended. */
export interface SeenCall { name: string; arguments: string; complete: boolean }

/** What a person or a tool would take from an answer. */
export interface SeenAnswer {
  text: string;
  calls: SeenCall[];
  /** The protocol's terminal event came: a client takes the answer as complete. */
  finished: boolean;
  stopReason: string | undefined;
  error: { type: string | undefined; code: string | undefined; message: string } | undefined;
  usage: JsonObject | undefined;
  /** Ids under which an answer was opened; more than one means that a failed attempt shows. */
  openings: Set<string>;
  /** Number of comments and pings, which only keep the connection alive. */
  keepAlives: number;
  /** What an official client would fail on, in words. */
  problems: string[];
}

export function emptyAnswer(): SeenAnswer {
  return {
    text: '', calls: [], finished: false, stopReason: undefined, error: undefined, usage: undefined, openings: new Set(), keepAlives: 0, problems: [],
  };
}

/** Reads a stream event by event as a client of the protocol does. */
export interface StreamReading {
  event(name: string | undefined, data: string): void;
  /** The stream has ended, for whatever reason. */
  end(): void;
}

/** What a request asks, in any protocol. */
export interface Asked {
  model: string;
  prompt: string;
  stream: boolean;
  /** Offer the tool `look_up`. */
  tools?: boolean | undefined;
  /** The history holds reasoning that was signed elsewhere. */
  foreignReasoning?: boolean | undefined;
}

/** One of the protocols callers may speak: its requests, and its answers as its clients understand them. */
export interface Caller {
  path(model: string, stream: boolean): string;
  headers(token: string): Record<string, string>;
  body(asked: Asked): JsonObject;
  createReading(seen: SeenAnswer): StreamReading;
  readPlain(body: JsonObject, seen: SeenAnswer): void;
}

/** The tool every test conversation may offer. */
export const lookUp = {
  name: 'look_up',
  description: 'Looks up the weather.',
  schema: { type: 'object', properties: { place: { type: 'string' }, day: { type: 'integer' } }, required: ['place'] },
};

/** A turn before the one that is asked, answered by a model of another provider that signs its reasoning. */
export const earlier = { question: 'what is the weather', thought: 'I look it up.', answer: 'Sunny.', signature: 'bm90LWZyb20taGVyZQ==' };

/** An error object as both OpenAI protocols and Anthropic write it. */
export function errorOf(error: JsonObject): NonNullable<SeenAnswer['error']> {
  const details = isObject(error.details) ? error.details : {};
  return {
    type: textOf(error.type),
    code: textOf(error.code) ?? textOf(details.error_code),
    message: textOf(error.message) ?? '',
  };
}

/** A value when it is a string. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The objects of a list; none when it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
