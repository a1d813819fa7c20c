/**
 * The scripts that count in Redis. A client has three keys. The first is a hash: `r<second>` and `t<second>` are requests and
 * tokens of a second, `day`, `tokens` and `cost` are those of a day, and `open`, `openTokens` and `openCost` the sums of what
 * runs. The second has the requests that run by their ids, with the tokens and the cost that each may take, the third until
 * when each counts. Cost is in billionths of a dollar, so that all numbers are whole. The clock is that of Redis.
 */

/** Seconds that a running request counts without word from its server. */
const LEASE_S = 30
/** It is remembered for so long after that: what it took is counted once, if its server comes back and says it. */
const REMEMBERED_S = 3_600

const READ = `
local counts, held, till = KEYS[1], KEYS[2], KEYS[3]
local second = tonumber(redis.call('TIME')[1])
local today = math.floor(second / 86400)
local requests, tokens, old = {}, {}, {}
local sum = { r = 0, t = 0 }
local state = { day = -1, tokens = 0, cost = 0, open = 0, openTokens = 0, openCost = 0 }
local all = redis.call('HGETALL', counts)
for i = 1, #all, 2 do
  local field, value = all[i], tonumber(all[i + 1])
  local kind, at = string.sub(field, 1, 1), tonumber(string.sub(field, 2))
  if state[field] then
    state[field] = value
  elseif at <= second - 60 or at > second + 60 then
    old[#old + 1] = field
  else
    (kind == 'r' and requests or tokens)[at] = value
    sum[kind] = sum[kind] + value
  end
end
local isNewDay = state.day ~= today
if isNewDay then state.tokens, state.cost = 0, 0 end

-- If the memory of Redis is full, the first change fails, and none is made.
local function add(field, n)
  if n ~= 0 then state[field] = redis.call('HINCRBY', counts, field, n) end
end
local function addOpen(n, most, cost)
  add('open', n)
  add('openTokens', most)
  add('openCost', cost)
end
local function find(id)
  local most, cost, role = string.match(redis.call('HGET', held, id) or '', '(%d+) (%d+) (%a+)')
  return tonumber(most), tonumber(cost), role == 'open'
end
local function hold(id, most, cost)
  local before, costBefore, isOpen = find(id)
  if isOpen then addOpen(0, most - before, cost - costBefore) else addOpen(1, tonumber(most), tonumber(cost)) end
  redis.call('HSET', held, id, most .. ' ' .. cost .. ' open')
  redis.call('ZADD', till, second + ${LEASE_S}, id)
end
local function forget(id)
  redis.call('HDEL', held, id)
  redis.call('ZREM', till, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', till, '-inf', second)) do
  local most, cost, isOpen = find(id)
  if isOpen then
    addOpen(-1, -most, -cost)
    redis.call('HSET', held, id, most .. ' ' .. cost .. ' lost')
    redis.call('ZADD', till, second + ${REMEMBERED_S}, id)
  else
    forget(id)
  end
end
local function finish(isLet)
  if #old > 0 then redis.call('HDEL', counts, unpack(old)) end
  local keep = 61
  if redis.call('ZCARD', till) > 0 then
    keep = ${LEASE_S + REMEMBERED_S}
    redis.call('EXPIRE', held, keep)
    redis.call('EXPIRE', till, keep)
  end
  if state.tokens > 0 or state.cost > 0 then keep = math.max(keep, 86400 - second % 86400) end
  redis.call('EXPIRE', counts, keep)
  local reply = {
    isLet and 1 or 0, second, state.tokens, state.cost, state.open, state.openTokens, state.openCost
  }
  for at = second - 59, second + 60 do
    if requests[at] or tokens[at] then
      reply[#reply + 1] = at
      reply[#reply + 1] = requests[at] or 0
      reply[#reply + 1] = tokens[at] or 0
    end
  end
  return reply
end`

/**
 * Lets a request in if its client is below all limits: a copy of `findReached`, and a test compares the two. ARGV: id, the
 * tokens and cost that it may take, 1 if it begins, limits (-1: none): tokens per minute and day, cost per day, running,
 * requests per minute.
 */
export const TAKE = `${READ}
local function below(at, value)
  local limit = tonumber(ARGV[at])
  return limit < 0 or value < limit
end
local begins = ARGV[4] == '1'
local isLet = below(5, sum.t + state.openTokens)
  and below(6, state.tokens + state.openTokens)
  and below(7, state.cost + state.openCost)
if begins then isLet = isLet and below(8, state.open) and below(9, sum.r) end
if isLet then
  hold(ARGV[1], ARGV[2], ARGV[3])
  if begins then requests[second] = redis.call('HINCRBY', counts, 'r' .. second, 1) end
end
return finish(isLet)`

/**
 * Ends a request, and counts it if it was not counted before: the answer to that call may have been lost. ARGV: id, tokens,
 * cost.
 */
export const SETTLE = `${READ}
local most, mostCost, isOpen = find(ARGV[1])
if not most then return finish(true) end
local took, cost = tonumber(ARGV[2]), tonumber(ARGV[3])
if took > 0 or cost > 0 then
  tokens[second] = redis.call('HINCRBY', counts, 't' .. second, took)
  if isNewDay then redis.call('HSET', counts, 'day', today, 'tokens', 0, 'cost', 0) end
  add('tokens', took)
  add('cost', cost)
end
if isOpen then addOpen(-1, -most, -mostCost) end
forget(ARGV[1])
return finish(true)`

/** Says that requests still run. ARGV: id, tokens and cost of each. */
export const HOLD = `${READ}
for i = 1, #ARGV, 3 do hold(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return finish(true)`
