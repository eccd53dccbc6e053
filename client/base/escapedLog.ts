import type { LogOutputChannel } from 'vscode';
import { logLines } from '../../server/api/logText.ts';

/** Methods of a log channel that write a message. */
const writing: ReadonlySet<PropertyKey> = new Set(['trace', 'debug', 'info', 'warn', 'error']);

/** The log channel, in which no text can begin a line that looks like one of the log, or be obeyed by what shows it. */
export function escapedLog(channel: LogOutputChannel): LogOutputChannel {
  return new Proxy(channel, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!writing.has(name)) return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      return (message: unknown, ...args: unknown[]): unknown => Reflect.apply(value, target, [message, ...args].map(part => logLines(textOf(part))));
    },
  });
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Error ? value.stack ?? value.message : JSON.stringify(value) ?? String(value);
}
