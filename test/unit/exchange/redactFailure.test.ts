import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaybillError } from '../../../server/base/failure.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { redactFailure, redactRaw } from '../../../server/exchange/redactFailure.ts';

const register = new SecretRegister();
register.replace(['hidden']);

describe('a failure that is reported', () => {
  it('holds no secret in any of its texts and is the same failure otherwise', () => {
    const error = new WaybillError('provider-auth', 'auth', 'The key hidden is wrong.', { status: 401, retryAfterMs: 5, detail: 'hidden!', providerCode: 'hidden', systemCode: 'ECONNRESET', helpUrl: 'https://example.test' });
    const { code, failureClass, message, status, retryAfterMs, detail, providerCode, systemCode, helpUrl } = redactFailure(error, register);
    assert.deepEqual({ code, failureClass, message, status, retryAfterMs, detail, providerCode, systemCode, helpUrl }, {
      code: 'provider-auth', failureClass: 'auth', message: 'The key [secret] is wrong.', status: 401, retryAfterMs: 5, detail: '[secret]!', providerCode: '[secret]',
      systemCode: 'ECONNRESET', helpUrl: 'https://example.test',
    });
  });

  it('passes on a provider\'s own body unchanged when it holds no secret, and redacted when it does', () => {
    const raw = { status: 400, contentType: 'application/json', body: Buffer.from('{"error":"é"}'), headers: { 'x-request-id': 'r1' } };
    assert.equal(redactRaw(raw, register).body, raw.body);
    const clean = redactRaw({ ...raw, body: Buffer.from('{"error":"hidden"}'), headers: { 'x-request-id': 'of-hidden' } }, register);
    assert.equal(clean.body.toString(), '{"error":"[secret]"}');
    assert.deepEqual(clean.headers, { 'x-request-id': 'of-[secret]' });
  });
});
