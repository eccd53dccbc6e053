import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { pause } from '../base/clock.ts';
import type { StreamPoint } from './sandboxBehaviour.ts';
import type { Frame } from './wires/sandboxWire.ts';

/** One step of writing a body. `forever`: nothing more happens until the client goes away or the provider closes. */
export type DeliveryStep =
  | { type: 'write'; bytes: string | Buffer }
  | { type: 'wait'; ms: number }
  | { type: 'repeat'; text: string; everyMs: number }
  | { type: 'forever' }
  | { type: 'end' }
  | { type: 'close' }
  | { type: 'reset' };

export interface Pace { firstTokenMs: number; betweenWordsMs: number }

/** How many frames come before a point of the stream. A point the stream does not have means: all content. */
export function framesBefore(frames: readonly Frame[], point: StreamPoint): number {
  switch (point) {
    case 'headers': return 0;
    case 'prelude': return countWhile(frames, (frame) => frame.kind === 'prelude');
    case 'content': return indexOrLength(frames, (frame) => frame.kind === 'finish' || frame.kind === 'terminal');
    case 'finish': return indexOrLength(frames, (frame) => frame.kind === 'terminal');
    case 'tool-arguments': {
      const first = frames.findIndex((frame) => frame.kind === 'tool-arguments');
      if (first === -1) return framesBefore(frames, 'content');
      return first + Math.floor(countWhile(frames.slice(first), (frame) => frame.kind === 'tool-arguments') / 2);
    }
    default: {
      let left = point;
      return indexOrLength(frames, (frame) => (frame.kind === 'content' || frame.kind === 'tool-arguments') && left-- === 0, 'content');
    }
  }
}

function countWhile(frames: readonly Frame[], holds: (frame: Frame) => boolean): number {
  const end = frames.findIndex((frame) => !holds(frame));
  return end === -1 ? frames.length : end;
}

function indexOrLength(frames: readonly Frame[], matches: (frame: Frame) => boolean, otherwise?: StreamPoint): number {
  const index = frames.findIndex(matches);
  if (index !== -1) return index;
  return otherwise === undefined ? frames.length : framesBefore(frames, otherwise);
}

/** Frames as writes: a pause before the first content, then one before each further piece. */
export function paced(frames: readonly Frame[], pace: Pace): DeliveryStep[] {
  const steps: DeliveryStep[] = [];
  let spoke = false;
  for (const frame of frames) {
    const pause = frame.kind !== 'content' && frame.kind !== 'tool-arguments' ? 0 : spoke ? pace.betweenWordsMs : pace.firstTokenMs;
    spoke ||= frame.kind === 'content' || frame.kind === 'tool-arguments';
    if (pause > 0) steps.push({ type: 'wait', ms: pause });
    steps.push({ type: 'write', bytes: frame.text });
  }
  return steps;
}

/** A text in slices of so many bytes, each after a pause. */
export function crawling(text: string, bytes: number, everyMs: number): DeliveryStep[] {
  const whole = Buffer.from(text);
  const steps: DeliveryStep[] = [];
  for (let from = 0; from < whole.length; from += bytes) {
    steps.push({ type: 'wait', ms: everyMs }, { type: 'write', bytes: whole.subarray(from, from + bytes) });
  }
  return steps;
}

/**
 * Writes a body step by step, waiting for the client to take what was written.
 * @param signal ends the delivery silently (the client went away, or the provider closes)
 * @param broken called right before a step breaks the connection on purpose
 */
export async function deliver(response: ServerResponse, steps: readonly DeliveryStep[], signal: AbortSignal, broken: () => void): Promise<void> {
  for (const step of steps) {
    if (signal.aborted) return;
    switch (step.type) {
      case 'write': await write(response, step.bytes, signal); break;
      case 'wait': await pause(step.ms, signal); break;
      case 'repeat': while (!signal.aborted) {
        await write(response, step.text, signal);
        await pause(step.everyMs, signal);
      } break;
      case 'forever': await forever(signal); break;
      case 'end': response.end(); return;
      case 'close': broken(); response.socket?.destroySoon(); return;
      case 'reset': broken(); response.socket?.resetAndDestroy(); return;
    }
  }
}

async function write(response: ServerResponse, bytes: string | Buffer, signal: AbortSignal): Promise<void> {
  if (response.write(bytes)) return;
  await orAborted(once(response, 'drain', { signal }));
}

/** Resolves when the signal aborts. */
export async function forever(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function orAborted(waiting: Promise<unknown>): Promise<void> {
  try {
    await waiting;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
  }
}
