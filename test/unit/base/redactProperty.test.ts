import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretRegister } from '../../../server/base/redact.ts';
import { seededRandom } from '../health/seededRandom.ts';

const secrets = [
  // Azure's and Mistral's shapes, which nothing but the register can know.
  '0f3a9c7be21d4856a1b2c3d4e5f60718', 'Zq81mNvB7cXw0pLkJhGf2RtY6uIoP4aS',
  'sk-proj-Zx9Yw8Vu7Ts6Rq5Po4Nm3Lk2Ji1Hg0', 'key"with\\strange/characters+and=more', 'pässwörd-mit-Ümlauten-ß', 'a%41b&amp;c\\u0041d#1',
  JSON.stringify({ type: 'service_account', private_key: `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBg'.repeat(40)}\n-----END PRIVATE KEY-----\n` }),
];

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
const units = (text: string, escape: (unit: number) => string): string => Array.from({ length: text.length }, (_, index) => escape(text.charCodeAt(index))).join('');
const bytes = (text: string, escape: (byte: number) => string): string => [...Buffer.from(text)].map(escape).join('');

/** The ways in which a provider may say a secret. */
const spellings: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': secret => secret,
  'in quotation marks': secret => `"${secret}"`,
  'in capitals': secret => secret.replace(/[a-z]/g, letter => letter.toUpperCase()),
  'in JSON': secret => JSON.stringify(secret),
  'in JSON in JSON': secret => JSON.stringify(JSON.stringify(secret)),
  'in JSON escapes': secret => units(secret, unit => `\\u${hex(unit, 4)}`),
  'in hexadecimal escapes of JavaScript': secret => bytes(secret, byte => `\\x${hex(byte, 2)}`),
  'in a URL': secret => encodeURIComponent(secret),
  'in a URL in small letters': secret => encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, found => found.toLowerCase()),
  'in a URL, each character': secret => bytes(secret, byte => `%${hex(byte, 2).toUpperCase()}`),
  'in a URL in a URL': secret => encodeURIComponent(encodeURIComponent(secret)),
  'in HTML': secret => secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
  'in HTML figures': secret => units(secret, unit => `&#${unit};`),
  'in HTML hexadecimal figures': secret => units(secret, unit => `&#x${hex(unit, 2)};`),
  'in base64': secret => Buffer.from(secret).toString('base64'),
  'in base64, one byte on': secret => Buffer.from(`u${secret}`).toString('base64'),
  'in base64, two bytes on': secret => Buffer.from(`u:${secret}!`).toString('base64'),
  'in base64 of a login': secret => `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
  'in base64url': secret => Buffer.from(secret).toString('base64url'),
  'in base64url, one byte on': secret => Buffer.from(`~${secret}?`).toString('base64url'),
  'in base64url, two bytes on': secret => Buffer.from(`~~${secret}?`).toString('base64url'),
  'in base64 in a URL': secret => encodeURIComponent(Buffer.from(secret).toString('base64')),
  'in hexadecimal': secret => Buffer.from(secret).toString('hex'),
  'broken over lines': secret => secret.replace(/.{5}/gsu, '$&\n  '),
};

const partLength = 8;

/** Whether eight characters in a row of a spelling stand in a text, without regard to capitals. */
function leaks(text: string, spelled: string): boolean {
  const low = text.toLowerCase();
  const form = spelled.toLowerCase();
  for (let at = 0; at + partLength <= form.length; at++) {
    const part = form.slice(at, at + partLength);
    // What is the same for every secret, such as the start of an escape or of a key file, tells nothing.
    if (low.includes(part) && !/^(?:[\\u0%&#x;\s]*|.*(?:&#|\\u00|\\x|%[0-9a-f]).*)$/s.test(part)) return true;
  }
  return false;
}

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
        assert.ok(!leaks(clean, spelled), clean.slice(0, 200));
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
          assert.ok(!leaks(excerpt, spelled), excerpt.slice(-200));
          assert.doesNotMatch(excerpt, /\[s?e?c?r?e?t?…$/);
        }
      }
    });

    it(`is in no part where the provider itself cut the text, ${how}`, () => {
      // A part of a secret that has escapes of its own cannot be told from another text.
      for (const secret of secrets.filter(one => !/^\{|%41/.test(one))) {
        const spelled = spell(secret);
        if (/escape|URL, each|figures|lines|URL in a|JSON/.test(how)) continue;
        for (let length = 1; length < Math.min(spelled.length, 80); length++) {
          const clean = known.redact(`Your key ${spelled.slice(0, length)}`);
          assert.ok(!leaks(clean, spelled) || clean.length - 'Your key '.length < partLength + 8, `${length}: ${clean}`);
        }
      }
    });
  }

  it('is taken out at every offset around the cut', () => {
    const maxLength = 300;
    for (const secret of secrets.slice(0, 3)) {
      for (let offset = maxLength - secret.length - 12; offset <= maxLength + 12; offset++) {
        const excerpt = known.excerpt(`${'x'.repeat(offset - 1)} ${secret} and so on ${'z'.repeat(1000)}`, maxLength);
        assert.ok(!leaks(excerpt, secret), `${offset}: ${excerpt}`);
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
      // The old expressions took minutes for a megabyte of the first of these.
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
