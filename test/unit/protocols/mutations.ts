import assert from 'node:assert/strict';
import { completeCalls, gatherAnswer } from '../../../server/protocols/events.ts';
import { codecFor, supportedProtocols } from '../../../server/protocols/registry.ts';
import { meta, recording, replay, seededRandom } from './replay.ts';

/** A recorded stream and the random numbers that damage it. */
export interface Mutations { bytes: Buffer; at: (length: number) => number; round: number }

/** How a damaged stream ended: as a whole answer, with an error the provider reported, or cut off, which is an error too. */
export type MutationEnd = 'whole' | 'error' | 'cut';

/** The mutations of a recorded stream; the same seed gives the same ones. */
export function mutationsOf(name: string, seed: number): Mutations {
  const bytes = recording(name);
  const random = seededRandom(seed ^ bytes.length);
  return { bytes, at: (length) => Math.floor(random() * length), round: 0 };
}

/**
 * Damages a stream once, reads it cut in two, and writes what was read to every protocol.
 * @throws AssertionError when reading makes more of it than it holds, or takes a cut call for whole; any other error is a crash
 */
export function playMutation(name: string, mutations: Mutations): MutationEnd {
  const { bytes, at } = mutations;
  mutations.round += 1;
  const damaged = damage(bytes, at);
  const cut = at(damaged.length + 1);
  const { events, terminated } = replay(name, [damaged.subarray(0, cut), damaged.subarray(cut)], { reasoningBesideOutput: mutations.round % 2 === 0 });
  const read = JSON.stringify(events).length;
  assert.ok(read <= damaged.length * 8 + 4096, `${read} characters were made of ${damaged.length} bytes`);
  for (const protocol of supportedProtocols) {
    const codec = codecFor(protocol);
    assert.ok(codec !== undefined);
    const encoder = codec.createStreamEncoder(meta);
    const written = events.map((event) => encoder.encode(event)).join('') + encoder.end();
    assert.ok(written.endsWith('\n\n'));
    assert.ok(written.length <= read * 32 + 65_536, `${written.length} characters were written of ${read}`);
    JSON.stringify(codec.encodeResponse(events, meta));
  }
  if (name.startsWith('chat') && !terminated) assert.deepEqual(completeCalls(gatherAnswer(events)), []);
  if (events.some((event) => event.type === 'error')) return 'error';
  return terminated ? 'whole' : 'cut';
}

function damage(bytes: Buffer, at: (length: number) => number): Buffer {
  const start = at(bytes.length);
  const end = Math.min(bytes.length, start + at(40));
  switch (at(6)) {
    case 0: return bytes.subarray(0, start);
    case 1: return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    case 2: return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
    case 3: {
      const changed = Buffer.from(bytes);
      changed[start] = at(256);
      return changed;
    }
    case 4: return Buffer.concat([bytes.subarray(start), bytes.subarray(0, start)]);
    default: {
      // Values of another type than promised, in otherwise sound JSON.
      const odd = ['null', '-1', '1e999', '"x"', '[]', '{}', 'true', '""'][at(8)] ?? 'null';
      const values = [...bytes.toString('utf8').matchAll(/:("[^"]*"|\d+|null|\{\}|\[\])/g)];
      const value = values[at(values.length)];
      if (value === undefined) return bytes;
      const text = bytes.toString('utf8');
      return Buffer.from(`${text.slice(0, value.index + 1)}${odd}${text.slice(value.index + value[0].length)}`);
    }
  }
}
