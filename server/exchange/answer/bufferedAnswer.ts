import type { ConversationEvent } from '../../api/conversation.ts';
import { parseSettled } from '../../base/exactJson.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { fieldValue, scanObject } from '../../base/objectScan.ts';
import type { Dialect, ProtocolCodec } from '../../protocols/codec.ts';

/** Above this, a body that is only passed on is scanned for its usage instead of parsed. */
const parseBelowBytes = 256 * 1024;
/** Top-level fields in which the protocols put the content of an answer. */
const contentFields = ['choices', 'content', 'output', 'candidates', 'data'];
/** The others, which a scan reads one by one. */
const smallFields = ['usage', 'usageMetadata', 'error', 'type', 'id', 'model', 'stop_reason', 'status'];

/**
 * What a buffered answer says, as events.
 * @param passedOn the body itself goes to the caller, so only usage, errors and emptiness matter here
 * @returns undefined when the body is not JSON
 */
export function inspectBuffered(body: Buffer, codec: ProtocolCodec, dialect: Dialect, passedOn: boolean): ConversationEvent[] | undefined {
  if (passedOn && body.length > parseBelowBytes) {
    const events = inspectLarge(body, codec, dialect);
    if (events !== undefined) return events;
  }
  const value = parseSettled(body.toString('utf8').trim());
  if (value === undefined || typeof value !== 'object' || value === null) return undefined;
  return codec.decodeResponse(value, dialect);
}

/** A body this large holds content; usage and an error are what is left to find. Undefined without a field for content: then the body is parsed as a whole. */
function inspectLarge(body: Buffer, codec: ProtocolCodec, dialect: Dialect): ConversationEvent[] | undefined {
  const scan = scanObject(body);
  if (scan === undefined || !contentFields.some(name => scan.fields.has(name))) return undefined;
  const head: JsonObject = {};
  for (const name of smallFields) {
    const value = fieldValue(body, scan, name);
    if (value !== undefined) head[name] = value as JsonValue;
  }
  // The content stays unread: it is enough that there is some.
  for (const name of contentFields) if (scan.fields.has(name)) head[name] = [];
  const saysError = head.error !== undefined || head.type === 'error';
  const events = codec.decodeResponse(head, dialect).filter(event => event.type === 'usage' || (event.type === 'error' && saysError));
  return events.some(event => event.type === 'error') ? events : [...events, { type: 'text', text: ' ' }];
}
