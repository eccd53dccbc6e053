import type { StateScript } from '../../../state/stateStore.ts';

/** KEYS: when the route was cleared, then answers, the best first. ARGV: the longest age in ms. @returns its place, its age in ms and its text; or nothing */
export const readAnswerScript: StateScript = {
  name: 'read an answer',
  source: `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local cleared = tonumber(redis.call('GET', KEYS[1]) or '0')
for i = 2, #KEYS do
  local stored = redis.call('GET', KEYS[i])
  local space = stored and string.find(stored, ' ', 1, true)
  local at = space and tonumber(string.sub(stored, 1, space - 1))
  if at and at > cleared and now - at < tonumber(ARGV[1]) then return {i - 2, math.max(0, now - at), string.sub(stored, space + 1)} end
end
return false`,
};

/**
 * KEYS: answers by the time at which they are too old, their sizes, the sum of these, the answer. ARGV: its text, the longest age in ms, the
 * most bytes of all, for how long the tables are kept in ms. Answers that are too old first go first. @returns 1 where it is stored
 */
export const keepAnswerScript: StateScript = {
  name: 'keep an answer',
  source: `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(n) return string.format('%.0f', n) end
local function forget(name)
  local size = redis.call('HGET', KEYS[2], name)
  if size then
    redis.call('HDEL', KEYS[2], name)
    redis.call('DECRBY', KEYS[3], size)
  end
  redis.call('ZREM', KEYS[1], name)
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, 500)) do forget(name) end
forget(KEYS[4])
redis.call('DEL', KEYS[4])
local size = #ARGV[1] + 256
local most = tonumber(ARGV[3])
for _ = 1, 500 do
  if tonumber(redis.call('GET', KEYS[3]) or '0') + size <= most then break end
  local name = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not name then break end
  redis.call('DEL', name)
  forget(name)
end
if tonumber(redis.call('GET', KEYS[3]) or '0') + size > most then return 0 end
redis.call('SET', KEYS[4], text(now) .. ' ' .. ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), KEYS[4])
redis.call('HSET', KEYS[2], KEYS[4], size)
redis.call('INCRBY', KEYS[3], size)
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
return 1`,
};

/** KEYS: when the route was cleared. ARGV: for how long that is known in ms. */
export const clearAnswersScript: StateScript = {
  name: 'clear answers',
  source: `
local t = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)), 'PX', ARGV[1])
return 1`,
};
