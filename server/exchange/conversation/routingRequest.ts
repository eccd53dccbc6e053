import { createHash } from 'node:crypto';
import type { Purpose } from '../../api/purpose.ts';
import type { Caller, RequestKind } from '../../api/receipt.ts';
import type { Requirements, RoutingRequest } from '../../routing/plan.ts';
import { purposeOf, type PurposeServices } from '../purpose/purposeOf.ts';
import type { ExchangeInput } from '../request.ts';
import { headOfBytes, headOfConversation, type BodyHead } from './bodyHead.ts';

/** The request of an exchange, as routes go by it. What costs time to find out is found out when it is first asked for. */
export class ExchangeRoutingRequest implements RoutingRequest {
  readonly requestedModel: string;
  readonly requirements: Requirements;
  readonly caller: Caller;
  readonly kind: RequestKind;
  readonly stream: boolean;
  readonly #input: ExchangeInput;
  readonly #services: PurposeServices | undefined;
  #conversation: string | undefined;
  #purpose: Purpose | undefined;

  /** @param services absent: what it is for is not found out */
  constructor(input: ExchangeInput, kind: RequestKind, services?: PurposeServices) {
    this.requestedModel = input.requestedModel;
    this.requirements = input.requirements;
    this.caller = input.caller;
    this.kind = kind;
    this.stream = input.stream;
    this.#input = input;
    this.#services = services;
  }

  get conversation(): string {
    return this.#conversation ??= conversationId(this.#input);
  }

  get purpose(): Purpose | undefined {
    return this.#purpose ??= this.#services === undefined ? undefined : purposeOf(this.#input, this, this.#services);
  }
}

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

function headOf({ body }: ExchangeInput): BodyHead | undefined {
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

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, idLength);
}
