import type * as Part from './replicasPart.ts';

/** The part of the server that speaks with replicas on other machines: it is loaded when the configuration names a store that they share. */
export function loadReplicas(): Promise<typeof Part> {
  return import('./replicasPart.ts');
}
