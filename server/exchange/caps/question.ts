import { createHash } from 'node:crypto';
import type { ExchangeInput } from '../request.ts';
import { recentSteps } from '../purpose/recentSteps.ts';

/** What the user asked last, found in a conversation. */
export interface AskedQuestion {
  /** A digest of the words; undefined: they were not found. */
  readonly digest: string | undefined;
  /** How long the prompt is, where the question is the last thing in it, so that a turn begins or is sent again; undefined: a loop of tool calls goes on. */
  readonly begins: number | undefined;
}

/** A loop of tool calls may be long; what stands before it is not read. */
const farBack = { messages: 4_000, walkBytes: 32 * 1024 * 1024, parseBytes: 16 * 1024 * 1024, messageBytes: 64 * 1024 } as const;
const digestLength = 16;

/** The last message of the user that asks something, which is the same in each request of its turn. */
export function askedQuestion({ body, requirements }: Pick<ExchangeInput, 'body' | 'requirements'>): AskedQuestion {
  const { steps } = recentSteps(body, farBack);
  const asked = steps.find(step => step.type === 'asked');
  if (asked === undefined) return { digest: undefined, begins: undefined };
  const digest = createHash('sha256').update(asked.text).digest('base64url').slice(0, digestLength);
  return { digest, begins: steps.at(-1) === asked ? requirements.estimatedInputTokens : undefined };
}
