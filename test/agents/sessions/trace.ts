import { createHash } from 'node:crypto';
import type { RequestRole, WorkKind } from '../../../server/api/purpose.ts';
import { charactersPerToken } from '../../../server/api/tokenEstimate.ts';
import type { JsonObject, JsonValue } from '../../../server/base/json.ts';
import type { RecordedRequest } from '../../unit/routing/warmth/recordedSessions.ts';
import { list } from '../wires/wire.ts';

/** A request as it came to the scripted provider. */
export interface SeenPrompt {
  /** Milliseconds since the recording began. */
  readonly at: number;
  readonly session: number;
  /** A digest of each beginning of the prompt, the shortest first. */
  readonly prefixes: readonly string[];
  /** Tokens that each of them has more than the one before. */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly tookMs: number;
}

/** What the receipt of a request says about it. */
export interface ToldRequest { conversation: string; role: RequestRole; kind: WorkKind; errand: boolean; estimatedTokens: number }

/**
 * The parts of a prompt in the order in which providers keep them: tools, instructions, then each part of the conversation. Marks of what to keep
 * are left out, because they move from request to request.
 */
export function partsOf(body: JsonObject): string[] {
  const parts: JsonValue[] = [body.tools ?? []];
  if (body.instructions !== undefined) parts.push(body.instructions);
  if (typeof body.system === 'string') parts.push(body.system);
  else parts.push(...list(body.system));
  for (const message of list(body.messages ?? body.input)) {
    const { content, ...rest } = message;
    if (Array.isArray(content)) parts.push(...content.map(part => [rest, part]));
    else parts.push(message);
  }
  return parts.map(part => JSON.stringify(part, (name, value: unknown) => (name === 'cache_control' ? undefined : value)));
}

/** Digests of all beginnings of a prompt, and the tokens of its parts by their length. */
export function prefixesOf(body: JsonObject): Pick<SeenPrompt, 'prefixes' | 'tokens' | 'promptTokens'> {
  const prefixes: string[] = [];
  const tokens: number[] = [];
  let before = '';
  for (const part of partsOf(body)) {
    before = createHash('sha256').update(before).update(part).digest('base64url');
    prefixes.push(before);
    tokens.push(Math.max(1, Math.round(part.length / charactersPerToken.likely)));
  }
  return { prefixes, tokens, promptTokens: tokens.reduce((sum, count) => sum + count, 0) };
}

/** Requests as rows of a trace, in order: which beginning each shares with an earlier one, and what follows. Digests are left out. */
export function traceOf(seen: readonly SeenPrompt[], told: ReadonlyMap<SeenPrompt, ToldRequest>): RecordedRequest[] {
  const ordered = [...seen].sort((one, other) => one.at - other.at);
  const began = ordered[0]?.at ?? 0;
  const holders = new Map<string, number>();
  const labels = new Map<string, number>();
  return ordered.map((request, index): RecordedRequest => {
    const of = told.get(request);
    if (of === undefined) throw new Error('A request has no receipt.');
    const shared = request.prefixes.findLastIndex(prefix => holders.has(prefix)) + 1;
    const from = holders.get(request.prefixes[shared - 1] ?? '') ?? -1;
    for (const prefix of request.prefixes) if (!holders.has(prefix)) holders.set(prefix, index);
    if (!labels.has(of.conversation)) labels.set(of.conversation, labels.size);
    return {
      at: Math.round((request.at - began) / 100) / 10, took: Math.round(request.tookMs / 100) / 10, session: request.session, conversation: labels.get(of.conversation) ?? 0,
      role: of.role, kind: of.kind, estimated: of.estimatedTokens, output: request.outputTokens, from, shared, added: request.tokens.slice(shared),
    };
  });
}
