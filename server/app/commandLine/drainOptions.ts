import type { DrainTimes } from '../drain.ts';
import { wrong, type AskedDrain, type Wrong } from './command.ts';
import type { Given, OptionSpec } from './commandSpec.ts';

const usualTimeoutSeconds = 20;
/** Balancers that ask every few seconds have seen by then that a server is not ready. */
const usualDelaySeconds = 5;
const mostSeconds = 3600;

/** Options of `serve` about its end. */
export const draining: Readonly<Record<string, OptionSpec>> = {
  'drain-delay': { value: 'SECONDS', text: `After SIGTERM it is not ready, and still serves for so long. Default ${String(usualDelaySeconds)} where it listens for other machines, else 0.` },
  'drain-timeout': { value: 'SECONDS', text: `Then it accepts nothing new, and running requests have so long to end. Default ${String(usualTimeoutSeconds)}.` },
};

export function drainOf(given: Given): AskedDrain | Wrong {
  const [delay, timeout] = [given.has('drain-delay') ? secondsOf(given, 'drain-delay', 0) : undefined, secondsOf(given, 'drain-timeout', usualTimeoutSeconds)];
  if (typeof delay === 'object') return delay;
  return typeof timeout === 'object' ? timeout : { delayMs: delay === undefined ? undefined : delay * 1000, timeoutMs: timeout * 1000 };
}

/** @param forOthers it listens for other machines */
export function drainTimes({ delayMs, timeoutMs }: AskedDrain, forOthers: boolean): DrainTimes {
  return { delayMs: delayMs ?? (forOthers ? usualDelaySeconds * 1000 : 0), timeoutMs };
}

function secondsOf(given: Given, name: string, usual: number): number | Wrong {
  const text = given.value(name);
  const seconds = text === undefined ? usual : Number(text);
  return seconds >= 0 && seconds <= mostSeconds ? seconds : wrong(`--${name} wants seconds from 0 to ${String(mostSeconds)}, not "${text ?? ''}".`);
}
