import { keyLikeSpans } from './keyLikeText.ts';
import { logLines, logText } from '../../api/logText.ts';
import type { Log } from '../log.ts';
import { shortestSecret } from './secretForms.ts';
import { SecretSearch, type Span } from './secretSearch.ts';

const mark = '[secret]';
/** An escape such as `\u0041` takes so many characters for one. */
const longestEscape = 6;
/** Beyond a cut, at least so much is looked at; longer than any key a register may not know. */
const shortestReach = 1024;

/** What takes secrets out of texts. */
export type Redactor = Pick<SecretRegister, 'redact' | 'excerpt' | 'holds'>;

/** Secrets this process knows, so that none of them leaves it in a log, an error or a receipt. */
export class SecretRegister {
  #secrets: readonly string[] = [];
  #search = new SecretSearch([]);

  /** Replaces the set; secrets shorter than 6 characters are placeholders such as `x` and are not searched for. */
  replace(secrets: Iterable<string>): void {
    this.#secrets = [...new Set(secrets)].filter(secret => secret.length >= shortestSecret);
    this.#search = new SecretSearch(this.#secrets);
  }

  /** Adds secrets that are only being tried. */
  add(secrets: Iterable<string>): void {
    this.replace([...this.#secrets, ...secrets]);
  }

  /** The text without any known secret, in whatever spelling, and without anything shaped like one. Linear time. */
  redact(text: string): string {
    const spans = this.#spans(text);
    if (spans.length === 0) return text;
    let clean = '';
    let at = 0;
    for (const { from, to } of spans) {
      clean += text.slice(at, from) + mark;
      at = to;
    }
    return clean + text.slice(at);
  }

  /**
   * The beginning of the text, redacted before it is cut: at most `maxLength` UTF-16 code units, with `…` as the last
   * where something was left out. Never ends within a character or a mark. Looks at no more of a long text than the cut
   * needs, so it may be shorter where many secrets are taken out.
   */
  excerpt(text: string, maxLength: number): string {
    const reach = Math.max(shortestReach, this.#search.longest * longestEscape);
    const used = Math.min(text.length, 2 * maxLength);
    const whole = text.length <= used + reach;
    const looked = whole ? text : text.slice(0, used + reach);
    return cut(looked, this.#spans(looked), maxLength, whole ? text.length : used);
  }

  /** Whether a whole known secret stands in the text, in whatever spelling. */
  holds(text: string): boolean {
    return this.#search.find(text, false).length > 0;
  }

  /** Where secrets stand, in order and without overlaps. */
  #spans(text: string): readonly Span[] {
    const known = this.#search.find(text, true);
    const keyLike = keyLikeSpans(text);
    if (known.length + keyLike.length < 2) return known.length > 0 ? known : keyLike;
    const found = [...known, ...keyLike];
    found.sort((a, b) => a.from - b.from || a.to - b.to);
    const merged: Span[] = [];
    for (const span of found) {
      const last = merged.at(-1);
      if (last !== undefined && span.from < last.to) last.to = Math.max(last.to, span.to);
      else merged.push({ ...span });
    }
    return merged;
  }
}

/**
 * The text up to `end` with a mark for each span, cut at `maxLength`.
 * @param end what stands behind it was looked at only for secrets that begin before it
 */
function cut(text: string, spans: readonly Span[], maxLength: number, end: number): string {
  let clean = '';
  // How much of `clean` stays when an ellipsis has to follow.
  let kept = '';
  const room = maxLength - 1;
  let at = 0;
  for (const { from, to } of [...spans.filter(span => span.from < end), { from: end, to: end }]) {
    const plain = text.slice(at, Math.max(at, from));
    const isSecret = to > from;
    if (clean === kept) kept += clean.length + plain.length > room ? wholeCharacters(plain.slice(0, room - clean.length)) : plain;
    clean += plain;
    if (isSecret) {
      if (clean === kept && clean.length + mark.length <= room) kept += mark;
      clean += mark;
    }
    at = to;
    if (clean.length > maxLength) return `${kept}…`;
  }
  return at < text.length ? `${kept}…` : clean;
}

/** Without a half of a surrogate pair at the end. */
function wholeCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}

/** A log that writes lines through `write`: redacted, and with control characters escaped, so that no text begins a line of its own. */
export function createLog(write: (level: 'debug' | 'info' | 'warn' | 'error', line: string) => void, register: SecretRegister): Log {
  const line = (message: string): string => logText(register.redact(message));
  return {
    debug: message => write('debug', line(message)),
    info: message => write('info', line(message)),
    warn: message => write('warn', line(message)),
    error: (message, cause) => write('error', cause === undefined ? line(message) : `${line(message)}: ${logLines(register.redact(describe(cause)))}`),
  };
}

function describe(cause: unknown): string {
  if (cause instanceof Error) return cause.stack ?? `${cause.name}: ${cause.message}`;
  return typeof cause === 'string' ? cause : JSON.stringify(cause) ?? String(cause);
}
