import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { Cell, WallRow } from '../wallRow.ts';

/** Who asks a gateway, and what the providers behind it speak. */
export interface Pair { caller: ProtocolName; target: ProtocolName }

/** A question as the gateway wants it. */
export interface GatewayQuestion { headers: Record<string, string>; model: string }

/** How a gateway is configured to ask provider `a` first and then `b`. */
export interface GatewayAdapter {
  /** Pairs of protocols that it accepts and translates. */
  readonly pairs: readonly Pair[];
  /** How it was configured, as lines of Markdown. */
  readonly how: readonly string[];
  /** Ports on which the providers must listen; absent: any. */
  readonly ports?: { a: number; b: number } | undefined;
  /** @returns undefined where it cannot be put before this fault */
  question(row: WallRow, cell: Cell, base: { a: string; b: string }): GatewayQuestion | undefined;
}
