import type { JsonObject } from '../../base/json.ts';
import type { BodyBytes } from './rule.ts';
import { leaveOut } from './leaveOut.ts';

/** Sampling parameters, which models that reason refuse. Source: the error texts of GPT-5 and the o-series, November 2026. */
export const samplingFields = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty'] as const;

const defaults: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };

/** What models that reason refuse as well. Source: the error texts of the same models. */
export const otherSamplingFields = ['stop', 'logprobs', 'top_logprobs', 'logit_bias'] as const;

/** The least temperature where 0 is refused. */
const leastTemperature = 0.01;

/** Brings a temperature into the bounds of the provider. @param aboveZero 0 is refused */
export function fitTemperature(body: JsonObject, highest: number | undefined, aboveZero: boolean, changes: Set<string>): void {
  const { temperature } = body;
  if (typeof temperature !== 'number') return;
  const fit = highest !== undefined && temperature > highest ? highest : aboveZero && temperature <= 0 ? leastTemperature : temperature;
  if (fit === temperature) return;
  body.temperature = fit;
  changes.add(`temperature ${temperature} was sent as ${fit}`);
}

/** Leaves sampling parameters out that are not at their defaults. */
export function fitSampling(body: JsonObject, refused: boolean, changes: Set<string>): void {
  if (!refused) return;
  for (const name of otherSamplingFields) if (body[name] !== null && body[name] !== false) leaveOut(body, [name], changes);
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

/** A choice of tools is refused where there are none, and so is an empty list of them. */
export function fitToolFields(body: JsonObject, changes: Set<string>): void {
  if (Array.isArray(body.tools) && body.tools.length === 0) leaveOut(body, ['tools'], changes);
  if (body.tools !== undefined && body.tools !== null) return;
  if (body.tool_choice !== 'none') leaveOut(body, ['tool_choice'], changes);
  leaveOut(body, ['parallel_tool_calls'], changes);
}

/** Whether a caller's bytes hold a choice of tools without tools. */
export function lacksTools({ bytes, scan: { fields } }: BodyBytes): boolean {
  const tools = fields.get('tools');
  if (tools !== undefined) return /^\[\s*\]$/.test(bytes.toString('latin1', tools.start, Math.min(tools.end, tools.start + 16)));
  return fields.has('tool_choice') || fields.has('parallel_tool_calls');
}
