import type { Attempt, Receipt } from '../../api/receipt.ts';
import type { ShadowArm } from '../../api/shadow.ts';
import type { Likeness } from '../../shadow/compareAnswers.ts';
import type { Measured, Trial } from '../../shadow/shadowRun.ts';

/** The measures of the attempt that answered; undefined where none did. */
export function measuredOf({ attempts, outcome, stream }: Receipt): Measured | undefined {
  const answered = outcome === 'ok' ? attempts.findLast(one => one.outcome === 'ok') : undefined;
  if (answered === undefined) return undefined;
  const { firstTokenMs, totalMs, usage, cost } = answered;
  return { firstToken: stream ? firstTokenMs : undefined, total: totalMs, cost: cost.microUsd, length: usage.outputTokens };
}

/** What a mirrored request that ended says. @property receipt of the mirrored request @property own of the caller's request */
export interface EndedTrial {
  readonly arm: ShadowArm;
  readonly receipt: Receipt;
  readonly own: Receipt;
  /** It was given up, because it took too long. */
  readonly timedOut: boolean;
  readonly likeness: Likeness | undefined;
}

/**
 * What became of a mirrored request.
 * @returns `kept-away` where it was never sent; undefined where it says nothing about its target: this machine, a fire drill, or
 * the end of the server is at fault, or the request itself, which the caller's own target refused as well
 */
export function trialOf({ arm, receipt, own, timedOut, likeness }: EndedTrial): Trial | 'kept-away' | undefined {
  if (receipt.outcome === 'interrupted' || (receipt.outcome === 'cancelled' && !timedOut)) return undefined;
  if (receipt.attempts.length === 0) return timedOut ? undefined : 'kept-away';
  if (receipt.attempts.some(isDrill) || own.attempts.some(isDrill) || receipt.failureClass === 'local') return undefined;
  const answered = receipt.outcome === 'ok';
  if (!answered && own.outcome === 'failed' && isAboutRequest(own)) return undefined;
  return { arm, answered, measured: measuredOf(receipt), own: measuredOf(own), likeness };
}

function isDrill({ drill }: Attempt): boolean {
  return drill === true;
}

function isAboutRequest({ failureClass }: Receipt): boolean {
  return failureClass === 'bad-request' || failureClass === 'context-overflow' || failureClass === 'content-policy';
}
