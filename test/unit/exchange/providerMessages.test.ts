import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import { WaybillError } from '../../../server/base/failure.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import { ProviderMessages } from '../../../server/exchange/providerMessages.ts';
import { redactFailure } from '../../../server/exchange/redactFailure.ts';
import { providerFailure } from '../../../server/upstream/failures/responseFailure.ts';

function receiptOf(id: string): Receipt {
  return { id, message: 'ours', attempts: [{ number: 1, message: 'ours' }, { number: 2 }] } as unknown as Receipt;
}

describe('the messages of providers', () => {
  it('are in the receipt of their own exchange, and in no other', () => {
    const words = new ProviderMessages();
    words.keep('a', 1, 'theirs');
    words.keep('a', undefined, 'all of theirs');
    const { message, attempts } = words.complete(receiptOf('a'));
    assert.deepEqual([message, ...attempts.map(attempt => attempt.message)], ['all of theirs', 'theirs', undefined]);
    assert.equal(words.complete(receiptOf('b')).message, 'ours');
  });

  it('are bounded in number and in length, and the latest is kept', () => {
    const words = new ProviderMessages();
    for (let index = 0; index < 2000; index++) words.keep(`few-${index}`, 1, 'x');
    const kept = Array.from({ length: 2000 }, (_, index) => words.ofAttempt(`few-${index}`, 1)).filter(word => word !== undefined);
    assert.ok(kept.length <= 500 && kept.length > 0, String(kept.length));
    for (let index = 0; index < 400; index++) words.keep(`long-${index}`, 1, 'x'.repeat(10_000));
    const chars = Array.from({ length: 400 }, (_, index) => words.ofAttempt(`long-${index}`, 1)?.length ?? 0).reduce((sum, length) => sum + length, 0);
    assert.ok(chars <= 512 * 1024 && chars > 0, String(chars));
    assert.equal(words.ofAttempt('long-399', 1)?.length, 10_000);
  });
});

describe('the sentence of a failure that is stored', () => {
  const provider = findProvider('openai-compatible');
  assert.ok(provider !== undefined);
  const source = { endpoint: 'north', provider, model: 'm', asked: (text: string) => text === 'projectX' };
  const register = new SecretRegister();
  register.replace(['0f3a9c7be21d4856a1b2c3d4e5f60718']);
  const stored = (error: Parameters<typeof providerFailure>[0], status: number): string => redactFailure(providerFailure(error, status, source, 0), register).storedMessage;

  it('has status and code, and none of the provider\'s words', () => {
    assert.equal(stored({ message: 'You said: hello', code: 'invalid_value' }, 400), 'north refused the request as wrong (400, invalid_value).');
    assert.equal(stored({ message: 'You said: hello', type: 'value_error.missing' }, 422), 'north refused the request as wrong (422, value_error.missing).');
    assert.equal(stored({ message: 'You said: hello' }, 500), 'north failed (500).');
    assert.equal(stored({ message: 'You said: hello', code: 'content_filter' }, 400), 'north refused the request for its content policy.');
  });

  it('has no code that is a sentence, a key, or text of the request', () => {
    for (const code of ['a sentence of the prompt', '0f3a9c7be21d4856a1b2c3d4e5f60718', 'projectX', 'x'.repeat(65), 'two\nlines', '']) assert.equal(stored({ message: 'no', code }, 400), 'north refused the request as wrong (400).', code);
  });

  it('is the message itself when the message is ours', () => {
    assert.equal(new WaybillError('offline', 'network', 'You are offline.').storedMessage, 'You are offline.');
  });
});
