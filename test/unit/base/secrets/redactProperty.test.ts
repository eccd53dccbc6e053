import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretRegister } from '../../../../server/base/secrets/redact.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { leaks, spellings } from './secretSpellings.ts';

const secrets = [
  // Azure's and Mistral's shapes, which nothing but the register can know.
  '0f3a9c7be21d4856a1b2c3d4e5f60718', 'Zq81mNvB7cXw0pLkJhGf2RtY6uIoP4aS',
  'sk-proj-Zx9Yw8Vu7Ts6Rq5Po4Nm3Lk2Ji1Hg0', 'key"with\\strange/characters+and=more', 'pässwörd-mit-Ümlauten-ß', 'a%41b&amp;c\\u0041d#1',
  JSON.stringify({ type: 'service_account', private_key: `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBg'.repeat(40)}\n-----END PRIVATE KEY-----\n` }),
];

function register(): SecretRegister {
  const made = new SecretRegister();
  made.replace(secrets);
  return made;
}

describe('a secret in a text', () => {
  const known = register();
  for (const [how, spell] of Object.entries(spellings)) {
    it(`is taken out ${how}`, () => {
      for (const secret of secrets) {
        const spelled = spell(secret);
        const clean = known.redact(`Your key ${spelled} is wrong.`);
        assert.match(clean, /\[secret\]/, spelled.slice(0, 80));
        assert.ok(clean.startsWith('Your key ') && clean.endsWith(' is wrong.'), clean.slice(0, 200));
        assert.ok(!leaks(clean, spelled, secret), clean.slice(0, 200));
      }
    });

    it(`is in no part in an excerpt that is cut near it, ${how}`, () => {
      const random = seededRandom(7);
      for (const secret of secrets) {
        const spelled = spell(secret);
        for (let round = 0; round < 60; round++) {
          const maxLength = 40 + Math.floor(random() * 300);
          const before = 'x '.repeat(Math.max(0, Math.floor((maxLength - random() * (spelled.length + 20)) / 2)));
          const text = `${before}${spelled}${' y'.repeat(Math.floor(random() * 4000))}`;
          const excerpt = known.excerpt(text, maxLength);
          assert.ok(excerpt.length <= maxLength, `${excerpt.length} of ${maxLength}`);
          assert.ok(!leaks(excerpt, spelled, secret), excerpt.slice(-200));
          assert.doesNotMatch(excerpt, /\[s?e?c?r?e?t?…$/);
        }
      }
    });

    it(`is in no part where the provider itself cut the text, ${how}`, () => {
      // A part of a secret that has escapes of its own cannot be distinguished from another text.
      for (const secret of secrets.filter(one => !/^\{|%41/.test(one))) {
        const spelled = spell(secret);
        // Escapes are longer than other characters, so the part is counted in the mean.
        for (let length = 1; length < Math.min(spelled.length, 300); length++) {
          const clean = known.redact(`Your key ${spelled.slice(0, length)}`);
          assert.ok(!leaks(clean, spelled.replace(/^Basic /, ''), secret, 12), `${length}: ${clean}`);
        }
      }
    });
  }

  it('is taken out at every offset around the cut', () => {
    const maxLength = 300;
    for (const secret of secrets.slice(0, 3)) {
      for (let offset = maxLength - secret.length - 12; offset <= maxLength + 12; offset++) {
        const excerpt = known.excerpt(`${'x'.repeat(offset - 1)} ${secret} and so on ${'z'.repeat(1000)}`, maxLength);
        assert.ok(!leaks(excerpt, secret, secret), `${offset}: ${excerpt}`);
        assert.ok(excerpt.length <= maxLength && excerpt.length > maxLength - secret.length - 12);
      }
    }
  });
});

describe('an excerpt', () => {
  const known = register();
  it('is the text itself where that is short', () => assert.equal(known.excerpt('all of it', 9), 'all of it'));
  it('ends with an ellipsis where it was cut', () => assert.equal(known.excerpt('all of it', 8), 'all of …'));
  it('does not end within a character', () => {
    for (let maxLength = 1; maxLength < 12; maxLength++) assert.ok(known.excerpt('😀😀😀😀😀😀', maxLength).isWellFormed(), String(maxLength));
  });
  it('is filled up although a secret before the cut was longer than its mark', () => {
    assert.equal(known.excerpt(`${secrets[0] ?? ''} ${'word '.repeat(100)}`, 30), '[secret] word word word word …');
  });
});

describe('the time to redact a text', () => {
  const many = new SecretRegister();
  many.replace(Array.from({ length: 200 }, (_, index) => `sk-ant-api03-${index.toString(36).padStart(4, '0')}-${'Zq81mNvB7cXw0pLk'.slice(index % 9)}${index * 7919}`));
  const megabyte = 1 << 20;
  const hostile: Readonly<Record<string, string>> = {
    'starts of tokens': '-eyJ-eyJ', 'tokens with dots': 'eyJaaaaaaaaaa.', 'starts of keys': 'sk-ant-api03-', 'words that announce a key': 'Bearer ', 'announcements and space': 'Bearer          ',
    'half escapes': '%4%', 'escapes': '\\u0041', 'backslashes': '\\', 'entities': '&#', 'ampersands': '&', 'keys almost': 'sk-ant-api03-0001-Zq81mNvB7cXw0pL_', 'spaces': ' ', 'one letter': 'a',
    'starts of key files': '-----BEGIN PRIVATE KEY-----', 'surrogates': '\ud83d', 'prefixes': 'sk-sk_key-',
  };
  for (const [what, unit] of Object.entries(hostile)) {
    it(`grows with its length and no faster: 1 MB of ${what}`, () => {
      const text = unit.repeat(Math.ceil(megabyte / unit.length));
      const startedAt = performance.now();
      many.redact(text);
      // An expression that starts again at each character takes minutes for a megabyte of the first of these.
      assert.ok(performance.now() - startedAt < 2000, `${performance.now() - startedAt} ms`);
    });
  }

  it('does not depend on what is behind an excerpt', () => {
    const text = '-eyJ'.repeat(32 << 20);
    const startedAt = performance.now();
    for (let round = 0; round < 20; round++) many.excerpt(text, 300);
    assert.ok(performance.now() - startedAt < 2000);
  });
});
