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

/**
 * What a refusal speaks of, and nothing else is kept away for it: the key; the right of the key to one model; the model at
 * this endpoint, whatever the key; all keys of the key's account; the endpoint as it is reached from here (country, region).
 */
export type RefusalScope = 'key' | 'key-model' | 'model' | 'account' | 'endpoint';
