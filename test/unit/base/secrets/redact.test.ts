import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, SecretRegister } from '../../../../server/base/secrets/redact.ts';

function register(...secrets: string[]): SecretRegister {
  const made = new SecretRegister();
  made.replace(secrets);
  return made;
}

describe('redaction', () => {
  it('hides known secrets wherever they stand, the longer one first', () => {
    assert.equal(register('secret-one', 'secret-one-longer').redact('a secret-one-longer, secret-one.'), 'a [secret], [secret].');
  });

  it('hides a secret as it stands in JSON, in a URL and in base64', () => {
    const secret = 'a"b\\c/d+e f';
    const known = register(secret);
    for (const form of [secret, JSON.stringify(secret), encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      const clean = known.redact(`before ${form} after`);
      assert.match(clean, /\[secret\]/);
      assert.ok(clean.startsWith('before ') && clean.endsWith(' after'));
      assert.ok(!clean.includes('b\\c') && !clean.includes('%22b'), clean);
    }
  });

  const shapes = [
    'sk-proj-abcdefghijklmnop', 'sk-ant-REDACTED', 'hs-abcdefghijklmnop', 'gsk_abcdefghijklmnop', 'xai-abcdefghijklmnop', 'AIzaSyAbcdefghijklmnopqrstuv', 'AQ.Abcdefghijklmnopqrst',
    'Bearer abcdefgh12345678', 'eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT',
  ];
  for (const shape of shapes) it(`hides what is shaped like a key: ${shape.slice(0, 12)}…`, () => {
    assert.equal(register().redact(`key ${shape} is wrong`), 'key [secret] is wrong');
  });

  for (const text of ['The model gpt-4.1 is not known.', 'sk-short', 'a/m: answered', 'req_0123456789abcdef', 'x', 'keys in settings are ignored']) it(`leaves alone: ${text}`, () => {
    assert.equal(register('x', 'abc').redact(text), text);
  });

  it('knows secrets that are only being tried, until the set is replaced', () => {
    const known = register('first-secret');
    known.add(['second-secret']);
    assert.equal(known.redact('first-secret second-secret'), '[secret] [secret]');
    known.replace(['third-secret']);
    assert.equal(known.redact('first-secret third-secret'), 'first-secret [secret]');
  });

  it('writes log lines clean, causes with their stacks included', () => {
    const lines: string[] = [];
    const log = createLog((level, line) => lines.push(`${level}: ${line}`), register('hidden-word'));
    log.warn('a hidden-word');
    log.error('failed', new Error('because of hidden-word'));
    log.error('failed', { with: 'hidden-word' });
    assert.equal(lines[0], 'warn: a [secret]');
    assert.match(lines[1] ?? '', /^error: failed: Error: because of \[secret\]\n/);
    assert.equal(lines[2], 'error: failed: {"with":"[secret]"}');
  });
});
