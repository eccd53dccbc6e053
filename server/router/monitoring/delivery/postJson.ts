import { askedForMs } from '../../../base/headers/retryAfter.ts';
import type { Delivery, Post } from '../../../upstream/receivers.ts';

/**
 * What became of a message. `taken`: with the first part of the answer. `wait`: it may be sent again, after so many milliseconds where the
 * receiver said so.
 */
export type Posted = { kind: 'taken'; answer: string } | { kind: 'refused'; why: string } | { kind: 'wait'; why: string; afterMs?: number | undefined };

const longestWaitMs = 600_000;

/**
 * Sends JSON. Never rejects, and says nothing of the address, which may be a secret.
 * @param isTemporary whether a message that was answered so may be sent again
 */
export async function postJson(post: Post, delivery: Delivery, isTemporary: (status: number) => boolean, now: () => number = Date.now): Promise<Posted> {
  const delivered = await post({ ...delivery, headers: { 'content-type': 'application/json', ...delivery.headers } });
  if (delivered.failed !== undefined) return { kind: 'wait', why: delivered.failed };
  const { status, headers, text } = delivered;
  if (status >= 200 && status < 300) return { kind: 'taken', answer: text };
  const why = `HTTP ${String(status)}`;
  if (!isTemporary(status)) return { kind: 'refused', why };
  const afterMs = askedForMs(headers, now());
  return { kind: 'wait', why, afterMs: afterMs === undefined ? undefined : Math.min(afterMs, longestWaitMs) };
}
