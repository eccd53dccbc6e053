import { randomBytes } from 'node:crypto';
import type { CallerHeaders } from '../../../routing/purpose/statedPurpose.ts';

/** Where a caller's request stands in a trace. Source: W3C Trace Context. */
export interface TraceParent {
  /** 32 hex digits. */
  traceId: string;
  /** The caller's span: 16 hex digits. */
  spanId: string;
  isSampled: boolean;
  /** What vendors wrote into `tracestate`; absent: nothing that is valid. */
  state?: string | undefined;
}

const parentForm = /^(?<version>[0-9a-f]{2})-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<more>-.*)?$/;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);
const longestParent = 1024;
const longestState = 512;
const mostMembers = 32;
const stateMember = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The trace that a caller's headers name; undefined where they name none, or in a form that is not valid. */
export function traceParentOf(headers: CallerHeaders | undefined): TraceParent | undefined {
  const written = headers?.['traceparent'];
  if (typeof written !== 'string' || written.length > longestParent) return undefined;
  const { version, traceId = noTrace, spanId = noSpan, flags = '', more } = parentForm.exec(written.trim())?.groups ?? {};
  if (version === undefined || version === 'ff' || traceId === noTrace || spanId === noSpan) return undefined;
  // Only later versions may have more than version 00 has.
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1, state: traceStateOf(headers?.['tracestate']) };
}

/** `tracestate` as it may go on. One wrong member makes all of it invalid. */
function traceStateOf(written: string | string[] | undefined): string | undefined {
  const text = Array.isArray(written) ? written.join(',') : written;
  if (text === undefined || text.length > longestState) return undefined;
  const members = text.split(',').map(member => member.trim()).filter(member => member !== '');
  if (members.length === 0 || members.length > mostMembers || !members.every(member => stateMember.test(member))) return undefined;
  return members.join(',');
}

/** `traceparent` of a span. */
export function traceParentText(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Makes ids of traces and spans. */
export interface TraceIds { traceId(): string; spanId(): string }

export const randomIds: TraceIds = { traceId: () => randomBytes(16).toString('hex'), spanId: () => randomBytes(8).toString('hex') };

/** Whether a share of traces has this one: the same for everybody who asks of the same trace. @param share 0 to 1 */
export function isInShare(traceId: string, share: number): boolean {
  // The last 56 bits are random: W3C Trace Context, level 2.
  return Number.parseInt(traceId.slice(18), 16) / 2 ** 56 < share;
}
