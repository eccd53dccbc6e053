import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { SandboxBehaviour } from '../../../server/sandbox/sandboxBehaviour.ts';
import type { SandboxProtocol } from '../../../server/sandbox/sandboxWire.ts';
import type { CallerProtocol } from './callerProtocols.ts';

export type FaultCaller = CallerProtocol | 'editor';
export type FaultMode = 'stream' | 'plain';

/** One field of the published table: who asks, how, and what the faulty target speaks. */
export interface FaultCell { caller: FaultCaller; mode: FaultMode; target: SandboxProtocol }

/** What is expected of a cell; see faultCell.ts for the words. */
export interface FaultExpectation {
  /** Such as `answered by b`. */
  outcome: string;
  /** Such as `a timeout, b ok`. */
  attempts: string;
}

/**
 * One way in which a provider fails. The faulty provider is `a`; `b` is well and comes next, except where the row says
 * that `a` is alone.
 */
export interface FaultRow {
  /** The row of the fault wall. */
  number: number;
  /** Completes "the provider …". */
  fault: string;
  modes: readonly FaultMode[];
  /** What the faulty provider does; a list is used up request by request. */
  behaviour: (cell: FaultCell) => SandboxBehaviour | readonly SandboxBehaviour[];
  expect: (cell: FaultCell) => FaultExpectation;
  /** Timers and the like of the faulty endpoint. */
  settings?: (url: string) => Partial<EndpointSettings>;
  /** How many keys the faulty endpoint has; default none. */
  keys?: number | undefined;
  /** States of the faulty endpoint's keys afterwards. */
  keyStates?: readonly string[] | undefined;
  /** State of the faulty endpoint's breaker afterwards; default closed. */
  breaker?: string | undefined;
  /** There is no other target. */
  alone?: boolean | undefined;
  /** The healthy target's model has another name and window. */
  windows?: { a: number; b: number } | undefined;
  tls?: boolean | undefined;
  /** The user asks for a tool. */
  tool?: boolean | undefined;
  /** What the ledger says of the certainty of the whole exchange's cost, where the row is about it. */
  certainty?: string | undefined;
  /** Nothing may arrive at the address the provider redirects to. */
  watchRedirect?: boolean | undefined;
  /** A text the caller's error or the receipt's message must hold. */
  says?: RegExp | undefined;
  /** A notice the editor must get, once. */
  notice?: string | undefined;
}

/** A failure nobody sees: `a` fails in this way, `b` answers. */
export function next(failureClass: string): FaultRow['expect'] {
  return () => ({ outcome: 'answered by b', attempts: `a ${failureClass}, b ok` });
}

/** A failure after the first words: HTTP callers get their protocol's error event, the editor sees a new start. */
export function broken(failureClass: string): FaultRow['expect'] {
  return ({ caller, mode }) => {
    if (mode === 'plain') return { outcome: 'answered by b', attempts: `a ${failureClass}, b ok` };
    return caller === 'editor'
      ? { outcome: 'starts again in sight, answered by b', attempts: `a ${failureClass}, b ok` }
      : { outcome: 'error event, then the connection breaks', attempts: `a ${failureClass}` };
  };
}

/** An error for the caller, in the words of each protocol. */
export function told(attempts: string, chat: string, messages: string, editor: string): FaultRow['expect'] {
  return ({ caller }) => ({ outcome: caller === 'openai-chat' ? chat : caller === 'anthropic-messages' ? messages : editor, attempts });
}
