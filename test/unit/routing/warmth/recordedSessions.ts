import { readFileSync } from 'node:fs';
import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../../../server/api/purpose.ts';

/** A request that a real agent sent: lengths and times, and no text. */
export interface RecordedRequest {
  /** Seconds since the first request of all sessions. */
  readonly at: number;
  /** Seconds until its answer ended. */
  readonly took: number;
  /** The place of its session in the list. */
  readonly session: number;
  /** The conversation that the router took it for, as a number. */
  readonly conversation: number;
  readonly role: RequestRole;
  readonly kind: WorkKind;
  /** The lower bound of its prompt in tokens, as the router estimated it. */
  readonly estimated: number;
  /** Tokens of the answer. */
  readonly output: number;
  /** The earlier request that begins with the same parts; -1: none does. */
  readonly from: number;
  /** How many parts are the same. */
  readonly shared: number;
  /** Tokens of each part that follows. */
  readonly added: readonly number[];
}

/** A session, and the agent that sent its requests. */
export interface RecordedSession { readonly name: string; readonly agent: string; readonly version: string }

export interface Recording {
  readonly sessions: readonly RecordedSession[];
  /** In the order of their times, of all sessions. */
  readonly requests: readonly RecordedRequest[];
}

type Row = [at: number, took: number, session: number, conversation: number, role: number, kind: number, estimated: number, output: number, from: number, shared: number, added: number[]];

const roles = Object.keys(requestRoles) as RequestRole[];
const kinds = Object.keys(workKinds) as WorkKind[];

/** A recording as a file: a line for each request. */
export function writeRecording({ sessions, requests }: Recording): string {
  const rows = requests.map(({ at, took, session, conversation, role, kind, estimated, output, from, shared, added }): Row => [at, took, session, conversation, roles.indexOf(role), kinds.indexOf(kind), estimated, output, from, shared, [...added]]);
  const lines = (list: readonly unknown[]): string => list.map(one => `  ${JSON.stringify(one)}`).join(',\n');
  return `{ "sessions": [\n${lines(sessions)}\n], "requests": [\n${lines(rows)}\n] }\n`;
}

/** @throws where a request does not go on from an earlier one */
export function readRecording(content: string): Recording {
  const { sessions, requests } = JSON.parse(content) as { sessions: RecordedSession[]; requests: Row[] };
  return {
    sessions,
    requests: requests.map(([at, took, session, conversation, role, kind, estimated, output, from, shared, added], index) => {
      if (from >= index || (from < 0 && shared > 0)) throw new Error(`Request ${index} goes on from request ${from}.`);
      return { at, took, session, conversation, role: roles[role] ?? 'main', kind: kinds[kind] ?? 'balanced', estimated, output, from, shared, added };
    }),
  };
}

const file = new URL('recorded/afternoon.json', import.meta.url);

/** An afternoon of one developer with several agents at once, recorded by `npm run agents:record`. */
export function recordedAfternoon(): Recording {
  return readRecording(readFileSync(file, 'utf8'));
}
