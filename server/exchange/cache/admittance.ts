import type { ResponseCacheConfig } from '../../config/config.ts';
import { fieldValue } from '../../base/objectScan.ts';
import { logText } from '../../api/logText.ts';
import type { ExchangeInput } from '../request.ts';

/** What a request may do with the cache of its route: read and keep, only keep, or neither, with the reason as a sentence without its end. */
export type Admittance = { kind: 'use' } | { kind: 'refresh' } | { kind: 'bypass'; why: string };

/** The header in which a caller decides for a request. */
export const cacheHeader = 'x-waybill-cache';
const longestShown = 40;

/** Fields of a body that give a request tools, beside `tools` itself. */
const toolFields = ['functions', 'mcp_servers', 'web_search_options', 'container'];
/** Fields that ask for an answer which is more than text. */
const mediaFields = ['modalities', 'audio'];
/** State that the provider keeps and that may change between two requests that are the same. */
const changingState = ['conversation', 'prompt', 'cachedContent', 'cached_content'];

/** Judges a request by what its caller and its route say. Reads the body only where the rest allows it. */
export function admit(input: ExchangeInput, rules: ResponseCacheConfig): Admittance {
  const stated = input.headers?.[cacheHeader];
  const word = Array.isArray(stated) ? stated[0] : stated;
  if (word === 'off') return bypass(`${cacheHeader} says off`);
  if (word !== undefined && word !== 'use' && word !== 'refresh') {
    return bypass(`${cacheHeader} says "${logText(word.slice(0, longestShown))}", which is none of use, refresh and off`);
  }
  const { body, requirements } = input;
  if (requirements.tools && !rules.includeTools) return bypass('it has tools');
  const refused = body.kind === 'conversation' ? conversationRefusal(input, rules) : body.kind === 'completion' ? completionRefusal(input) : undefined;
  if (refused !== undefined) return bypass(refused);
  if (word === undefined && !rules.anyTemperature && body.kind !== 'embedding' && temperatureOf(input) !== 0) {
    return bypass(`it is not at temperature 0, and neither ${cacheHeader} nor the route asks for it`);
  }
  return { kind: word ?? 'use' };
}

function bypass(why: string): Admittance {
  return { kind: 'bypass', why };
}

function conversationRefusal({ body, protocol }: ExchangeInput, rules: ResponseCacheConfig): string | undefined {
  if (body.kind !== 'conversation') return undefined;
  const conversation = body.decoded();
  const fields = body.raw?.scan.fields;
  const has = (name: string): boolean => fields?.has(name) === true && fieldText(body.raw, name) !== 'null';
  if (!rules.includeTools && (conversation.tools.length > 0 || (conversation.hostedTools?.length ?? 0) > 0 || toolFields.some(has))) return 'it has tools';
  if (mediaFields.some(has)) return 'it asks for more than text';
  if ((conversation.choices ?? 1) > 1) return 'it asks for several answers';
  if (changingState.some(has)) return 'it leans on state that the provider keeps';
  const continues = has('previous_response_id');
  if (!rules.includeStored && (continues || (has('store') && fieldText(body.raw, 'store') === 'true'))) return 'the provider is to store it';
  if (conversation.providerState !== undefined && !(continues && protocol === 'openai-responses' && !has('background'))) return 'it leans on what one provider keeps or can do';
  return undefined;
}

function completionRefusal({ body }: ExchangeInput): string | undefined {
  const fields = body.raw?.scan.fields;
  if (fields === undefined || body.raw === undefined) return undefined;
  const { bytes, scan } = body.raw;
  const several = (name: string): boolean => fields.has(name) && Number(fieldValue(bytes, scan, name) ?? 1) > 1;
  if (several('n') || several('best_of')) return 'it asks for several answers';
  if (fields.has('logprobs') && (fieldValue(bytes, scan, 'logprobs') ?? false) !== false) return 'it asks for more than text';
  const prompt = fieldValue(bytes, scan, 'prompt');
  return Array.isArray(prompt) && prompt.length !== 1 ? 'it asks for several answers' : undefined;
}

function temperatureOf({ body }: ExchangeInput): unknown {
  switch (body.kind) {
    case 'conversation': return body.decoded().temperature;
    case 'completion': return body.raw === undefined ? body.request.temperature : fieldValue(body.raw.bytes, body.raw.scan, 'temperature');
    case 'embedding': return 0;
  }
}

function fieldText(raw: ExchangeInput['body']['raw'], name: string): string {
  const range = raw?.scan.fields.get(name);
  return raw === undefined || range === undefined || range.end - range.start > longestShown ? '' : raw.bytes.toString('latin1', range.start, range.end).trim();
}
