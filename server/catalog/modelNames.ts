import { isBedrockId, withoutBedrockParts } from './bedrockNames.ts';
import type { Provider } from './provider.ts';

/**
 * Dates in a row, `-20250929`, `-2025-04-14` or `@20250929`. Whether they are a suffix is asked once for the whole row, in
 * `dateSuffix`: a condition behind the row would be tried again from each of its dates.
 */
const dates = /(?:[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?=$|[-@:]))+/g;

/**
 * A version written with a dash: `-4-5`, `-v3-2`, `-k2-6`. Each side is a whole part of the name and has no leading
 * zero; the month and day of a preview (`-preview-05-20`, `-exp-12-19`) are not a version.
 */
const dashedVersion = /(?<!-(?:preview|exp))-([a-z]?(?:0|[1-9]\d?))-(0|[1-9]\d?)(?=$|[-:@])/g;

/**
 * The one name of a model, whatever spelling a provider, a relay or a person uses: lower case, without the maker's
 * prefix (`anthropic/…`, `models/…`), without a date, and with a dot in its version (`claude-sonnet-4.5`).
 * What tells models apart is kept: `:free` and other variants, release numbers such as `-2512`, `-preview`.
 * Canonical names stay as they are.
 */
export function canonicalModelName(spelling: string): string {
  const name = spelling.trim().toLowerCase();
  let end = name.length;
  while (name.endsWith(latest, end)) end -= latest.length;
  const bare = withoutBedrockParts(name.slice(name.lastIndexOf('/') + 1, end));
  const date = dateSuffix(bare);
  const undated = date === undefined ? bare : bare.slice(0, date.start) + bare.slice(date.end);
  return (name.startsWith(fireworksModels) ? undated.replace(fireworksVersion, '.') : undated).replace(dashedVersion, '-$1.$2');
}

/** Fireworks names models below its account, and writes versions with a `p`: `accounts/fireworks/models/glm-5p2`. */
const fireworksModels = 'accounts/fireworks/';
const fireworksVersion = /(?<=\d)p(?=\d)/g;

const latest = ':latest';

/** The dates at the end of a name, or before its `:variant`. */
function dateSuffix(name: string): { start: number; end: number } | undefined {
  for (const { 0: text, index } of name.matchAll(dates)) {
    const end = index + text.length;
    if (end === name.length || name[end] === ':') return { start: index, end };
  }
  return undefined;
}

/** The names one provider lists, ordered for finding the one that is meant. */
export interface ListedNames {
  /** In the provider's own spelling. */
  own: ReadonlySet<string>;
  /** By canonical name, the one to ask for: a name without a date, else the newest date. */
  preferred: ReadonlyMap<string, string>;
  /** Those with a date, by `snapshotName`. */
  snapshots: ReadonlyMap<string, string>;
}

/**
 * Orders the names a provider lists.
 *
 * @param names in the provider's own spelling
 * @param nameOf what makes a spelling canonical; with the user's aliases where there are any
 */
export function listedNames(names: Iterable<string>, nameOf: (spelling: string) => string = canonicalModelName): ListedNames {
  const own = new Set(names);
  const best = new Map<string, { name: string; date: string | undefined }>();
  const snapshots = new Map<string, string>();
  for (const name of own) {
    const canonical = nameOf(name);
    const date = dateOf(name);
    if (date !== undefined && !snapshots.has(snapshotKey(canonical, date))) snapshots.set(snapshotKey(canonical, date), name);
    const chosen = best.get(canonical);
    // An undated name is an alias that the provider keeps current, so it beats every date.
    if (chosen === undefined || (chosen.date !== undefined && (date === undefined || date > chosen.date))) best.set(canonical, { name, date });
  }
  return { own, preferred: new Map([...best].map(([canonical, { name }]) => [canonical, name])), snapshots };
}

/** A dated name in the form that all spellings of one snapshot share; undefined for a name without a date. */
export function snapshotName(spelling: string, nameOf: (spelling: string) => string = canonicalModelName): string | undefined {
  const date = dateOf(spelling.trim());
  return date === undefined ? undefined : snapshotKey(nameOf(spelling), date);
}

function snapshotKey(canonical: string, date: string): string {
  return `${canonical} ${date}`;
}

/** OpenAI keeps an id without a date beside its snapshots, which relays pass on: such a name never stands for one certain snapshot. */
const undatedIds = /^(?:gpt-|o\d|chatgpt-|codex-)/;

/** Whether a canonical name is itself an id of a model, which its maker leads to the newest snapshot. */
export function isUndatedId(canonical: string): boolean {
  return undatedIds.test(canonical);
}

/**
 * A dated name as a provider without a model list writes it: without the maker where it wants none, with the date after
 * `@` at Vertex AI and after a dash elsewhere, and with a version in its own spelling.
 */
export function spelledSnapshot(spelling: string, provider: Provider): string {
  const name = spelling.trim();
  if (provider.makerPrefix === true && name.includes('/')) return name;
  const bare = name.slice(name.lastIndexOf('/') + 1);
  const suffix = dateSuffix(bare);
  if (suffix === undefined) return bare;
  const written = bare.slice(suffix.start + 1, suffix.end);
  const date = provider.addressing === 'vertex' ? `@${written}` : `-${written}`;
  return `${providerSpelling(bare.slice(0, suffix.start), provider)}${date}${bare.slice(suffix.end)}`;
}

/**
 * The name under which a provider knows a model. Of the names it lists, one that reads the same wins: the very
 * spelling that was wanted, then one without a date, then the newest date. When it lists none, a spelling that is
 * not canonical is taken to be the provider's own (it was written on purpose), and a canonical one is put into
 * the provider's way of spelling.
 *
 * @param wanted a canonical name, or the spelling a person wrote for this provider
 * @param listed what the provider lists
 * @param nameOf what makes a spelling canonical; the one `listed` was made with
 */
export function upstreamModelName(wanted: string, provider: Provider, listed: ListedNames, nameOf: (spelling: string) => string = canonicalModelName): string {
  if (listed.own.has(wanted)) return wanted;
  const canonical = nameOf(wanted);
  return listed.preferred.get(canonical) ?? (wanted === canonical ? providerSpelling(canonical, provider) : wanted);
}

function dateOf(name: string): string | undefined {
  const dated = isBedrockId(name) ? withoutBedrockParts(name.slice(name.lastIndexOf('/') + 1).toLowerCase()) : name;
  const suffix = dateSuffix(dated);
  return suffix === undefined ? undefined : dated.slice(suffix.start, suffix.end).replaceAll(/\D/g, '');
}

function providerSpelling(canonical: string, provider: Provider): string {
  if (provider.modelSpelling === 'fireworks') return `${fireworksModels}models/${canonical.replaceAll(/(?<=\d)\.(?=\d)/g, 'p')}`;
  const dashed = provider.modelSpelling === 'dashes' || (provider.modelSpelling === 'claude-dashes' && canonical.startsWith('claude-'));
  const spelled = dashed ? canonical.replace(/(?<=-[a-z]?\d{1,2})\.(?=\d{1,2}(?:$|[-:]))/g, '-') : canonical;
  const maker = provider.makerPrefix === true ? makers.find(([start]) => start.test(canonical))?.[1] : undefined;
  return maker === undefined ? spelled : `${maker}/${spelled}`;
}

/** Who makes a model, as the names of OpenRouter say it. */
const makers: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, 'anthropic'],
  [/^(?:gpt-|o\d|codex-|chatgpt-)/, 'openai'],
  [/^(?:gemini-|gemma-)/, 'google'],
  [/^deepseek-/, 'deepseek'],
  [/^kimi-/, 'moonshotai'],
  [/^(?:mistral-|ministral-|codestral-|devstral-|magistral-|pixtral-)/, 'mistralai'],
  [/^grok-/, 'x-ai'],
  [/^(?:qwen|qwq)/, 'qwen'],
  [/^llama-/, 'meta-llama'],
  [/^sonar(?:-|$)/, 'perplexity'],
];
