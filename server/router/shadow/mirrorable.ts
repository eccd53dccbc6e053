import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConversationRequest } from '../../api/conversation.ts';
import type { ShadowSkip } from '../../api/shadow.ts';
import type { Redactor } from '../../base/secrets/redact.ts';
import type { ShadowConfig } from '../../config/config.ts';
import type { ExchangeInput } from '../../exchange/request.ts';

/** A request with this header is never mirrored, whatever it says. */
export const noShadowHeader = 'x-waybill-no-shadow';

/** Fields with which a provider runs something of its own or goes on from what it keeps, beside what the decoded form says. */
const stateFields = ['conversation', 'previous_response_id', 'background', 'container', 'thread'];
const toolFields = ['mcp_servers', 'web_search_options', 'plugins'];

/** What can be told at once, before the caller's own request is sent. @returns undefined where nothing is against it */
export function refusedAtOnce({ body, headers, caller }: ExchangeInput, { exceptWorkspaces, maxBodyBytes }: ShadowConfig): ShadowSkip | undefined {
  if (headers?.[noShadowHeader] !== undefined) return 'header';
  if (caller.workspace !== undefined && exceptWorkspaces.has(caller.workspace.toLowerCase())) return 'workspace';
  if (body.kind !== 'conversation') return 'other-operation';
  if (body.raw === undefined) return undefined;
  if (body.raw.bytes.length > maxBodyBytes) return 'too-large';
  const { fields } = body.raw.scan;
  if (stateFields.some(name => fields.has(name))) return 'provider-state';
  return toolFields.some(name => fields.has(name)) ? 'provider-tools' : undefined;
}

/** What only the whole request tells, found out after the caller's own request was sent. */
export async function refusedByContent({ body }: ExchangeInput, { maxBodyBytes }: ShadowConfig, redactor: Pick<Redactor, 'redact'>): Promise<ShadowSkip | undefined> {
  if (body.kind !== 'conversation') return 'other-operation';
  let conversation: ConversationRequest;
  try {
    conversation = body.decoded();
  } catch {
    return 'unreadable';
  }
  if ((conversation.hostedTools?.length ?? 0) > 0) return 'provider-tools';
  if (conversation.providerState !== undefined) return 'provider-state';
  const text = body.raw === undefined ? JSON.stringify(conversation) : body.raw.bytes.toString('utf8');
  if (text.length > maxBodyBytes) return 'too-large';
  return await holdsSecret(text, redactor) ? 'secret' : undefined;
}

/** So much is searched in one turn of the event loop; what callers stream meanwhile waits no longer than that takes. */
const searchedAtOnce = 32 * 1024;
/** Longer than any key. */
const overlap = 4 * 1024;

/** Whether the rules of redaction find anything in a text: a known key in whatever spelling, or what is shaped like one. */
async function holdsSecret(text: string, redactor: Pick<Redactor, 'redact'>): Promise<boolean> {
  for (let from = 0; from === 0 || from + overlap < text.length; from += searchedAtOnce) {
    if (from > 0) await nextTurn();
    const piece = text.slice(from, from + searchedAtOnce + overlap);
    if (redactor.redact(piece) !== piece) return true;
  }
  return false;
}
