import type { Requirements } from '../api/routes/requirements.ts';
import type { RequestKind } from '../api/receipt.ts';
import type { Operation } from '../catalog/operations.ts';

/** What is known of a request when it has been read. */
export interface KindFacts {
  requirements: Pick<Requirements, 'tools' | 'estimatedInputTokens' | 'maxOutputTokens'>;
  /** As the caller gave it: `chat`, `agent`, `utility`, `inline`. */
  purpose?: string | undefined;
  operation?: Operation | undefined;
  /** The request asks for reasoning. */
  thinkingAsked?: boolean | undefined;
}

/** Where it is not cached, a provider takes seconds to read a prompt of this size. */
const largePromptTokens = 32_000;
const smallPromptTokens = 4_000;
/** A title, a commit message, a few lines. */
const shortAnswerTokens = 512;

/** A person types and waits: an inline completion. */
export function isInline({ purpose, operation }: Pick<KindFacts, 'purpose' | 'operation'>): boolean {
  return purpose === 'inline' || operation === 'completion';
}

/**
 * What kind of work a request is; each kind has timers of its own. Inline completions are `fast` whatever they hold, because
 * a late one is of no use. Other requests are `fast` when their prompt is small and their answer short, and `complex` when
 * they ask for reasoning or bring a large prompt.
 */
export function requestKind(facts: KindFacts): RequestKind {
  if (isInline(facts)) return 'fast';
  const { estimatedInputTokens } = facts.requirements;
  if (facts.thinkingAsked === true || estimatedInputTokens >= largePromptTokens) return 'complex';
  return estimatedInputTokens <= smallPromptTokens && isShort(facts) ? 'fast' : 'normal';
}

function isShort({ requirements, purpose, operation }: KindFacts): boolean {
  if (operation === 'embedding') return true;
  if (requirements.tools) return false;
  return requirements.maxOutputTokens === undefined ? purpose === 'utility' : requirements.maxOutputTokens <= shortAnswerTokens;
}
