import { englishOf, said, type Said } from '../localization/said.ts';
import { spanMs } from '../localization/times.ts';
import { clockText, type Condition } from '../condition.ts';
import { requestType } from '../messageTypes.ts';

/** A time in which requests go around an endpoint, because a person said so. */
export interface Pause {
  /** Milliseconds since the epoch. */
  since: number;
  /** When it ends by itself, in milliseconds since the epoch; absent: when a person ends it. */
  until?: number | undefined;
}

export const endpointActions = ['pause', 'resume', 'probe', 'reset'] as const;
export type EndpointAction = (typeof endpointActions)[number];

/**
 * What is done with an endpoint. `pause`: requests go around it, and background probes leave it alone. `resume` ends that.
 * `probe`: asks it now. `reset`: forgets failures, so that breakers are closed and cooldowns are over.
 */
export interface EndpointOrder {
  action: EndpointAction;
  endpoint: string;
  /** Of a pause: when it ends by itself, in milliseconds since the epoch; absent: when a person ends it. */
  until?: number | undefined;
}

export interface EndpointState {
  endpoint: string;
  condition: Condition;
}

/** @property message what was done, in one sentence */
export type EndpointOrderResult = { endpoints: EndpointState[]; message: string } | { refused: string };

/** Client -> server, request: pauses, resumes, probes or resets one endpoint. */
export const endpointRequest = requestType<EndpointOrder, EndpointOrderResult>('waybill/endpoint');

/** Longer pauses than this are what disabling an endpoint is for. */
const longestPauseMs = 31 * 86_400_000;

/** The spans that people are offered, as `pauseEnd` reads them; `resumed` has no end. */
export const pauseSpans = ['15m', '1h', 'tomorrow', 'resumed'] as const;
export type PauseSpan = (typeof pauseSpans)[number];

/**
 * When a pause of a span ends: `15m`, `1h`, `2d`, `tomorrow` (the next local midnight), or `resumed`.
 * @param now milliseconds since the epoch
 * @returns undefined where the text is no span
 */
export function pauseEnd(span: string, now: number): { until?: number } | undefined {
  if (span === 'resumed') return {};
  if (span === 'tomorrow') {
    const date = new Date(now);
    return { until: new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime() };
  }
  const lengthMs = spanMs(span);
  return lengthMs !== undefined && lengthMs <= longestPauseMs ? { until: now + lengthMs } : undefined;
}

/** What is wrong with a span that `pauseEnd` does not know, and what to write. */
export const wrongSpan = 'A pause lasts 15m, 1h, 2d (31 days at most), until "tomorrow", or until it is "resumed".';

/** `paused until 18:05`, `paused until it is resumed`. @param now milliseconds since the epoch */
export function pauseText(pause: Pick<Pause, 'until'>, now: number): string {
  return englishOf(pauseSaid(pause, now));
}

/** The same with what it is made of. @param now milliseconds since the epoch */
export function pauseSaid({ until }: Pick<Pause, 'until'>, now: number): Said {
  return until === undefined ? said('paused until it is resumed') : said('paused until {0}', clockText(until, now, 'up'));
}
