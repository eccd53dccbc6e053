import type { ProtocolName } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { fieldValue, type FieldEdit } from '../../base/objectScan.ts';
import { chatRules } from './chatRules.ts';
import { geminiRules } from './geminiRules.ts';
import { leaveOut } from './leaveOut.ts';
import { messagesRules } from './messagesRules.ts';
import { refusedAmong } from './modelRules.ts';
import { responsesRules } from './responsesRules.ts';
import type { BodyBytes, BodyRules, FitTarget } from './rule.ts';

const rules: Readonly<Record<ProtocolName, BodyRules>> = {
  'openai-chat': chatRules,
  'openai-responses': responsesRules,
  'anthropic-messages': messagesRules,
  'gemini': geminiRules,
};

/** Used again by each call, because most requests leave it empty. */
const topChanges = new Set<string>();
/** Fields that are written where a caller's bytes are sent on, whatever the caller wrote. */
const addedFields: readonly string[] = ['model'];

/**
 * Makes a body fit for a target of its protocol.
 * @returns what was changed, in words
 */
export function fitBody(protocol: ProtocolName, body: JsonObject, target: FitTarget): string[] {
  const changes = new Set<string>();
  const { fitTop, fitContent } = rules[protocol];
  fitTop(body, target, changes);
  fitContent(body, target, changes);
  const { knownFields } = target.dialect;
  if (knownFields !== undefined) leaveOut(body, Object.keys(body).filter(name => !knownFields.includes(name)), changes);
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
  const { knownFields } = target.dialect;
  const unknown = knownFields === undefined ? refusedAmong(scan.fields, target, topFields) : [...scan.fields.keys()].filter(name => !knownFields.includes(name) && !topFields.includes(name) && !addedFields.includes(name));
  if (before === undefined && unknown.length === 0) return undefined;
  before ??= {};
  const after: JsonObject = limit === undefined ? { ...before } : { ...before, [limit.field]: limit.tokens };
  const changes = topChanges;
  // The engine makes a new table for each clearing, also of what is empty.
  if (changes.size > 0) changes.clear();
  fitTop(after, target, changes);
  if (knownFields !== undefined) leaveOut(after, Object.keys(after).filter(name => !knownFields.includes(name)), changes);
  for (const name of unknown) changes.add(`${name} was left out`);
  if (changes.size === 0) return undefined;
  const edits: FieldEdit[] = unknown.map(name => ({ name, json: undefined }));
  for (const name of Object.keys(before)) if (after[name] === undefined) edits.push({ name, json: undefined });
  for (const [name, value] of Object.entries(after)) {
    if (value !== undefined && value !== before[name]) edits.push({ name, json: JSON.stringify(value) });
  }
  return { edits, changes: [...changes] };
}
