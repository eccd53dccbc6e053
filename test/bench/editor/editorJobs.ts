/** What the editor's turns carry: the 64 KB of an agent's turn with 20 tools, or 1 MB with 40. */
export type EditorHistory = 'turn' | 'megabyte';

/** How the upstream answers: like an agent's turn, as fast as it is taken, or with one word. The upstream knows it by the model. */
export type EditorAnswer = 'turn' | 'flood' | 'short';

/** What the process at the editor's end is asked to do. */
export interface EditorJob {
  /** `direct`: the same request, made before, straight to the upstream. */
  via: 'editor' | 'direct';
  history: EditorHistory;
  /** Each turn is the one before and a message more; otherwise no two conversations have a message in common. */
  continued: boolean;
  answer: EditorAnswer;
  turns: number;
  /** Turns that begin in a second; 0: one after the other. */
  perSecond: number;
  /** Looks each millisecond how long the event loop was away, which costs processor time. */
  watched: boolean;
  /** Samples what the process allocates. */
  sampled: boolean;
}

export interface EditorJobResult {
  firstTokensUs: number[];
  /** How long parts with text were on the way, from the upstream's write to the report. */
  chunkDelaysUs: number[];
  parts: number;
  /** Processor time of the process at the editor's end, all threads, what was put off included. */
  cpuUs: number;
  /** The longest time for which the event loop was away, and the longest run of the main thread. 0 unless watched. */
  longestMs: number;
  longestRunMs: number;
  /** Bytes by script address; empty unless sampled. */
  allocated: Record<string, number>;
}

/** The first message to the process. */
export interface EditorSetup {
  serverFile: string;
  /** Arguments of Node itself for the server. */
  nodeArgs: readonly string[];
  dataDir: string;
  upstreamPort: number;
}

/** What it answers: once for the setup, once for each job. */
export type EditorReply = { ready: { serverPid: number } } | { result: EditorJobResult } | { error: string };
