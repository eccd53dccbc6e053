import type { ReplicaAnswers, ReplicaAnswersOptions } from './replicaAnswers.ts';

/** What replicas share of answers is loaded when a request first asks a route for it. */
export async function loadReplicaAnswers(): Promise<(options: ReplicaAnswersOptions) => ReplicaAnswers> {
  const { createReplicaAnswers } = await import('./replicaAnswers.ts');
  return createReplicaAnswers;
}
