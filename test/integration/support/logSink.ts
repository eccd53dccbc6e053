import assert from 'node:assert/strict';

export interface LogLine { level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** Gathers what a server logs. An unexpected error line fails the test that calls `assertQuiet`. */
export class LogSink {
  readonly lines: LogLine[] = [];
  #expected: RegExp[] = [];

  write(level: LogLine['level'], text: string): void {
    this.lines.push({ level, text });
  }

  /** From now on an error line that matches is expected. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** @throws AssertionError when the server logged an unexpected error */
  assertQuiet(): void {
    const unexpected = this.lines.filter(line => line.level === 'error' && !this.#expected.some(pattern => pattern.test(line.text)));
    assert.deepEqual(unexpected, [], 'the server logged unexpected errors');
  }

  get text(): string {
    return this.lines.map(line => `${line.level}: ${line.text}`).join('\n');
  }
}
