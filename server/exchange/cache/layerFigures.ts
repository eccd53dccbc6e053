/** Where answers are looked for: the memory of this server, or the store that replicas share. */
export const cacheLayers = ['memory', 'replicas'] as const;
export type CacheLayer = (typeof cacheLayers)[number];
/** How looking ended. `late`: not in time, or not asked because it was not in time before. `away`: the store cannot be used. `unreadable`: changed, cut off, or of another secret. */
export const readOutcomes = ['hit', 'miss', 'late', 'away', 'unreadable', 'error'] as const;
export type ReadOutcome = (typeof readOutcomes)[number];
/** What became of an answer that others are to have. */
export const writeOutcomes = ['stored', 'too-large', 'error'] as const;
export type WriteOutcome = (typeof writeOutcomes)[number];

const noReads = (): Record<ReadOutcome, number> => ({ hit: 0, miss: 0, late: 0, away: 0, unreadable: 0, error: 0 });

/** What response caches were asked, by layer, since the start. */
export class LayerFigures {
  readonly reads: Readonly<Record<CacheLayer, Record<ReadOutcome, number>>> = { memory: noReads(), replicas: noReads() };
  readonly writes: Record<WriteOutcome, number> = { 'stored': 0, 'too-large': 0, 'error': 0 };

  read(layer: CacheLayer, outcome: ReadOutcome): void {
    this.reads[layer][outcome] += 1;
  }

  wrote(outcome: WriteOutcome): void {
    this.writes[outcome] += 1;
  }
}
