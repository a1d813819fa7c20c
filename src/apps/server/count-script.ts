/**
 * The script that counts in Redis. All that is known of a client is in one hash, so a call is one step on one key:
 * `r<second>` and `t<second>` are requests and tokens of a second, `day`, `tokens` and `cost` are those of a day, and
 * `l<id>` is a running request: until when it is held, and the tokens and the cost that it may take. Cost is in billionths
 * of a dollar, so that all numbers are whole. The clock is that of Redis.
 */

/** Seconds that a running request counts without word from its server. */
const LEASE_S = 30
/** It is remembered for so long: what it took is counted once, if its server comes back and says it. */
const REMEMBERED_S = 3_600

const READ = `
local key = KEYS[1]
local second = tonumber(redis.call('TIME')[1])
local today = math.floor(second / 86400)
local requests, tokens, leases, gone = {}, {}, {}, {}
local sum = { r = 0, t = 0 }
local day = { day = -1, tokens = 0, cost = 0 }
local open = { requests = 0, tokens = 0, cost = 0 }
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local field, value = all[i], all[i + 1]
  local kind, rest = string.sub(field, 1, 1), string.sub(field, 2)
  if day[field] then
    day[field] = tonumber(value)
  elseif kind == 'l' then
    local till, most, cost = string.match(value, '(%d+) (%d+) (%d+)')
    local lease = { tokens = tonumber(most), cost = tonumber(cost), isOpen = tonumber(till) > second }
    leases[rest] = lease
    if lease.isOpen then
      open.requests, open.tokens, open.cost = open.requests + 1, open.tokens + lease.tokens, open.cost + lease.cost
    elseif tonumber(till) < second - ${REMEMBERED_S} then
      gone[#gone + 1] = field
    end
  else
    local at = tonumber(rest)
    if at <= second - 60 or at > second + 60 then
      gone[#gone + 1] = field
    else
      local of = kind == 'r' and requests or tokens
      of[at] = tonumber(value)
      sum[kind] = sum[kind] + of[at]
    end
  end
end
if day.day ~= today then day = { isNew = true, tokens = 0, cost = 0 } end

local function count(kind, n)
  local of = kind == 'r' and requests or tokens
  of[second] = redis.call('HINCRBY', key, kind .. second, n)
end
local function hold(id, most, cost)
  redis.call('HSET', key, 'l' .. id, (second + ${LEASE_S}) .. ' ' .. most .. ' ' .. cost)
  local before = leases[id]
  if not before or not before.isOpen then before = { tokens = 0, cost = 0 }; open.requests = open.requests + 1 end
  leases[id] = { tokens = tonumber(most), cost = tonumber(cost), isOpen = true }
  open.tokens = open.tokens - before.tokens + leases[id].tokens
  open.cost = open.cost - before.cost + leases[id].cost
end
local function finish(isLet)
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  local keep = 61
  if next(leases) then keep = ${REMEMBERED_S} end
  if day.tokens > 0 or day.cost > 0 then keep = math.max(keep, 86400 - second % 86400) end
  redis.call('EXPIRE', key, keep)
  local reply = { isLet and 1 or 0, second, day.tokens, day.cost, open.requests, open.tokens, open.cost }
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
local isLet = below(5, sum.t + open.tokens) and below(6, day.tokens + open.tokens) and below(7, day.cost + open.cost)
if begins then isLet = isLet and below(8, open.requests) and below(9, sum.r) end
if isLet then
  hold(ARGV[1], ARGV[2], ARGV[3])
  if begins then count('r', 1) end
end
return finish(isLet)`

/**
 * Ends a request, and counts it if it was not counted before: the answer to that call may have been lost. ARGV: id, tokens,
 * cost.
 */
export const SETTLE = `${READ}
local lease = leases[ARGV[1]]
if not lease then return finish(true) end
local took, cost = tonumber(ARGV[2]), tonumber(ARGV[3])
-- This comes first: it fails if the memory of Redis is full, and then nothing has changed, and it can be tried again.
if took > 0 or cost > 0 then
  count('t', took)
  if day.isNew then redis.call('HSET', key, 'day', today, 'tokens', 0, 'cost', 0) end
  day.tokens = redis.call('HINCRBY', key, 'tokens', took)
  day.cost = redis.call('HINCRBY', key, 'cost', cost)
end
redis.call('HDEL', key, 'l' .. ARGV[1])
leases[ARGV[1]] = nil
if lease.isOpen then
  open.requests, open.tokens, open.cost = open.requests - 1, open.tokens - lease.tokens, open.cost - lease.cost
end
return finish(true)`

/** Says that requests still run. ARGV: id, tokens and cost of each. */
export const HOLD = `${READ}
for i = 1, #ARGV, 3 do hold(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return finish(true)`
