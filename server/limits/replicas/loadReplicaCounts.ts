import type { ReplicaCounts, ReplicaCountsOptions } from './replicaCounts.ts';

/** The count that servers on several machines share is loaded when the configuration first names a store. */
export async function loadReplicaCounts(): Promise<(options: ReplicaCountsOptions) => ReplicaCounts> {
  const { createReplicaCounts } = await import('./replicaCounts.ts');
  return createReplicaCounts;
}
