/**
 * Why an attempt or an exchange failed. The class alone decides what happens next
 * (retry here, next key, next target, or tell the caller).
 */
export const failureClasses = [
  'auth', 'quota', 'rate-limit', 'overloaded', 'server', 'network', 'timeout',
  'context-overflow', 'content-policy', 'model-not-found', 'bad-request', 'cancelled',
] as const;

export type FailureClass = (typeof failureClasses)[number];
