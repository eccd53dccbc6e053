import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logLines, logText } from '../../../server/api/logText.ts';
import { createLog, SecretRegister } from '../../../server/base/secrets/redact.ts';

const forged = 'm\nerror: forged\r\nwarn: forged\u2028error: forged\u2029\u0085\u001b[31mred\u001b[0m\u009b2J\u0000\u0007\u007f\u202egnp.\u2066x\u2069\t';
const obeyed = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

function lines(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const written: string[] = [];
  write(createLog((level, line) => written.push(`${level}: ${line}`), new SecretRegister()));
  return written.join('\n').split('\n');
}

describe('a line of the log', () => {
  it('stays one line, whatever is in it', () => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      const written = lines(log => log[level](`The model ${forged} is not known.`));
      assert.equal(written.length, 1);
      assert.ok(written[0]?.startsWith(`${level}: The model m\\nerror: forged\\r\\nwarn: forged\\u2028`), written[0]);
      assert.doesNotMatch(written[0] ?? '', obeyed);
    }
  });

  it('shows the stack of an error, and none of its lines looks like a line of the log', () => {
    const written = lines(log => log.error('It failed', new Error(forged)));
    assert.ok(written.length > 3, 'a stack can still be read');
    assert.match(written.at(-1) ?? '', /^ {4}at /);
    for (const line of written.slice(1)) assert.match(line, /^ {4}\S/);
    assert.equal(written.filter(line => /^(?:error|warn)/.test(line)).length, 1);
    assert.doesNotMatch(written.join('\n'), obeyed);
  });

  it('escapes what a cause that is no error says', () => {
    assert.equal(lines(log => log.error('It failed', 'a\nerror: forged')).filter(line => line.startsWith('error')).length, 1);
  });

  it('leaves readable text alone', () => {
    for (const text of ['Größe: 10 €', '模型', '👩‍💻 a\\b', 'a "quoted" <word>']) {
      assert.equal(logText(text), text);
      assert.equal(logLines(text), text);
    }
  });
});
