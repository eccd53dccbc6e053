import { claudeModelRules } from '../anthropicMessages/claudeModels.ts';
import type { BodyBytes } from './rule.ts';

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
