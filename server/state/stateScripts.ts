import type { StateScript } from './stateStore.ts';

/** The heartbeat of a server. KEYS: members, generation. ARGV: server, a text for a store that has no generation, when a member counts as gone in ms. @returns the store's time in ms, living members, the generation */
export const beatScript: StateScript = {
  name: 'beat',
  source: `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 86400000)
local generation = redis.call('GET', KEYS[2])
if not generation then
  generation = ARGV[2]
  redis.call('SET', KEYS[2], generation)
end
return { now, redis.call('ZCOUNT', KEYS[1], now - ARGV[3], '+inf'), generation }`,
};

/** Where members stand, by the time of their last heartbeat. */
export const membersKey = 'members';
export const generationKey = 'generation';
/** A server whose last heartbeat is older counts as gone. */
export const goneAfterMs = 10_000;
