/** Values that no provider should send, as JSON source: numbers that are none, too large, negative, or of another type. */
export const hostileScalars: readonly string[] = [
  '1e300', '-1', '"many"', 'null', '{}', '[]', 'true', '1e-300', '9007199254740993', '0.1', '-1e300', '""', '"1e300"', '1e999', `${'9'.repeat(400)}`, '"-0"', '[1]', '{"__proto__": 1}', '2147483648', '"NaN"',
];

const manyBytes = 200_000;

/** Texts that are costly to scan, forge something, or are too long. Not JSON: they are escaped where they are used. */
export const hostileTexts: readonly string[] = [
  'x'.repeat(1_000_000),
  '-eyJ'.repeat(manyBytes / 4),
  'models/'.repeat(manyBytes / 7),
  '['.repeat(manyBytes),
  '{"a":'.repeat(manyBytes / 5),
  '\u0000\u0007\u001b[31m'.repeat(1_000),
  'fine\nerror: forged line\r\nerror: another',
  '\ud800'.repeat(1_000),
  '<think>'.repeat(manyBytes / 7),
  `${'a-'.repeat(manyBytes / 2)}!`,
  `${' '.repeat(manyBytes)}x`,
  '\\"'.repeat(manyBytes / 2),
  '1'.repeat(manyBytes),
  'Bearer '.repeat(manyBytes / 7),
  `sk-${'a'.repeat(manyBytes)}`,
  '__proto__',
  'constructor',
  '\u202e\u2066drowssap\u2028error: forged',
  '%'.repeat(manyBytes),
  '@latest'.repeat(manyBytes / 7),
];
