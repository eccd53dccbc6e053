import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogOutputChannel } from 'vscode';
import { escapedLog } from '../../../../client/base/escapedLog.ts';

describe('the log channel', () => {
  const written: unknown[][] = [];
  const channel = {
    name: 'Waybill', logLevel: 3, shown: false,
    info: (...args: unknown[]) => { written.push(['info', ...args]); },
    error: (...args: unknown[]) => { written.push(['error', ...args]); },
    show() { this.shown = true; },
  };
  const log = escapedLog(channel as unknown as LogOutputChannel);

  it('has no line that a text begins by itself', () => {
    log.info('north answers\r\n2026-11-26 10:00:00.000 [error] forged\u001b[31m\u2028x');
    log.error(new Error('It failed\n[error] forged'), 'more\n[error] forged');
    assert.deepEqual(written[0], ['info', 'north answers\\r\n    2026-11-26 10:00:00.000 [error] forged\\x1b[31m\\u2028x']);
    for (const part of written[1]?.slice(1) ?? []) for (const line of String(part).split('\n').slice(1)) assert.match(line, /^ {4}\S/);
    assert.match(String(written[1]?.[1]), /\n {4}at /, 'a stack can be read');
  });

  it('is the channel in every other way', () => {
    log.show();
    assert.equal(channel.shown, true);
    assert.equal(log.name, 'Waybill');
    assert.equal(log.logLevel, 3);
  });
});
