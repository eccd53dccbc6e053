import type { Log } from './log.ts';

const shapes: readonly RegExp[] = [
  /\b(?:sk|rk|pk|hs|cr|gsk|xai|key)[-_][A-Za-z0-9_-]{12,}/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\bAQ\.[A-Za-z0-9_-]{16,}/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/g,
];

/** Secrets this process knows, so that none of them leaves it in a log, an error or a receipt. */
export class SecretRegister {
  #secrets: string[] = [];
  /** Every spelling to look for, longest first. */
  #forms: string[] = [];

  /** Replaces the set; secrets shorter than 6 characters are placeholders such as `x` and are not searched for. */
  replace(secrets: Iterable<string>): void {
    const known = [...new Set(secrets)].filter(secret => secret.length >= 6);
    this.#secrets = known;
    this.#forms = [...new Set(known.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  }

  /** Adds secrets that are only being tried. */
  add(secrets: Iterable<string>): void {
    this.replace([...this.#secrets, ...secrets]);
  }

  /** The text without any known secret and without anything shaped like one. */
  redact(text: string): string {
    let clean = text;
    for (const form of this.#forms) if (clean.includes(form)) clean = clean.replaceAll(form, '[secret]');
    for (const shape of shapes) clean = clean.replace(shape, '[secret]');
    return clean;
  }
}

/** A secret as it is, and as it stands in JSON, in a URL and in base64. */
function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), Buffer.from(secret).toString('base64').replace(/=+$/, '')];
}

/** A log that writes lines through `write`, redacted. */
export function createLog(write: (level: 'debug' | 'info' | 'warn' | 'error', line: string) => void, register: SecretRegister): Log {
  return {
    debug: message => write('debug', register.redact(message)),
    info: message => write('info', register.redact(message)),
    warn: message => write('warn', register.redact(message)),
    error: (message, cause) => write('error', register.redact(cause === undefined ? message : `${message}: ${describe(cause)}`)),
  };
}

function describe(cause: unknown): string {
  if (cause instanceof Error) return cause.stack ?? `${cause.name}: ${cause.message}`;
  return typeof cause === 'string' ? cause : JSON.stringify(cause) ?? String(cause);
}
