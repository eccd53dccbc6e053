import type { JsonValue } from '../../base/json.ts';
import { claudeModelRules } from '../anthropicMessages/claudeModels.ts';
import type { BodyBytes } from './rule.ts';

/** What a user says where a model does not continue its own last message. */
export const goOn = 'Continue exactly where your last message ends.';

/** What asks for JSON where a provider wants the word in the prompt. */
export const jsonWords = 'Answer with one valid JSON object and nothing else.';

/** What asks for a schema where a provider has no field for it. */
export function schemaWords(schema: JsonValue | undefined): string {
  return `Answer with one valid JSON value and nothing else. It must match this JSON schema:\n${JSON.stringify(schema ?? {})}`;
}

/** The model refuses a conversation that ends with the assistant. */
export function noPrefill(model: string): boolean {
  return !claudeModelRules(model).prefill;
}

/** Whether the last entry of a list of messages may be the assistant's, as the last role that stands there tells. @param field of the list */
export function endsWithAssistant({ bytes, scan }: BodyBytes, field: string): boolean {
  const range = scan.fields.get(field);
  if (range === undefined) return false;
  const at = bytes.lastIndexOf('"role"', range.end, 'latin1');
  return at >= range.start && /^"role"\s*:\s*"assistant"/.test(bytes.toString('latin1', at, Math.min(range.end, at + 64)));
}
