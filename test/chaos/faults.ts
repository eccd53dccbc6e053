import type { Random } from '../../server/base/clock.ts';
import type { SandboxBehaviour, StreamPoint } from '../../server/sandbox/sandboxBehaviour.ts';

/** What a provider does for a while; `healthy` is the one that is no fault. */
export const faultNames = [
  'healthy', 'refuse', 'no-answer', 'silence', 'keep-alives', 'lifecycle', 'server', 'bad-gateway', 'unavailable', 'overloaded', 'rate-limit-short',
  'rate-limit-long', 'rate-limit-unnamed', 'cut', 'stall', 'error-in-stream', 'error-in-200', 'empty', 'html', 'content-type', 'malformed-line',
  'crawl', 'oversize', 'redirect',
] as const;
export type FaultName = (typeof faultNames)[number];

/** One fault as it is played, and the wait it asks of callers. */
export interface Fault {
  name: FaultName;
  behaviour: SandboxBehaviour;
  /** How long the provider is not to be asked after such an answer, in milliseconds; 0: it names no wait. */
  waitMs: number;
}

/** Faults that cost time are as likely as those that cost none; the milder ones are rarer, because they teach less. */
const weights: Readonly<Partial<Record<FaultName, number>>> = { 'healthy': 8, 'cut': 5, 'refuse': 3, 'stall': 2, 'rate-limit-short': 2 };
const drawn: readonly FaultName[] = faultNames.flatMap(name => Array.from({ length: weights[name] ?? 1 }, () => name));
const broken = drawn.filter(name => name !== 'healthy' && name !== 'crawl' && name !== 'malformed-line');

export const healthy: Fault = { name: 'healthy', behaviour: { type: 'answer' }, waitMs: 0 };

/** Draws a fault, or health. @param neverWell only what no request survives at that provider */
export function drawFault(random: Random, neverWell: boolean): Fault {
  const names = neverWell ? broken : drawn;
  return playedAs(names[Math.floor(random() * names.length)] ?? 'server', random);
}

/** A fault with its details drawn. */
export function playedAs(name: FaultName, random: Random): Fault {
  const waitMs = waitOf(name, random);
  return { name, behaviour: behaviourOf(name, waitMs, random), waitMs };
}

function waitOf(name: FaultName, random: Random): number {
  if (name === 'rate-limit-short') return 40 + Math.floor(random() * 260);
  return name === 'rate-limit-long' ? 1000 + 1000 * Math.floor(random() * 2) : 0;
}

function behaviourOf(name: FaultName, waitMs: number, random: Random): SandboxBehaviour {
  switch (name) {
    case 'healthy': return healthy.behaviour;
    case 'refuse': return { type: 'refuse' };
    case 'no-answer': return { type: 'no-answer' };
    case 'silence': return { type: 'silence' };
    case 'keep-alives': return { type: 'keep-alives', everyMs: 40 };
    case 'lifecycle': return { type: 'keep-alives', everyMs: 40, lifecycle: true };
    case 'server': return { type: 'error', error: 'server' };
    case 'bad-gateway': return { type: 'error', error: 'bad-gateway' };
    case 'unavailable': return { type: 'status', status: 503, body: 'upstream connect error' };
    case 'overloaded': return { type: 'error', error: 'overloaded' };
    case 'rate-limit-short': return { type: 'error', error: 'rate-limit', retryAfter: { form: random() < 0.5 ? 'milliseconds' : 'fraction', ms: waitMs } };
    case 'rate-limit-long': return { type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: waitMs } };
    case 'rate-limit-unnamed': return { type: 'error', error: 'rate-limit' };
    case 'cut': return { type: 'cut', after: momentOf(random), how: random() < 0.34 ? 'reset' : random() < 0.5 ? 'close' : 'end' };
    case 'stall': return { type: 'stall', after: momentOf(random) };
    case 'error-in-stream': return { type: 'error-in-stream', error: random() < 0.5 ? 'server' : 'overloaded', after: momentOf(random) };
    case 'error-in-200': return { type: 'error-in-200', error: 'server' };
    case 'empty': return { type: 'empty' };
    case 'html': return { type: 'html', status: random() < 0.5 ? 200 : 502 };
    case 'content-type': return { type: 'content-type', contentType: 'text/plain' };
    case 'malformed-line': return { type: 'malformed-line', after: Math.floor(random() * 8) };
    case 'crawl': return { type: 'crawl', bytes: 97 + Math.floor(random() * 200), everyMs: 4 };
    case 'oversize': return { type: 'oversize', what: 'header', bytes: 100_000 };
    case 'redirect': return { type: 'redirect', location: 'http://127.0.0.1:9/elsewhere' };
  }
}

/** Before anything, after the opening events, inside a call, or after so many words. */
function momentOf(random: Random): StreamPoint {
  const drawnMoment = random();
  if (drawnMoment < 0.12) return 'headers';
  if (drawnMoment < 0.24) return 'prelude';
  return drawnMoment < 0.36 ? 'tool-arguments' : Math.floor(random() * 14);
}
