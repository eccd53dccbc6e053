import type { ProtocolName } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { fieldValue, type FieldEdit, type ObjectScan } from '../../base/objectScan.ts';
import type { Dialect } from '../codec.ts';
import { chatRules } from './chatRules.ts';
import { geminiRules } from './geminiRules.ts';
import { messagesRules } from './messagesRules.ts';
import { responsesRules } from './responsesRules.ts';

/** What a body is made fit for. */
export interface FitTarget {
  readonly dialect: Dialect;
  /** The upstream's own model name. */
  readonly model: string;
}

/** A body as its bytes, of which only the top level is known. */
export interface BodyBytes {
  readonly bytes: Buffer;
  readonly scan: ObjectScan;
}

/**
 * What targets of one protocol refuse, as rules on the body they are sent. They hold for bodies that a codec wrote and for
 * bodies that a caller of the same protocol wrote. `changes` takes what was changed, in words for the receipt.
 */
export interface BodyRules {
  /** Short top-level fields that `fitTop` reads. */
  readonly topFields: readonly string[];
  /** Changes short top-level fields in place. Other fields may be missing in `body`. */
  fitTop(body: JsonObject, target: FitTarget, changes: Set<string>): void;
  /** Whether `fitContent` may have something to do. False is certain. */
  mayHoldRefused(body: BodyBytes, target: FitTarget): boolean;
  /** Changes messages, tools and formats of a whole body. What stands in them is copied where it is changed. */
  fitContent(body: JsonObject, target: FitTarget, changes: Set<string>): void;
}

const rules: Readonly<Record<ProtocolName, BodyRules>> = {
  'openai-chat': chatRules,
  'openai-responses': responsesRules,
  'anthropic-messages': messagesRules,
  'gemini': geminiRules,
};

/**
 * Makes a body fit for a target of its protocol.
 * @returns what was changed, in words
 */
export function fitBody(protocol: ProtocolName, body: JsonObject, target: FitTarget): string[] {
  const changes = new Set<string>();
  const { fitTop, fitContent } = rules[protocol];
  fitTop(body, target, changes);
  fitContent(body, target, changes);
  return [...changes];
}

/** Whether a caller's bytes may hold, below the top level, what the target refuses. False is certain. */
export function mayHoldRefused(protocol: ProtocolName, body: BodyBytes, target: FitTarget): boolean {
  return rules[protocol].mayHoldRefused(body, target);
}

/**
 * The changes of top-level fields that make a caller's bytes fit, and the same in words; undefined where nothing is against them.
 * @param limit a field whose value is lowered as well
 */
export function topEdits(protocol: ProtocolName, { bytes, scan }: BodyBytes, target: FitTarget, limit: { field: string; tokens: number } | undefined): { edits: FieldEdit[]; changes: string[] } | undefined {
  const { topFields, fitTop } = rules[protocol];
  let before: JsonObject | undefined;
  for (const name of topFields) {
    if (scan.fields.has(name)) (before ??= {})[name] = fieldValue(bytes, scan, name) as JsonValue | undefined;
  }
  if (before === undefined) return undefined;
  const after: JsonObject = limit === undefined ? { ...before } : { ...before, [limit.field]: limit.tokens };
  const changes = new Set<string>();
  fitTop(after, target, changes);
  if (changes.size === 0) return undefined;
  const edits: FieldEdit[] = [];
  for (const name of Object.keys(before)) if (after[name] === undefined) edits.push({ name, json: undefined });
  for (const [name, value] of Object.entries(after)) {
    if (value !== undefined && value !== before[name]) edits.push({ name, json: JSON.stringify(value) });
  }
  return { edits, changes: [...changes] };
}
