import type { EndpointConfig } from '../config/config.ts';

/** What a test that went well has found. */
export interface TestedEndpoint {
  name: string;
  /** The address that answered, where it is not the one that was given. */
  baseUrl?: string | undefined;
  /** How many keys were tried. */
  keys: number;
  /** All of them were proved to be accepted. */
  proved: boolean;
  latencyMs?: number | undefined;
  /** How many models are listed. */
  models: number;
}

/** The one sentence for a person: `north accepts the key and lists 34 models (240 ms).` */
export function testedSentence({ name, baseUrl, keys, proved, latencyMs, models }: TestedEndpoint): string {
  const answers = proved ? `accepts ${keys === 1 ? 'the key' : `its ${keys} keys`}` : 'answers';
  const at = baseUrl === undefined ? '' : ` at ${baseUrl}`;
  const lists = models === 0 ? '' : ` and lists ${models} ${models === 1 ? 'model' : 'models'}`;
  const took = latencyMs === undefined ? '' : ` (${Math.round(latencyMs)} ms)`;
  const unproved = proved || keys === 0 ? '' : `; whether the ${keys === 1 ? 'key is' : 'keys are'} good shows with the first request`;
  return `${name} ${answers}${at}${lists}${took}${unproved}.`;
}

/** The base URL that answered, where it is another one than was given. */
export function otherAddress(given: EndpointConfig, found: EndpointConfig): { baseUrl?: string } {
  return given.baseUrl === found.baseUrl ? {} : { baseUrl: found.baseUrl };
}
