import type { RequestKind } from '../api/receipt.ts';
import type { Operation } from '../catalog/operations.ts';
import type { Requirements } from './plan.ts';

/** What is known of a request when it has been read. */
export interface KindFacts {
  requirements: Pick<Requirements, 'thinking' | 'tools' | 'estimatedInputTokens' | 'maxOutputTokens'>;
  /** As the caller gave it: `chat`, `agent`, `utility`, `inline`. */
  purpose?: string | undefined;
  operation?: Operation | undefined;
  /** The request asks for reasoning. */
  thinkingAsked?: boolean | undefined;
}

/** Reading so much takes a provider seconds where it is not cached. */
const largePromptTokens = 32_000;
const smallPromptTokens = 4_000;
/** A title, a commit message, a few lines. */
const shortAnswerTokens = 512;

/** Somebody types and waits: an inline completion. */
export function isInline({ purpose, operation }: Pick<KindFacts, 'purpose' | 'operation'>): boolean {
  return purpose === 'inline' || operation === 'completion';
}

/**
 * What kind of work a request is; each kind is timed by itself. Inline completions are `fast` whatever they hold, for a
 * late one is worth nothing. Of the others those are `fast` whose prompt is small and whose answer is short, and those
 * `complex` that ask for reasoning or bring a large prompt.
 */
export function requestKind(facts: KindFacts): RequestKind {
  if (isInline(facts)) return 'fast';
  const { requirements } = facts;
  if (facts.thinkingAsked === true || requirements.thinking || requirements.estimatedInputTokens >= largePromptTokens) return 'complex';
  return requirements.estimatedInputTokens <= smallPromptTokens && isShort(facts) ? 'fast' : 'normal';
}

function isShort({ requirements, purpose, operation }: KindFacts): boolean {
  if (operation === 'embedding') return true;
  if (requirements.tools) return false;
  return requirements.maxOutputTokens === undefined ? purpose === 'utility' : requirements.maxOutputTokens <= shortAnswerTokens;
}
