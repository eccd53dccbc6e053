/**
 * Why an attempt or an exchange failed. The class alone decides what happens next
 * (retry here, next key, next target, or tell the caller). `local`: this machine ran out of something (open files,
 * memory, ports, disk), which says nothing of the provider.
 */
export const failureClasses = [
  'auth', 'quota', 'rate-limit', 'overloaded', 'server', 'network', 'timeout',
  'context-overflow', 'content-policy', 'model-not-found', 'bad-request', 'local', 'cancelled',
] as const;

export type FailureClass = (typeof failureClasses)[number];
