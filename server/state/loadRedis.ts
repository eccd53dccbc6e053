import type { OpenDriver } from './stateDriver.ts';

/** The client of Redis is loaded when the configuration first names one. */
export async function loadRedis(): Promise<OpenDriver> {
  const { openRedis } = await import('./redis/redisDriver.ts');
  return openRedis;
}
