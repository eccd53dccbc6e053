import type { Attempt, RequestKind } from '../api/receipt.ts';

/** How soon a target begins to answer, as far as that is known and not too old. */
export interface FirstTokenAverage {
  readonly ms: number;
  /** Measurements it is made of. */
  readonly samples: number;
}

/** What one attempt says about its target. */
export type FirstTokenSample =
  /** It began to answer. */
  | { readonly kind: 'answer'; readonly ms: number }
  /** It was given up before it began to answer: it would have taken at least so long. */
  | { readonly kind: 'at-least'; readonly ms: number }
  /** It failed: it counts as slow, however fast the failure came. */
  | { readonly kind: 'failure'; readonly ms: number };

/** A failure counts as an answer that took so long (as in Linkerd's load biaser), or as long as it took. */
const failureMs = 5000;
/** What a provider needs to read a prompt that is not cached; it says nothing about the target. */
const readingMsPerToken = 0.04;
/** So much of a measurement is left at least. */
const leastKept = 0.25;
/** A plain answer comes as a whole; its time is taken down to that of so many tokens. */
const firstTokens = 50;

/** The average goes up at once by half of the difference, and comes down slowly: at most by half, with measurements close together by a tenth. */
const rise = 0.5;
const leastFall = 0.1;
const mostFall = 0.5;
const fallMs = 60_000;

/**
 * A measurement holds for a quarter of an hour; among many requests until a thousand have been measured since, and ten
 * seconds at least. Each time the next one shows the same again it holds for twice as long, so that a target that is always
 * slow is tried ever more seldom.
 */
const memoryMs = 15 * 60_000;
const memoryRequests = 1000;
const shortestMemoryMs = 10_000;
const mostDoublings = 6;
/** The least recently measured models of an endpoint are forgotten. */
const mostModels = 64;

interface Series { average: number; samples: number; at: number; counted: number; doublings: number }
interface ModelSeries { series: (Series | undefined)[] }

const kinds: Readonly<Record<RequestKind, number>> = { fast: 0, normal: 1, complex: 2 };
const failedClasses: ReadonlySet<string> = new Set(['network', 'timeout', 'server', 'overloaded', 'rate-limit', 'quota', 'auth', 'model-not-found']);

/** What the record of an attempt says about how soon its target begins to answer; undefined where that is nothing. */
export function firstTokenSampleOf({ outcome, drill, failureClass, firstTokenMs, totalMs, usage }: Attempt, stream: boolean): FirstTokenSample | undefined {
  if (drill === true || outcome === 'interrupted' || failureClass === 'local') return undefined;
  if (firstTokenMs !== undefined) {
    const { inputTokens = 0, outputTokens = 0 } = usage;
    const own = stream ? firstTokenMs : totalMs * Math.min(1, firstTokens / Math.max(1, outputTokens));
    return { kind: 'answer', ms: Math.max(own * leastKept, own - inputTokens * readingMsPerToken) };
  }
  if (outcome === 'cancelled') return { kind: 'at-least', ms: totalMs };
  if (outcome === 'failed' && failureClass !== undefined && failedClasses.has(failureClass)) return { kind: 'failure', ms: Math.max(failureMs, totalMs) };
  return undefined;
}

/**
 * Peak-sensitive moving averages of the time to the first token, by target, kind of work, and stream or not. They follow a
 * target that becomes slow at once, and one that becomes fast over a few measurements.
 */
export class FirstTokenAverages {
  readonly #endpoints = new Map<string, Map<string, ModelSeries>>();
  readonly #probes = new Map<string, number>();
  #counted = 0;

  /** @param at milliseconds since the epoch */
  observe(endpoint: string, model: string, kind: RequestKind, stream: boolean, at: number, sample: FirstTokenSample): void {
    this.#counted += 1;
    const { series } = this.#modelOf(endpoint, model);
    const place = placeOf(kind, stream);
    if (sample.kind === 'failure') {
      for (let other = 0; other < series.length; other++) if (other === place || series[other] !== undefined) series[other] = this.#after(series[other], at, sample);
      return;
    }
    series[place] = this.#after(series[place], at, sample);
  }

  /** A health check of an endpoint was answered. @param ms how long that took */
  probed(endpoint: string, ms: number): void {
    const before = this.#probes.get(endpoint);
    this.#probes.set(endpoint, before === undefined ? ms : Math.min(ms, before + rise * (ms - before)));
  }

  /** How near an endpoint is, in milliseconds of a health check; undefined where none was answered. */
  probeMs(endpoint: string): number | undefined {
    return this.#probes.get(endpoint);
  }

  /** Undefined where nothing was measured, or not lately. @param now milliseconds since the epoch */
  of(endpoint: string, model: string, kind: RequestKind, stream: boolean, now: number): FirstTokenAverage | undefined {
    const series = this.#endpoints.get(endpoint)?.get(model)?.series[placeOf(kind, stream)];
    return series === undefined || this.#isOld(series, now) ? undefined : { ms: series.average, samples: series.samples };
  }

  #after(series: Series | undefined, at: number, { kind, ms }: FirstTokenSample): Series | undefined {
    if (series === undefined || this.#isOld(series, at)) {
      // That it would have taken at least so long is no measurement to begin with.
      if (kind === 'at-least') return series;
      const doublings = series !== undefined && ms >= series.average / 2 && ms <= series.average * 2 ? Math.min(mostDoublings, series.doublings + 1) : 0;
      return { average: ms, samples: 1, at, counted: this.#counted, doublings };
    }
    if (kind === 'at-least' && ms <= series.average) return series;
    const elapsedMs = Math.max(0, at - series.at);
    if (ms > series.average) series.average = kind === 'failure' ? ms : series.average + rise * (ms - series.average);
    else if (kind === 'answer') series.average += Math.max(leastFall, Math.min(mostFall, 1 - Math.exp(-elapsedMs / fallMs))) * (ms - series.average);
    series.samples += 1;
    series.at = Math.max(series.at, at);
    series.counted = this.#counted;
    return series;
  }

  #isOld({ at, counted, doublings }: Series, now: number): boolean {
    const ageMs = now - at;
    const times = 2 ** doublings;
    return ageMs > memoryMs * times || (ageMs > shortestMemoryMs * times && this.#counted - counted > memoryRequests * times);
  }

  /** The series of a model; new ones where there are none. The map is kept in the order of last use. */
  #modelOf(endpoint: string, model: string): ModelSeries {
    let models = this.#endpoints.get(endpoint);
    if (models === undefined) {
      models = new Map();
      this.#endpoints.set(endpoint, models);
    }
    const known = models.get(model) ?? { series: new Array<Series | undefined>(6) };
    if (models.size > 1) models.delete(model);
    models.set(model, known);
    if (models.size > mostModels) for (const oldest of models.keys()) { models.delete(oldest); break; }
    return known;
  }
}

function placeOf(kind: RequestKind, stream: boolean): number {
  return kinds[kind] * 2 + (stream ? 0 : 1);
}
