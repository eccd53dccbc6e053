import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPasted, pastedKeys } from '../../../../../client/commands/input/pastedKeys.ts';

const read = (text: string): string[] => pastedKeys(text).map(({ secret, vendor }) => `${vendor.label} ${secret}`);

describe('a key in the box that asks for a provider', () => {
  it('is known by its shape, also with what people paste around it', () => {
    assert.deepEqual(read('  sk-ant-api03-AbCdEfGhIjKl '), ['Anthropic sk-ant-api03-AbCdEfGhIjKl']);
    assert.deepEqual(read('export GROQ_API_KEY="gsk_AbCdEfGhIjKlMnOp"'), ['Groq gsk_AbCdEfGhIjKlMnOp']);
  });

  it('may be one of several, on lines of their own or after the box made spaces of the lines, each once', () => {
    const both = ['Anthropic sk-ant-api03-AbCdEfGhIjKl', 'OpenAI sk-proj-AbCdEfGhIjKlMnOp'];
    assert.deepEqual(read('sk-ant-api03-AbCdEfGhIjKl\nsk-proj-AbCdEfGhIjKlMnOp\nsk-proj-AbCdEfGhIjKlMnOp'), both);
    assert.deepEqual(read('ANTHROPIC_API_KEY = sk-ant-api03-AbCdEfGhIjKl OPENAI_API_KEY=sk-proj-AbCdEfGhIjKlMnOp'), both);
  });

  it('is not the name of a provider, and not a text that holds other words', () => {
    for (const text of ['openrouter', 'Anthropic-compatible', 'sk-ant-', 'my key sk-ant-api03-AbCdEfGhIjKl', '']) assert.deepEqual(read(text), []);
  });

  it('comes at once, while a name is typed', () => {
    assert.ok(isPasted('', 'sk-ant-api03-AbCdEfGhIjKl'));
    assert.ok(!isPasted('Anthropic-compatibl', 'Anthropic-compatible'));
  });
});
