import type { Choice, Strategy } from './strategy.ts';

/** Entries whose load is within this factor of the least take part in the choice of two. */
const near = 1.5;
/** A target with fewer measurements gets no more requests at once than it has measurements. */
const warmedUp = 10;
const notYet = 10;
/** One in so many requests, divided by the square of those under way, also tries a target that is being tried. */
const alsoTried = 1 / 20;

interface Load { readonly choice: Choice; readonly load: number; readonly ms: number }
interface Unmeasured { readonly choice: Choice; readonly inFlight: number; readonly probeMs: number }

/**
 * The entry that is expected to begin to answer soonest comes first: the average time of its target to the first token, times
 * the requests under way there and this one (peak EWMA). Of those that are about equally fast two are drawn, and the better
 * of the two wins, so that not all requests go to one. One that was not measured lately gets one request, the nearest first.
 */
export const fastest: Strategy = (choices, { request, signals, random }) => {
  const measured: Load[] = [];
  const unmeasured: Unmeasured[] = [];
  for (const choice of choices) {
    const inFlight = signals.inFlight(choice.first);
    const average = signals.firstTokenAverage(choice.first, request);
    if (average === undefined) unmeasured.push({ choice, inFlight, probeMs: signals.probeMs(choice.first) ?? Infinity });
    else {
      const isCold = average.samples < warmedUp && inFlight >= average.samples;
      measured.push({ choice, ms: average.ms, load: average.ms * (inFlight + 1) * (isCold ? notYet : 1) });
    }
  }
  measured.sort((a, b) => a.load - b.load);
  if (unmeasured.length === 0) {
    drawOfTwo(measured, random);
    return { order: measured.map(({ choice }) => choice), why: `fastest: ${measuredText(measured)}` };
  }
  unmeasured.sort((a, b) => Number(a.inFlight > 0) - Number(b.inFlight > 0) || (a.probeMs === b.probeMs ? 0 : a.probeMs - b.probeMs) || a.inFlight - b.inFlight);
  const [next] = unmeasured as [Unmeasured];
  const known = measured.map(({ choice }) => choice);
  const unknown = unmeasured.map(({ choice }) => choice);
  if (measured.length === 0 || next.inFlight === 0 || random() < alsoTried / next.inFlight ** 2) {
    return { order: [next.choice, ...known, ...unknown.slice(1)], why: `fastest: ${next.choice.name} is tried, because it was not measured lately` };
  }
  drawOfTwo(measured, random);
  return { order: [...measured.map(({ choice }) => choice), ...unknown], why: `fastest: ${measuredText(measured)}` };
};

/** Puts the better of two that are drawn from the nearly best in front. @param loads the least first */
function drawOfTwo(loads: Load[], random: () => number): void {
  const least = loads[0]?.load ?? 0;
  let count = 1;
  while (count < loads.length && (loads[count]?.load ?? Infinity) <= near * least) count++;
  if (count < 3) return;
  const one = Math.floor(random() * count);
  const other = (one + 1 + Math.floor(random() * (count - 1))) % count;
  const [drawn] = loads.splice(Math.min(one, other), 1);
  if (drawn !== undefined) loads.unshift(drawn);
}

function measuredText([first, next]: readonly Load[]): string {
  const beside = next === undefined ? '' : `, next ${seconds(next.ms)}`;
  return `${first?.choice.name ?? ''} takes about ${seconds(first?.ms ?? 0)} to the first token${beside}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${Number((ms / 1000).toPrecision(2))} s` : `${Math.round(ms / 1000)} s`;
}
