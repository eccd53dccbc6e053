import type { JsonObject } from '../../base/json.ts';
import { leaveOut } from './leaveOut.ts';

/** Sampling parameters, which models that reason refuse. Source: the error texts of GPT-5 and the o-series, November 2026. */
export const samplingFields = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty'] as const;

const defaults: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };

/** Leaves sampling parameters out that are not at their defaults. */
export function fitSampling(body: JsonObject, refused: boolean, changes: Set<string>): void {
  if (!refused) return;
  for (const name of samplingFields) {
    if (body[name] !== defaults[name]) leaveOut(body, [name], changes);
  }
}

/** Leaves identifiers of the end user out that are longer than the provider takes. */
export function fitUser(body: JsonObject, fields: readonly string[], longest: number | undefined, changes: Set<string>): void {
  if (longest === undefined) return;
  for (const name of fields) {
    const value = body[name];
    if (typeof value === 'string' && value.length > longest) leaveOut(body, [name], changes);
  }
}
