import type { ProtocolName } from '../../api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { betaHeader, betaNames } from './applyRepairs.ts';
import { canLackBelow, canLackOnTop, mayDifferInValue, schemaKeywords } from './optionalParts.ts';
import { namedOutputLimit } from './outputLimit.ts';
import { hasBelow, hasKeyword, type Repair } from './repair.ts';

/** A refusal as a provider words it. */
export interface Refusal {
  /** The provider's own words. */
  readonly message: string;
  /** OpenAI's `error.param`. */
  readonly param?: string | undefined;
  /** Its machine-readable code or type. */
  readonly code?: string | undefined;
}

/** The request that was refused, as it was sent. */
export interface SentRequest {
  readonly protocol: ProtocolName;
  /** Absent for conversations. */
  readonly operation?: 'completion' | 'embedding' | undefined;
  readonly body: JsonObject;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Wordings that say that a part is not known or not supported at all. A wrong type or a figure out of range is the
 * caller's own matter, and has none of them. Sources, November 2026:
 * OpenAI "Unrecognized request argument supplied: X", "Unknown parameter: 'X'.", "Unsupported parameter: 'X' is not supported
 * with this model."; Anthropic and pydantic (vLLM, Mistral) "X: Extra inputs are not permitted", `extra_forbidden`; Google
 * "Unknown name "X": Cannot find field."; DeepSeek and other servers in Rust "unknown field `X`", "unknown variant `X`"; servers in
 * Go "json: unknown field "X""; Groq "property 'X' is unsupported"; xAI "Argument not supported on this model: X"; llama.cpp "Unsupported
 * param: X"; LM Studio "Unrecognized key(s) in object: 'X'"; DeepSeek "This response_format type is unavailable now"; JSON schema
 * validators "Additional properties are not allowed ('X' was unexpected)"; Python "got an unexpected keyword argument 'X'";
 * Anthropic "`X` is deprecated for this model."
 */
const unsupported = /unknown|unrecogni[sz]ed|unsupported|not support|n't support|not permitted|not allowed|unexpected|extra inputs|extra_forbidden|unavailable|deprecated|no longer|cannot find field|not available|not recogni[sz]ed|not implemented|invalid argument name|invalid parameter name/i;

/** Wordings that say that one value is not known, of a parameter that takes others. */
const unsupportedValue = /unknown variant|does not support ['"`]|invalid value|unsupported value|not one of|must be (?:one of )?['"`]|input should be/i;
/** Anthropic and pydantic: "Input tag 'X' found using 'type' does not match any of the expected tags: …". */
const noSuchTag = /input tag|does not match any of the expected/i;
const onlyDefault = /only the default/i;

const unsupportedCodes: ReadonlySet<string> = new Set(['unsupported_parameter', 'unknown_parameter', 'unsupported_value', 'extra_forbidden', 'unsupported_feature']);

/** Of a refusal no more is read. */
const longestMessage = 4000;
const mostTokens = 400;
const mostRepairs = 8;

/** What a refusal names that can be left out or written in another way; empty where it names nothing of that kind. */
export function refusedParts(refusal: Refusal, sent: SentRequest): Repair[] {
  const message = withoutAdvice(withoutEchoes(refusal.message.slice(0, longestMessage)));
  const says = unsupported.test(message) || (refusal.code !== undefined && unsupportedCodes.has(refusal.code));
  const header = refusedHeaders(message, says, sent);
  if (header.length > 0) return header;
  const aboutValue = unsupportedValue.test(message);
  if (sent.protocol === 'anthropic-messages' && (says || aboutValue || noSuchTag.test(message)) && /\btool_reference\b/.test(message) && hasBelow(sent.body, 'type', '"tool_reference"')) {
    return [{ kind: 'tool-references' }];
  }
  const most = namedOutputLimit(message, sent.body);
  if (most !== undefined) return [{ kind: 'output-limit', most }];
  if (!says && !aboutValue) return [];
  if (/\bdeveloper\b/.test(message) && hasDeveloper(sent.body)) return [{ kind: 'developer-role' }];
  const found: Repair[] = [];
  for (const path of namedPaths(message, refusal.param)) {
    const repair = repairOf(path, message, says, aboutValue, sent);
    if (repair !== undefined && !found.some(one => JSON.stringify(one) === JSON.stringify(repair))) found.push(repair);
    if (found.length === mostRepairs) break;
  }
  return found;
}

/** Pydantic repeats what was sent beside each place; only the places count. */
function withoutEchoes(message: string): string {
  const places = [...message.matchAll(/["']loc["']: ?[[(]([^\])]{0,300})[\])]/g)].map(([, place = '']) => place.replaceAll(/["' ]/g, '').replaceAll(',', '.'));
  return places.length === 0 || !/extra_forbidden|not permitted/.test(message) ? message : places.map(place => `${place}: Extra inputs are not permitted`).join('; ');
}

/** What a message names as the right way is not refused. */
function withoutAdvice(message: string): string {
  return message.replaceAll(/\b(?:use|try) [^.;]{0,80}? instead/gi, '').replaceAll(/, expected (?:one of )?[^.;]{0,300}/gi, '').replaceAll(/\bsupported (?:values|parameters|fields|options) are[^.;]{0,300}/gi, '');
}

function refusedHeaders(message: string, says: boolean, { headers }: SentRequest): Repair[] {
  const betas = headers[betaHeader];
  if (betas !== undefined && (/anthropic[-_]beta/i.test(message) ? says || /invalid|value/i.test(message) : /invalid beta|beta flag|beta header/i.test(message))) {
    const sent = betaNames(betas);
    const named = sent.filter(name => message.includes(name));
    // A message that names other values speaks of what was left out before.
    if (named.length === 0 && /value\(s\)/i.test(message)) return [];
    return (named.length > 0 ? named : sent).map((name): Repair => ({ kind: 'beta', name }));
  }
  const openAiBeta = 'openai-beta';
  if (headers[openAiBeta] !== undefined && message.toLowerCase().includes(openAiBeta)) return [{ kind: 'header', name: openAiBeta }];
  return [];
}

function hasDeveloper({ messages, input }: JsonObject): boolean {
  return [messages, input].some(list => Array.isArray(list) && list.some(message => isObject(message) && message.role === 'developer'));
}

/** Names that are ordinary words, too: they are names only where they stand as one. */
const ordinaryWords: ReadonlySet<string> = new Set([
  'user', 'store', 'seed', 'stop', 'metadata', 'reasoning', 'thinking', 'include', 'text', 'speed', 'container', 'background', 'prediction', 'betas', 'strict', 'detail',
  'truncation', 'title', 'user_id', 'effort', 'summary', 'default', 'format', 'pattern', 'examples', 'ttl', 'caller', 'prefix', 'name', 'refusal',
]);

/** Names and paths that a message speaks of, in order, each as its parts without indices. */
function* namedPaths(message: string, param: string | undefined): Generator<string[]> {
  if (param !== undefined && param !== '') yield partsOf(param);
  let count = 0;
  for (const { 0: token, index } of message.matchAll(/[A-Za-z_$][\w$.[\]-]*/g)) {
    count += 1;
    if (count > mostTokens) return;
    const parts = partsOf(token);
    const [only] = parts;
    if (parts.length === 0 || (parts.length === 1 && only !== undefined && ordinaryWords.has(only) && !standsAsName(message, index, token.length))) continue;
    yield parts;
  }
}

function partsOf(path: string): string[] {
  const parts = path.split(/[.[\]]+/).filter(part => part !== '' && !/^\d+$/.test(part));
  return parts[0] === 'body' || parts[0] === 'request' ? parts.slice(1) : parts;
}

/** Whether an ordinary word stands as a name: in quotes, behind a colon, or beside a word such as `parameter`. */
function standsAsName(message: string, at: number, length: number): boolean {
  const before = message.slice(Math.max(0, at - 24), at);
  const after = message.slice(at + length, at + length + 24);
  return before.trim() === '' || /['"`:;,([]\s*$/.test(before) || /(?:parameters?|arguments?|fields?|property|properties|keys?|names?|params?|options?|supplied)\s+$/i.test(before)
    || /^['"`:]/.test(after) || /^ (?:parameter|argument|field|property|param|option|is not supported|is not permitted|is unsupported|is deprecated|is no longer)/.test(after);
}

function repairOf(path: readonly string[], message: string, says: boolean, aboutValue: boolean, sent: SentRequest): Repair | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const { protocol, body } = sent;
  if (protocol === 'openai-chat' && path[0] === 'response_format' && last !== 'strict') return formatRepair(body);
  const top = keyOf(body, path[0] ?? '');
  if (path.length === 1 && top !== undefined) return topRepair(top, message, aboutValue, sent);
  for (const place of top === undefined || path.length === 1 ? Object.keys(body) : [top]) {
    const below = body[place];
    const name = spelledBelow(below, last);
    if (name !== undefined && canLackBelow(name)) {
      const value = aboutValue && !onlyDefault.test(message) ? valueBelow(below, name) : undefined;
      if (value === undefined ? says : mayDifferInValue(name)) return { kind: 'drop-below', top: place, name, value };
    }
    if (says && schemaKeywords.has(last) && hasKeyword(below, last)) return { kind: 'drop-keyword', top: place, name: last };
  }
  // A path into a parameter whose own part is not found, such as a type that stands in the path.
  return undefined;
}

function topRepair(name: string, message: string, aboutValue: boolean, { protocol, operation, body }: SentRequest): Repair | undefined {
  if (protocol === 'openai-chat' && operation === undefined) {
    const other = name === 'max_tokens' ? 'max_completion_tokens' : name === 'max_completion_tokens' ? 'max_tokens' : undefined;
    // Both names are sent by callers who do not know the server.
    if (other !== undefined) return body[other] === undefined ? { kind: 'rename', name, to: other } : { kind: 'drop', name };
  }
  if (!canLackOnTop(name, body, protocol)) return undefined;
  if (!aboutValue || onlyDefault.test(message)) return { kind: 'drop', name };
  const value = JSON.stringify(body[name]);
  return mayDifferInValue(name) ? { kind: 'drop', name, value } : unsupported.test(message.replaceAll(/unsupported value/gi, '')) ? { kind: 'drop', name } : undefined;
}

function formatRepair({ response_format: format }: JsonObject): Repair | undefined {
  if (!isObject(format)) return undefined;
  if (format.type === 'json_schema') return { kind: 'json-words', keepsMode: true };
  return format.type === 'json_object' ? { kind: 'json-words', keepsMode: false } : undefined;
}

/** The key of an object as the body spells it: Google's messages write `generation_config` for `generationConfig`. */
function keyOf(within: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(within, name)) return within[name] === undefined ? undefined : name;
  const plain = plainName(name);
  return Object.keys(within).find(key => plainName(key) === plain);
}

function spelledBelow(within: JsonValue | undefined, name: string): string | undefined {
  if (hasBelow(within, name)) return name;
  const camel = name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  if (camel !== name && hasBelow(within, camel)) return camel;
  const snake = name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
  return snake !== name && hasBelow(within, snake) ? snake : undefined;
}

/** The first value of a field below, as JSON text, where it is a short word. */
function valueBelow(within: JsonValue | undefined, name: string): string | undefined {
  if (Array.isArray(within)) {
    for (const entry of within) {
      const value = valueBelow(entry, name);
      if (value !== undefined) return value;
    }
    return undefined;
  }
  if (!isObject(within)) return undefined;
  const own = within[name];
  if (typeof own === 'string' && own.length <= 40) return JSON.stringify(own);
  return valueBelow(Object.values(within).filter(inner => inner !== undefined), name);
}

function plainName(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
