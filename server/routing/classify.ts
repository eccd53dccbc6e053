import type { RequestKind } from '../api/receipt.ts';
import type { Operation } from '../catalog/operations.ts';
import type { Needs } from './plan.ts';

/** What is known of a request when it has been read. */
export interface KindFacts {
  needs: Pick<Needs, 'thinking' | 'tools' | 'estimatedInputTokens' | 'maxOutputTokens'>;
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
  const { needs } = facts;
  if (facts.thinkingAsked === true || needs.thinking || needs.estimatedInputTokens >= largePromptTokens) return 'complex';
  return needs.estimatedInputTokens <= smallPromptTokens && isShort(facts) ? 'fast' : 'normal';
}

function isShort({ needs, purpose, operation }: KindFacts): boolean {
  if (operation === 'embedding') return true;
  if (needs.tools) return false;
  return needs.maxOutputTokens === undefined ? purpose === 'utility' : needs.maxOutputTokens <= shortAnswerTokens;
}
