import type { Provider } from './provider.ts';

/** `-20250929`, `-2025-04-14` or `@20250929` at the end of a name, or before its `:variant`. */
const dateSuffix = /(?:[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01]))+(?=$|:)/;

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
  const bare = name.slice(name.lastIndexOf('/') + 1);
  return bare
    .replace(/(?::latest)+$/, '')
    .replace(dateSuffix, '')
    .replace(dashedVersion, '-$1.$2');
}

/**
 * The name under which a provider knows a model. Of the names it lists, one that reads the same wins: the very
 * spelling that was wanted, then one without a date, then the newest date. When it lists none, a spelling that is
 * not canonical is taken to be the provider's own (somebody wrote it on purpose), and a canonical one is put into
 * the provider's way of spelling.
 *
 * @param wanted a canonical name, or the spelling a person wrote for this provider
 * @param discovered names the provider listed, in its own spelling
 * @param nameOf what makes a spelling canonical; with the user's aliases where there are any
 */
export function upstreamModelName(wanted: string, provider: Provider, discovered: readonly string[], nameOf: (spelling: string) => string = canonicalModelName): string {
  if (discovered.includes(wanted)) return wanted;
  const canonical = nameOf(wanted);
  const same = discovered.filter(name => nameOf(name) === canonical);
  const best = same.reduce<string | undefined>((chosen, name) => (chosen === undefined || isBetter(name, chosen) ? name : chosen), undefined);
  if (best !== undefined) return best;
  return wanted === canonical ? providerSpelling(canonical, provider) : wanted;
}

/** An undated name is an alias that the provider keeps current, so it beats every date. */
function isBetter(name: string, chosen: string): boolean {
  const date = dateOf(name);
  const chosenDate = dateOf(chosen);
  if (chosenDate === undefined) return false;
  return date === undefined || date > chosenDate;
}

function dateOf(name: string): string | undefined {
  return dateSuffix.exec(name)?.[0].replaceAll(/\D/g, '');
}

function providerSpelling(canonical: string, provider: Provider): string {
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
];
