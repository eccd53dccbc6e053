import type { StateScript } from '../../state/stateStore.ts';

/*
 * What servers count in Redis. All times are those of Redis. Every name stands behind the prefix.
 *   w:SCOPE     requests (rSECOND) and tokens (tSECOND) of a limit in the seconds of the last minute
 *   n:SCOPE     requests under way by server
 *   a:KEY       an allowance: x is allowed on top; by ledger s|LEDGER was settled, of it u|LEDGER nobody knows, r|LEDGER is reserved, c|LEDGER changed last
 *   held:SERVER what the requests of a server that run have taken: "SECOND JSON" by the id of the hold
 *   gone        the same of servers that are gone, for a day
 *   holders     servers with holds
 *   changed     allowances of budgets by the time of their last change
 */

/** Reads the time, windows and allowances. */
const common = `
local t = redis.call('TIME')
local second = tonumber(t[1])
local now = second * 1000 + math.floor(t[2] / 1000)
-- Keys that hold something else than a count keep the others from nothing.
local bad = {}
local function safely(key, work) if not pcall(work) then bad[#bad + 1] = key end end
local function whole(value) return string.format('%.0f', value) end
local function windowOf(key)
  local flat = redis.call('HGETALL', key)
  local requests, tokens, old = 0, 0, {}
  for i = 1, #flat, 2 do
    if tonumber(string.sub(flat[i], 2)) < second - 60 then old[#old + 1] = flat[i]
    elseif string.sub(flat[i], 1, 1) == 'r' then requests = requests + flat[i + 1]
    else tokens = tokens + flat[i + 1] end
  end
  if #old > 0 then redis.call('HDEL', key, unpack(old)) end
  return requests, tokens
end
local function secondsOf(key)
  local flat = redis.call('HGETALL', key)
  local by, order = {}, {}
  for i = 1, #flat, 2 do
    local at = tonumber(string.sub(flat[i], 2))
    if not by[at] then by[at] = { 0, 0 } order[#order + 1] = at end
    if string.sub(flat[i], 1, 1) == 'r' then by[at][1] = tonumber(flat[i + 1]) else by[at][2] = tonumber(flat[i + 1]) end
  end
  table.sort(order)
  local made = {}
  for _, at in ipairs(order) do made[#made + 1] = at made[#made + 1] = by[at][1] made[#made + 1] = by[at][2] end
  return made
end
local function use(key, at, requests, tokens)
  if at < second - 60 then return end
  if requests ~= 0 then redis.call('HINCRBY', key, 'r' .. whole(at), whole(requests)) end
  if tokens ~= 0 then redis.call('HINCRBY', key, 't' .. whole(at), whole(tokens)) end
  redis.call('EXPIRE', key, 130)
end
local function runningOf(key)
  local running = 0
  for _, value in ipairs(redis.call('HVALS', key)) do running = running + value end
  return running
end
local function allowanceOf(key, ledger, start)
  local flat = redis.call('HGETALL', key)
  local one = { settled = 0, extra = 0, reserved = 0, unknown = 0, ownSettled = start, ownReserved = 0, ownUnknown = 0, ownChanged = 0, isOwn = false }
  for i = 1, #flat, 2 do
    local field, value = flat[i], tonumber(flat[i + 1])
    local kind, of = string.sub(field, 1, 2), string.sub(field, 3)
    if field == 'x' then one.extra = value
    elseif kind == 's|' then one.settled = one.settled + value if of == ledger then one.ownSettled = value one.isOwn = true end
    elseif kind == 'r|' then one.reserved = one.reserved + value if of == ledger then one.ownReserved = value end
    elseif kind == 'u|' then one.unknown = one.unknown + value if of == ledger then one.ownUnknown = value end
    elseif kind == 'c|' and of == ledger then one.ownChanged = value end
  end
  if not one.isOwn then one.settled = one.settled + start end
  one.used = one.settled + one.reserved
  return one
end
local function stateOf(one)
  return { one.used, one.extra, one.reserved, one.unknown, one.ownSettled, one.ownReserved, one.ownUnknown, one.ownChanged }
end
local function change(key, name, changed, ledger, start, settled, reserved, unknown, isBudget)
  if redis.call('HEXISTS', key, 's|' .. ledger) == 0 then redis.call('HSET', key, 's|' .. ledger, whole(start)) end
  if settled ~= 0 then redis.call('HINCRBY', key, 's|' .. ledger, whole(settled)) end
  if reserved ~= 0 then
    local left = redis.call('HINCRBY', key, 'r|' .. ledger, whole(reserved))
    if left <= 0 then redis.call('HDEL', key, 'r|' .. ledger) end
  end
  if unknown ~= 0 then redis.call('HINCRBY', key, 'u|' .. ledger, whole(unknown)) end
  redis.call('HSET', key, 'c|' .. ledger, whole(now))
  redis.call('EXPIRE', key, 3456000)
  if isBudget then safely(changed, function() redis.call('ZADD', changed, now, name) end) end
end
local function leave(key, member)
  if redis.call('HINCRBY', key, member, -1) <= 0 then redis.call('HDEL', key, member) end
end
`;

/**
 * Takes what one attempt needs of all its limits and allowances, or nothing.
 * KEYS: held, gone, holders, changed; w and n of each claim; a of each allowance.
 * ARGV: server, ledger, forced (1: it runs already; windows are not added to), second of forced ones, number of claims, of allowances, amount, holds (id and JSON of the attempt, then of its token, empty ids where there is none), the last moment at which it is carried out;
 * of each claim: requests and tokens a minute and requests at once (-1: no limit), tokens, whether it counts at once;
 * of each allowance: limit, whether it refuses, what it begins with, whether it is of a budget, its name.
 * Answer: 1, time, second, state of each allowance, keys of another kind; or 0, time, claim, running, seconds; or 2, time, allowance, states; or 3, time, where it came too late.
 */
export const takeScript: StateScript = {
  name: 'take',
  source: `${common}
local me, ledger, forced = ARGV[1], ARGV[2], ARGV[3] == '1'
local claims, allowances, amount = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local at = forced and tonumber(ARGV[4]) or second
local isTaken = redis.call('HEXISTS', KEYS[1], ARGV[8]) == 1
local isBack = false
local base = 13
if now > tonumber(ARGV[12]) then return { 3, now } end
if not isTaken and not forced then
  for i = 0, claims - 1 do
    local key, place = KEYS[5 + 2 * i], base + 5 * i
    local perMinute, tokensPerMinute, atOnce, tokens = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2]), tonumber(ARGV[place + 3])
    local requests, used = windowOf(key)
    local running = atOnce >= 0 and runningOf(KEYS[6 + 2 * i]) or 0
    if (perMinute >= 0 and requests > 0 and requests + 1 > perMinute) or (tokensPerMinute >= 0 and used > 0 and used + tokens > tokensPerMinute) or (atOnce >= 0 and running >= atOnce) then
      return { 0, now, i, running, secondsOf(key) }
    end
  end
end
local states, first = {}, 4 + 2 * claims
for i = 0, allowances - 1 do
  local key, start = KEYS[first + 1 + i], tonumber(ARGV[base + 5 * claims + 5 * i + 2])
  states[i + 1] = false
  if forced then safely(key, function() states[i + 1] = allowanceOf(key, ledger, start) end)
  else states[i + 1] = allowanceOf(key, ledger, start) end
end
local function answer() local made = {} for i = 1, allowances do made[i] = states[i] and stateOf(states[i]) end return made end
if isTaken then return { 1, now, at, answer(), bad } end
if not forced and amount > 0 then
  for i = 0, allowances - 1 do
    local place, one = base + 5 * claims + 5 * i, states[i + 1]
    if ARGV[place + 1] == '1' and amount > tonumber(ARGV[place]) + one.extra - one.used then return { 2, now, i, answer() } end
  end
end
if forced then safely(KEYS[2], function() isBack = redis.call('HDEL', KEYS[2], ARGV[8]) == 1 end) end
-- What is taken is freed with the hold, so the hold comes first.
redis.call('SADD', KEYS[3], me)
redis.call('HSET', KEYS[1], ARGV[8], whole(at) .. ' ' .. ARGV[9])
if ARGV[10] ~= '' then redis.call('HSET', KEYS[1], ARGV[10], whole(at) .. ' ' .. ARGV[11]) end
redis.call('EXPIRE', KEYS[1], 172800)
for i = 0, claims - 1 do
  local place = base + 5 * i
  local window, running = KEYS[5 + 2 * i], KEYS[6 + 2 * i]
  if not forced then safely(window, function() use(window, at, 1, tonumber(ARGV[place + 3])) end) end
  if ARGV[place + 4] == '1' then
    safely(running, function()
      redis.call('HINCRBY', running, me, 1)
      redis.call('EXPIRE', running, 172800)
    end)
  end
end
for i = 0, allowances - 1 do
  local place, one, key = base + 5 * claims + 5 * i, states[i + 1], KEYS[first + 1 + i]
  if one then
    safely(key, function() change(key, ARGV[place + 4], KEYS[4], ledger, tonumber(ARGV[place + 2]), isBack and -amount or 0, amount, 0, ARGV[place + 3] == '1') end)
    if not isBack then one.used = one.used + amount end
    one.reserved = one.reserved + amount
    one.ownReserved = one.ownReserved + amount
    if isBack then one.ownSettled = one.ownSettled - amount end
    one.ownChanged = now
  end
end
return { 1, now, at, answer(), bad }`,
};

/**
 * Ends a hold. A hold that there is not any more changes nothing, so it may be told again.
 * KEYS: held, gone, changed; w and n of each claim; a of each allowance.
 * ARGV: server, ledger, id, requests (0: it was not sent), number of claims, of allowances, reserved, settled, of it unknown;
 * of each claim: tokens that were taken, tokens that were used, whether it counts at once; of each allowance: what it begins with, whether it is of a budget, its name.
 * Answer: time, state of each allowance, keys of another kind.
 */
export const settleScript: StateScript = {
  name: 'settle',
  source: `${common}
local me, ledger, id, requests = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local claims, allowances = tonumber(ARGV[5]), tonumber(ARGV[6])
local reserved, settled, unknown = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local held = redis.call('HGET', KEYS[1], id)
local lost = not held and redis.call('HGET', KEYS[2], id)
local first = 3 + 2 * claims
if held or lost then
  redis.call('HDEL', held and KEYS[1] or KEYS[2], id)
  local at = tonumber(string.match(held or lost, '^%d+'))
  for i = 0, claims - 1 do
    local place = 10 + 3 * i
    local window, running = KEYS[4 + 2 * i], KEYS[5 + 2 * i]
    safely(window, function() use(window, at, requests - 1, ARGV[place + 1] - ARGV[place]) end)
    if held and ARGV[place + 2] == '1' then safely(running, function() leave(running, me) end) end
  end
  for i = 0, allowances - 1 do
    local place, key = 10 + 3 * claims + 3 * i, KEYS[first + 1 + i]
    safely(key, function() change(key, ARGV[place + 2], KEYS[3], ledger, tonumber(ARGV[place]), settled - (lost and reserved or 0), held and -reserved or 0, unknown, ARGV[place + 1] == '1') end)
  end
end
local made = {}
for i = 0, allowances - 1 do
  local key = KEYS[first + 1 + i]
  made[i + 1] = false
  safely(key, function() made[i + 1] = stateOf(allowanceOf(key, ledger, tonumber(ARGV[10 + 3 * claims + 3 * i]))) end)
end
return { now, made, bad }`,
};

/**
 * Adds what was used while the store was away. The same batch counts once.
 * KEYS: mark of the batch, changed; w of each use; a of each allowance.
 * ARGV: ledger, number of uses, of allowances; of each use: second, requests, tokens; of each allowance: what it begins with, settled, of it unknown, the least that is allowed on top, whether it is of a budget, its name.
 * Answer: time, state of each allowance, keys of another kind.
 */
export const tellScript: StateScript = {
  name: 'tell',
  source: `${common}
local ledger, uses, allowances = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('SET', KEYS[1], '1', 'NX', 'EX', '3600') then
  for i = 0, uses - 1 do safely(KEYS[3 + i], function() use(KEYS[3 + i], tonumber(ARGV[4 + 3 * i]), tonumber(ARGV[5 + 3 * i]), tonumber(ARGV[6 + 3 * i])) end) end
  for i = 0, allowances - 1 do
    local place, key = 4 + 3 * uses + 6 * i, KEYS[3 + uses + i]
    safely(key, function()
      change(key, ARGV[place + 5], KEYS[2], ledger, tonumber(ARGV[place]), tonumber(ARGV[place + 1]), 0, tonumber(ARGV[place + 2]), ARGV[place + 4] == '1')
      local extra = tonumber(ARGV[place + 3])
      if extra > tonumber(redis.call('HGET', key, 'x') or '0') then redis.call('HSET', key, 'x', whole(extra)) end
    end)
  end
end
local made = {}
for i = 0, allowances - 1 do
  local key = KEYS[3 + uses + i]
  made[i + 1] = false
  safely(key, function() made[i + 1] = stateOf(allowanceOf(key, ledger, 0)) end)
end
return { now, made, bad }`,
};

/** What a person allows of an allowance. KEYS: a, changed, mark of the order. ARGV: ledger, amount (negative: taken back), most, what it begins with, whether it is of a budget, name. Answer: time, its state. */
export const allowScript: StateScript = {
  name: 'allow',
  source: `${common}
if redis.call('SET', KEYS[3], '1', 'NX', 'EX', '3600') then
  local extra = math.min(tonumber(redis.call('HGET', KEYS[1], 'x') or '0') + tonumber(ARGV[2]), tonumber(ARGV[3]))
  change(KEYS[1], ARGV[6], KEYS[2], ARGV[1], tonumber(ARGV[4]), 0, 0, 0, ARGV[5] == '1')
  redis.call('HSET', KEYS[1], 'x', whole(math.max(0, extra)))
end
return { now, { stateOf(allowanceOf(KEYS[1], ARGV[1], tonumber(ARGV[4]))) } }`,
};

/** Sets what one ledger has of an allowance, where nothing of it is reserved and nothing changed it since. KEYS: a, changed. ARGV: ledger, known, unchanged since in ms, whether what nobody knows stays counted, name. Answer: time, its state. */
export const correctScript: StateScript = {
  name: 'correct',
  source: `${common}
local ledger, known = ARGV[1], tonumber(ARGV[2])
local one = allowanceOf(KEYS[1], ledger, 0)
if one.ownReserved == 0 and one.ownChanged <= tonumber(ARGV[3]) then
  local unknown = ARGV[4] == '1' and one.ownUnknown or 0
  if one.ownSettled ~= known + unknown or one.ownUnknown ~= unknown or not one.isOwn then
    redis.call('HSET', KEYS[1], 's|' .. ledger, whole(known + unknown), 'u|' .. ledger, whole(unknown), 'c|' .. ledger, whole(now))
    redis.call('EXPIRE', KEYS[1], 3456000)
    redis.call('ZADD', KEYS[2], now, ARGV[5])
  end
end
return { now, { stateOf(allowanceOf(KEYS[1], ledger, 0)) } }`,
};

/** Ends a hold as that of a server that is gone: what it reserved stays used, because its request was sent. */
const asGone = `
local function endAsGone(text, holder, isServerGone, prefix, changed, gone, id)
  -- What cannot be read keeps nothing else from its end.
  pcall(function()
    local hold = cjson.decode(string.match(text, '^%d+ (.*)$'))
    for _, claim in ipairs(hold.l) do
      local running = prefix .. 'n:' .. claim[1]
      if claim[2] == 1 then safely(running, function() if isServerGone then redis.call('HDEL', running, holder) else leave(running, holder) end end) end
    end
    for _, one in ipairs(hold.a) do
      local key = prefix .. 'a:' .. one
      safely(key, function() change(key, one, changed, hold.g, 0, hold.m, -hold.m, 0, string.sub(one, 1, 7) == 'budget/') end)
    end
  end)
  redis.call('HSET', gone, id, text)
end
`;

/**
 * Ends what servers hold that are gone, and tells what changed. A millisecond is told whole, however much changed in it.
 * KEYS: changed, holders, gone, members. ARGV: server, ledger, prefix of names, changed since in ms, most of them, when a member counts as gone in ms.
 * Answer: time, whether this server has holds, names with whether this ledger has a part and their states, since when the next ones changed, whether there are more, keys of another kind.
 */
export const followScript: StateScript = {
  name: 'follow',
  source: `${common}${asGone}
local me, ledger, prefix = ARGV[1], ARGV[2], ARGV[3]
for _, holder in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local seen = redis.call('ZSCORE', KEYS[4], holder)
  if holder ~= me and (not seen or tonumber(seen) < now - tonumber(ARGV[6])) then
    local held = prefix .. 'held:' .. holder
    safely(held, function()
      local flat = redis.call('HGETALL', held)
      for i = 1, #flat, 2 do endAsGone(flat[i + 1], holder, true, prefix, KEYS[1], KEYS[3], flat[i]) end
    end)
    redis.call('EXPIRE', KEYS[3], 86400)
    redis.call('DEL', held)
    redis.call('SREM', KEYS[2], holder)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3456000000)
local most, isMore, following = tonumber(ARGV[5]), false, now
local flat = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[4], '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local count = #flat
if count == 2 * most then
  isMore = true
  local last = tonumber(flat[count])
  if tonumber(flat[2]) < last then
    while tonumber(flat[count]) == last do count = count - 2 end
    following = last
  else
    flat = redis.call('ZRANGEBYSCORE', KEYS[1], whole(last), whole(last), 'WITHSCORES')
    count = #flat
    following = math.min(last + 1, now)
  end
end
local made = {}
for i = 1, count, 2 do
  local key = prefix .. 'a:' .. flat[i]
  safely(key, function()
    local one = allowanceOf(key, ledger, 0)
    made[#made + 1] = flat[i]
    made[#made + 1] = one.isOwn and 1 or 0
    made[#made + 1] = stateOf(one)
  end)
end
return { now, redis.call('SISMEMBER', KEYS[2], me), made, whole(following), isMore and 1 or 0, bad }`,
};

/**
 * Ends what a server holds that it names no more, because it had to forget which requests these were.
 * KEYS: held, changed, gone. ARGV: server, prefix of names, second before which they were taken; the ids that it names.
 * Answer: time, how many it does not name that are younger, keys of another kind.
 */
export const sweepScript: StateScript = {
  name: 'sweep',
  source: `${common}${asGone}
local named, younger = {}, 0
for i = 4, #ARGV do named[ARGV[i]] = true end
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  if not named[flat[i]] then
    if tonumber(string.match(flat[i + 1], '^%d+') or '0') < tonumber(ARGV[3]) then
      endAsGone(flat[i + 1], ARGV[1], false, ARGV[2], KEYS[2], KEYS[3], flat[i])
      redis.call('HDEL', KEYS[1], flat[i])
    else younger = younger + 1 end
  end
end
redis.call('EXPIRE', KEYS[3], 86400)
return { now, younger, bad }`,
};
