import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { literalsIn, regexLiterals } from './regexLiterals.ts';
import { pumpsFor, type Pump } from './regexPumps.ts';

/** What doubles with each letter is caught at the first lengths; what grows with the square shows at the last. */
const lengths = [24, 30, 200, 2000, 16_000];
/** Only what was not done at once is tried with more. */
const longest = 128_000;
const atOnceMs = 1;
/** A square takes 300 ms and more for the longest, a line less than 5 ms. */
const tooLongMs = 80;
const megabyte = 2 ** 20;
const megabyteMs = 2000;

function textOf({ before, again, after }: Pump, length: number): string {
  return before + again.repeat(Math.ceil(length / again.length)) + after;
}

/** Processor time of this thread, in milliseconds: what other processes take does not count. */
function tookMs(pattern: RegExp, text: string): number {
  const begun = process.threadCpuUsage();
  text.replace(pattern, '');
  const { user, system } = process.threadCpuUsage(begun);
  return (user + system) / 1000;
}

/** The least of three runs where one took long: caches may have been cold, and a collection of garbage due. */
function slowness(pattern: RegExp, text: string): number {
  const ms = tookMs(pattern, text);
  return ms < tooLongMs ? ms : Math.min(ms, tookMs(pattern, text), tookMs(pattern, text));
}

/** The first hostile text for which a pattern takes more than linear time; undefined when there is none. */
function tooSlow(source: string, flags: string): string | undefined {
  const pattern = new RegExp(source, flags);
  let slowest: { pump: Pump; ms: number } | undefined;
  for (const pump of pumpsFor(source, flags)) {
    for (const length of [...lengths, longest]) {
      const ms = slowness(pattern, textOf(pump, length));
      if (ms > tooLongMs) return `${length} characters of ${JSON.stringify(pump)}: ${ms.toFixed(0)} ms`;
      if (slowest === undefined || ms > slowest.ms) slowest = { pump, ms };
      if (length === lengths.at(-1) && ms < atOnceMs) break;
    }
  }
  if (slowest === undefined) return undefined;
  const ms = tookMs(pattern, textOf(slowest.pump, megabyte));
  return ms < megabyteMs ? undefined : `a megabyte of ${JSON.stringify(slowest.pump)}: ${ms.toFixed(0)} ms`;
}

describe('no regular expression takes longer than its text is long', () => {
  const byFile = Map.groupBy(regexLiterals().filter(literal => literal.flags !== 'made at run time'), literal => literal.file);
  for (const [file, literals] of byFile) {
    test(`in ${file}`, () => {
      const slow = literals.flatMap(({ line, source, flags }) => {
        const found = tooSlow(source, flags);
        return found === undefined ? [] : [`${file}:${line} /${source}/${flags}: ${found}`];
      });
      assert.deepEqual(slow, []);
    });
  }
});

test('the search finds what is known to be slow', () => {
  for (const source of ['\\s+$', '(a+)+$', '\\beyJ[\\w-]{10,}\\.[\\w-]{10,}', '<title[^>]*>', '^\\s*num_ctx\\s+(\\d+)\\s*$', '(?:-20\\d\\d)+(?=$|:)', '[}\\]]\\s*[\\r\\n]\\s*$']) {
    assert.notEqual(tooSlow(source, source.startsWith('^') ? 'm' : ''), undefined, source);
  }
  for (const source of ['\\s+', '^a+$', '<[^>]*(?:>|$)', '[a-z]{1,20}-']) assert.equal(tooSlow(source, 'g'), undefined, source);
});

test('literals are found wherever they stand, also where they are text', () => {
  const found = literalsIn('x.ts', "const a = /b+/g; f(`${/c/.test(d)}`); new RegExp('e+', 'i'); RegExp(variable); const division = 1 / 2 / 3;");
  assert.deepEqual(found.map(({ source, flags }) => [source, flags]), [['b+', 'g'], ['c', ''], ['e+', 'i'], ['', 'made at run time']]);
});
