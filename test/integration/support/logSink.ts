import assert from 'node:assert/strict';

export interface LogLine { level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** Gathers what a server logs. An error line nobody expected fails the test that asks at its end. */
export class LogSink {
  readonly lines: LogLine[] = [];
  #expected: RegExp[] = [];

  write(level: LogLine['level'], text: string): void {
    this.lines.push({ level, text });
  }

  /** From now on an error line like this is no surprise. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** @throws AssertionError when an error was logged that nobody expected */
  assertQuiet(): void {
    const surprises = this.lines.filter(line => line.level === 'error' && !this.#expected.some(pattern => pattern.test(line.text)));
    assert.deepEqual(surprises, [], 'the server logged errors nobody expected');
  }

  get text(): string {
    return this.lines.map(line => `${line.level}: ${line.text}`).join('\n');
  }
}
