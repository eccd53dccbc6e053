import { t } from '@vscode/l10n';
import type { Findings, NamedValue } from './foundKey.ts';
import { noFindings } from './foundKey.ts';

/** Shorter values are placeholders. */
const shortestKey = 12;
/** Longer ones are files or texts. */
const longestKey = 8192;

/** A value that names another place: a variable, a file, an entry of a password manager, a secret of an editor. */
const reference = /^(?:\$|\{(?:env|file):|\$\{|op:\/\/|vault:|keyring:|file:)/i;
const placeholder = /^(?:your|my|the|insert|put|add|replace|change|enter|paste|example|dummy|fake|test|todo|none|null|xxx|sk-xxx|sk-\.\.\.|<)/i;

const ownToken = t('is a token of Waybill itself.');
const subscription = t('is a login of a Claude subscription, for Claude Code only. Use an API key.');

/**
 * Takes a value as a key of a provider, or says why not. Empty values and placeholders are neither.
 * @param baseUrl the address that goes with it, where one is written beside it
 */
export function judged({ place, source, value }: NamedValue, provider: string, baseUrl?: string): Findings {
  const secret = value.trim();
  if (secret === '') return noFindings();
  const left = (why: string): Findings => ({ keys: [], notTaken: [{ place, source, why }] });
  if (reference.test(secret)) return left(t('refers to a secret that is kept elsewhere.'));
  if (secret.length < shortestKey || placeholder.test(secret) || secret.includes('...') || secret.includes('…')) return noFindings();
  if (secret.length > longestKey || !/^[\x21-\x7e]+$/.test(secret)) return left(t('does not look like a key.'));
  if (isOwnToken(secret)) return left(ownToken);
  if (secret.startsWith('sk-ant-oat')) return left(subscription);
  const elsewhere = ownAddress(provider, baseUrl);
  if (elsewhere === undefined) return { keys: [{ place, source, provider, secret }], notTaken: [] };
  if (elsewhere === 'unreadable') return left(t('goes with an address that cannot be read.'));
  return { keys: [{ place, source, provider: providersElsewhere[provider] ?? 'openai-compatible', secret, baseUrl: elsewhere }], notTaken: [] };
}

/** A token of Waybill's local endpoint. */
export function isOwnToken(value: string): boolean {
  return value.trim().startsWith('waybill-');
}

/** Whose protocol is spoken at an address of the user's, by whose key it is; other keys go with OpenAI's. */
const providersElsewhere: Readonly<Record<string, string>> = { anthropic: 'anthropic-compatible', gemini: 'gemini' };

/** Hosts of the vendors whose address people write although it is the default. */
const vendorHosts: Readonly<Record<string, string>> = {
  'api.openai.com': 'openai', 'api.anthropic.com': 'anthropic', 'generativelanguage.googleapis.com': 'gemini', 'openrouter.ai': 'openrouter', 'api.deepseek.com': 'deepseek',
  'api.groq.com': 'groq', 'api.mistral.ai': 'mistral', 'codestral.mistral.ai': 'codestral', 'api.x.ai': 'xai', 'api.together.xyz': 'together', 'api.fireworks.ai': 'fireworks', 'api.cerebras.ai': 'cerebras',
  'api.moonshot.ai': 'moonshot', 'api.sambanova.ai': 'sambanova', 'integrate.api.nvidia.com': 'nvidia', 'router.huggingface.co': 'huggingface', 'api.deepinfra.com': 'deepinfra', 'api.perplexity.ai': 'perplexity',
};

/** The provider whose own address this is; undefined where it is nobody's that is known. */
export function providerAt(baseUrl: string | undefined): string | undefined {
  if (baseUrl === undefined) return undefined;
  return URL.canParse(baseUrl) ? vendorHosts[new URL(baseUrl).hostname.toLowerCase()] : undefined;
}

function ownAddress(provider: string, baseUrl: string | undefined): string | undefined {
  const written = baseUrl?.trim() ?? '';
  if (written === '' || providerAt(written) === provider) return undefined;
  if (!URL.canParse(written)) return 'unreadable';
  const { protocol, username, password, search, hash } = new URL(written);
  if ((protocol !== 'https:' && protocol !== 'http:') || username !== '' || password !== '' || search !== '' || hash !== '') return 'unreadable';
  return written.replace(/(?<!\/)\/+$/, '');
}
