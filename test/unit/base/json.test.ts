import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../server/base/json.ts';
import { leastMs } from '../support/growth.ts';

const megabyte = 1024 * 1024;

test('a text with so many values that parsing would block the process is not parsed, whatever they are', () => {
  const texts: Record<string, string> = {
    'open brackets': '['.repeat(8 * megabyte),
    'open objects': '{"a":'.repeat(2 * megabyte),
    'empty objects': `[${'{},'.repeat(3 * megabyte)}{}]`,
    numbers: `[${'1,'.repeat(4 * megabyte)}1]`,
    texts: `[${'"",'.repeat(3 * megabyte)}""]`,
  };
  for (const [name, text] of Object.entries(texts)) {
    let value: unknown;
    // V8 takes 700 ms for eight million open brackets.
    const ms = leastMs(() => (value = parseJson(text)), 3);
    assert.equal(value, undefined, name);
    assert.ok(ms < 100, `${name}: ${ms} ms`);
  }
});

test('a long text of few values is read, whatever stands in its strings', () => {
  const text = '[{,"\\'.repeat(200_000);
  const nested = `${'['.repeat(500)}1${']'.repeat(500)}`;
  assert.deepEqual(parseJson(JSON.stringify({ text, last: [1, { two: 'x\\' }] })), { text, last: [1, { two: 'x\\' }] });
  assert.notEqual(parseJson(`${' '.repeat(100_000)}${nested}`), undefined);
  assert.equal((parseJson(`[${'1,'.repeat(400_000)}1]`) as unknown[]).length, 400_001);
});

test('counting stays linear in a text of quotes and backslashes', () => {
  for (const unit of ['\\"', '\\\\', '"\\', '"']) {
    const ms = leastMs(() => parseJson(`{"a":"${unit.repeat(2 * megabyte)}`), 3);
    assert.ok(ms < 250, `${JSON.stringify(unit)}: ${ms} ms`);
  }
});
