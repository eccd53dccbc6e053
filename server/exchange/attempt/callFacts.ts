import type { UpstreamCall } from '../../upstream/call.ts';

/** Nothing was sent: the call was never made, failed while it was being made, or was answered here. */
export function isUnsent(call: UpstreamCall | undefined): boolean {
  return call === undefined || call.source === 'injected' || call.source === 'cache';
}

/** The request met a dead connection, and went out again on a fresh one. */
export function isResent(call: UpstreamCall | undefined): boolean {
  return call?.resent === true;
}

/** Fault injection made or altered the answer: it says nothing of the provider. */
export function isDrilled(call: UpstreamCall | undefined): boolean {
  return call?.source === 'injected' || call?.source === 'altered';
}
