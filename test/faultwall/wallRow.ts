import type { ProtocolName } from '../../server/api/conversation.ts';
import type { EndpointSettings, RouteSettings } from '../../server/api/settings.ts';
import type { SandboxBehaviour } from '../../server/sandbox/sandboxBehaviour.ts';
import type { Stage } from './stage.ts';

/** The caller: a client of one of the protocols over HTTP, or the editor's chat. */
export type WallCaller = ProtocolName | 'editor';
export type Mode = 'stream' | 'plain';

/** One field of the wall: the caller, its mode, and the protocol of the faulty target. */
export interface Cell { caller: WallCaller; mode: Mode; target: ProtocolName }

/** What the caller got and what it took, in the words of the published page. */
export interface Outcome {
  /** Such as `b answers`. */
  outcome: string;
  /** Such as `a timeout, b ok`. */
  attempts: string;
}

/** How one cell turned out. */
export interface Played extends Outcome {
  /** From the request to the last byte of the answer, or of the error, in milliseconds. */
  elapsedMs: number;
  /** Broken promises, in words; empty when all were kept. */
  violations: string[];
}

/**
 * One way in which a provider fails. The faulty provider is `a`; `b` is well and comes next, except where the row says
 * that `a` is alone.
 */
export interface WallRow {
  /** The row of the fault wall. */
  number: number;
  /** Completes "the provider …". */
  fault: string;
  modes: readonly Mode[];
  /** What the faulty provider does; a list is used up request by request. */
  behaviour: (cell: Cell) => SandboxBehaviour | readonly SandboxBehaviour[];
  expect: (cell: Cell) => Outcome;
  /** Cells that make no sense are left out; default: none. */
  includes?: ((cell: Cell) => boolean) | undefined;
  /** More than one request, or other questions than usual; default: ask once, then judge. */
  play?: ((stage: Stage) => Promise<Played>) | undefined;
  /** Timers and the like of the faulty endpoint. */
  settings?: ((url: string) => Partial<EndpointSettings>) | undefined;
  /** Timers and the like of the route. */
  route?: Partial<RouteSettings> | undefined;
  /** The faulty provider waits so long before it answers anything, in milliseconds. */
  latencyMs?: number | undefined;
  /** How often silence is filled for streaming callers, in milliseconds; such rows also demand that it is. */
  keepAliveMs?: number | undefined;
  /** How many keys the faulty endpoint has; default none. */
  keys?: number | undefined;
  /** States of the faulty endpoint's keys afterwards. */
  keyStates?: readonly string[] | undefined;
  /** State of the faulty endpoint's breaker afterwards; default closed. */
  breaker?: string | undefined;
  /** There is no other target. */
  alone?: boolean | undefined;
  /** Context windows of both targets' models, in tokens. */
  contextWindows?: { a: number; b: number } | undefined;
  /** A provider refuses connections: both providers then listen on ports that no other program gets. */
  refuses?: true | undefined;
  tls?: 'self-signed' | 'expired' | undefined;
  /** The user asks for a tool. */
  tool?: boolean | undefined;
  /** The history holds reasoning that another provider signed. */
  foreignReasoning?: boolean | undefined;
  /** What a whole answer of `a` says, where it is not the usual. */
  says?: string | undefined;
  /** What the ledger says of the certainty of the whole exchange's cost, where the row is about it. */
  certainty?: string | undefined;
  /** A text the caller's error or the receipt's message must hold. */
  message?: RegExp | undefined;
  /** A notice the editor must get, once. */
  notice?: string | undefined;
  /** The row applies to other gateways too: nothing in it depends on this server's own keys, breakers or settings. */
  peer?: true | undefined;
}

/** The same outcome for every cell. */
export function always<Value>(value: Value): () => Value {
  return () => value;
}

/** A failure that the caller does not see: `a` fails in this way, `b` answers. */
export function next(failureClass: string): WallRow['expect'] {
  return always({ outcome: 'b answers', attempts: `a ${failureClass}, b ok` });
}

export const errorEvent = 'error event, connection breaks';

/** A failure after the first words: HTTP callers get their protocol's error event, the editor sees a new start. */
export function broken(failureClass: string): WallRow['expect'] {
  return ({ caller, mode }) => {
    if (mode === 'plain') return { outcome: 'b answers', attempts: `a ${failureClass}, b ok` };
    return caller === 'editor'
      ? { outcome: 'starts again in sight, b answers', attempts: `a ${failureClass}, b ok` }
      : { outcome: errorEvent, attempts: `a ${failureClass}` };
  };
}

/** The same where the route resumes: `b` goes on from what HTTP callers already have. */
export function resumed(failureClass: string): WallRow['expect'] {
  return ({ caller, mode }) => {
    if (mode === 'plain') return { outcome: 'b answers', attempts: `a ${failureClass}, b ok` };
    return caller === 'editor'
      ? { outcome: 'starts again in sight, b answers', attempts: `a ${failureClass}, b ok` }
      : { outcome: 'begun by a, b goes on', attempts: `a ${failureClass}, b ok (resume)` };
  };
}

/** An error for the caller. @param http the outcome for callers over HTTP, except for the protocols in `differing` */
export function callerError(attempts: string, http: string, editor: string, differing: Partial<Record<ProtocolName, string>> = {}): WallRow['expect'] {
  return ({ caller }) => ({ outcome: caller === 'editor' ? editor : differing[caller] ?? http, attempts });
}
