import { createHash } from 'node:crypto';
import type { ExchangeInput } from '../request.ts';
import { headOfBytes, headOfConversation, type BodyHead } from './bodyHead.ts';

/** 96 bits. */
const idLength = 16;

/**
 * The id of the conversation that a request belongs to: a digest, the same in all servers, of the caller's tool with the first of
 *
 * 1. the id that the caller gave in a header, or the editor in its message, with the agent that asks (a subagent is a
 *    conversation of its own);
 * 2. the id that it gave in the body;
 * 3. the beginning of the instructions and of the first message of the user;
 * 4. the id of the exchange: a request in which nothing can be read is a conversation of its own, and so is one of embeddings.
 */
export function conversationId(input: ExchangeInput): string {
  const { caller, agent } = input;
  if (caller.conversation !== undefined) return digestOf('given', caller.tool, caller.conversation, agent ?? '');
  const head = headOf(input);
  if (head?.named !== undefined) return digestOf('named', caller.tool, head.named, agent ?? '');
  if (head === undefined || (head.system === '' && head.user === '')) return digestOf('alone', input.id);
  return digestOf('head', caller.tool, head.system, head.user, agent ?? '');
}

/** The id of a conversation or session that the caller gave in the body; undefined where it gave none. */
export function namedConversation(input: Pick<ExchangeInput, 'body'>): string | undefined {
  return headOf(input)?.named;
}

function headOf({ body }: Pick<ExchangeInput, 'body'>): BodyHead | undefined {
  if (body.kind === 'embedding') return undefined;
  if (body.raw !== undefined) return headOfBytes(body.raw);
  if (body.kind === 'completion') return { system: '', user: body.request.prompt.slice(0, 2000) };
  try {
    return headOfConversation(body.decoded());
  } catch {
    // The exchange reports what is wrong with the body when it needs it.
    return undefined;
  }
}

/** A digest of texts, which says nothing about them. */
export function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, idLength);
}
