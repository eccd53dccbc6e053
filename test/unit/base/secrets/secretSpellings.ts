const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
const units = (text: string, escape: (unit: number) => string): string => Array.from({ length: text.length }, (_, index) => escape(text.charCodeAt(index))).join('');
const bytes = (text: string, escape: (byte: number) => string): string => [...Buffer.from(text)].map(escape).join('');

/** The spellings in which a provider may quote a secret. */
export const spellings: Readonly<Record<string, (secret: string) => string>> = {
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

/** So many characters of a secret in a row are too much. */
const partLength = 8;

/** Whether that many characters of a secret in a row stand in a text as they are spelled, without regard to capitals. */
export function leaks(text: string, spelled: string, secret: string, characters = partLength): boolean {
  const low = text.toLowerCase();
  const form = spelled.toLowerCase();
  const length = Math.ceil(characters * Math.max(1, form.length / secret.length));
  for (let at = 0; at + length <= form.length; at++) if (low.includes(form.slice(at, at + length))) return true;
  return false;
}

/** Parts of eight characters, one behind the other, and the last one: of what is left of a secret that was cut, one is whole. */
export function partsAround(spelled: string, secret: string): string[] {
  const form = spelled.toLowerCase();
  const length = Math.ceil(partLength * Math.max(1, form.length / secret.length));
  const parts: string[] = [];
  for (let at = 0; at + length <= form.length; at += length) parts.push(form.slice(at, at + length));
  return [...parts, form.slice(-length)];
}
