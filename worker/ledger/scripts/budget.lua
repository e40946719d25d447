-- Spends one credential's budget of requests: learns from answers, then grants what is wanted or
-- says in how many seconds its turn comes. A group's budget is a sliding window of our own requests;
-- the last one of a window is never spent, so that only others can make RingCentral refuse us.
-- ARGV: scope, {answers: [...], wanted: [...]} as JSON; returns a wait for each that is wanted
local scope, asked = ARGV[1], cjson.decode(ARGV[2])
local now = clock()
local PROBE_SECONDS, PROBE_AGAIN = 15, 0.2
-- What is left to those who come first: 1 live work, 2 live work of a mailbox that has had much of
-- the window already, 3 bulk work.
local RESERVED, MUCH = { 0, 0.1, 0.25 }, 0.1
local MOST_STRANGERS = 1000

local groups_key, probe_key = P .. 'groups:' .. scope, P .. 'probe:' .. scope
local function group_key(kind, group) return P .. kind .. ':' .. scope .. ':' .. group end

local function budget_of(group)
  local told = redis.call('HMGET', group_key('budget', group), 'limit', 'window', 'paused')
  return tonumber(told[1] or ''), number(told[2]), number(told[3])
end

-- A slot is a request that counts in the window, by when it counts no more; its name is
-- <mailbox>\t<permit>.
local function share_of(slot) return string.match(slot, '^(.*)\t') end

local function lose_share(group, slot)
  local shares, share = group_key('shares', group), share_of(slot)
  if redis.call('HINCRBY', shares, share, -1) <= 0 then redis.call('HDEL', shares, share) end
end

local function used(group)
  local slots = group_key('slots', group)
  for _, slot in ipairs(redis.call('ZRANGEBYSCORE', slots, '-inf', now)) do
    lose_share(group, slot)
  end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  return redis.call('ZCARD', slots)
end

local function take_slot(group, slot, frees, window)
  local slots, shares = group_key('slots', group), group_key('shares', group)
  if redis.call('ZADD', slots, frees, slot) == 1 then
    redis.call('HINCRBY', shares, share_of(slot), 1)
  end
  -- idle budgets leave nothing behind
  redis.call('PEXPIRE', slots, math.ceil((2 * window + 60) * 1000))
  redis.call('PEXPIRE', shares, math.ceil((2 * window + 60) * 1000))
end

local function give_slot_back(group, slot)
  if redis.call('ZREM', group_key('slots', group), slot) == 1 then lose_share(group, slot) end
end

local function pause(group, until_)
  local _, _, paused = budget_of(group)
  if until_ > paused then redis.call('HSET', group_key('budget', group), 'paused', until_) end
end

local function learn_limit(group, limit, window)
  local known, before = budget_of(group)
  redis.call('HSET', group_key('budget', group), 'limit', limit, 'window', window)
  if not known or before == window then return end
  local slots = group_key('slots', group)
  local kept = redis.call('ZRANGE', slots, 0, -1, 'WITHSCORES')
  for i = 1, #kept, 2 do
    redis.call('ZADD', slots, tonumber(kept[i + 1]) + window - before, kept[i])
  end
end

local function learn(answer)
  local slot = answer.mailbox .. '\t' .. answer.id
  if redis.call('GET', probe_key) == slot then redis.call('DEL', probe_key) end
  if answer.status == 0 then return end -- it may have been counted: its slot stays
  local known = redis.call('HGET', groups_key, answer.operation)
  local group = answer.group or known or answer.operation
  if group ~= known then
    -- an operation without a group is one of its own, once it has worked
    if answer.group or answer.status < 300 or answer.status == 429 then
      redis.call('HSET', groups_key, answer.operation, group)
    end
    if known then give_slot_back(known, slot) end
  end
  if answer.limit and answer.window then learn_limit(group, answer.limit, answer.window) end
  local limit, window = budget_of(group)
  if limit then take_slot(group, slot, now + window, window) end
  if answer.status == 429 then
    redis.call('HINCRBY', group_key('budget', group), 'refused', 1)
    pause(group, now + answer.pause)
  elseif answer.remaining and limit then
    -- what is missing beyond our own requests somebody else has used
    local strangers = limit - answer.remaining - used(group)
    if strangers > 0 and answer.remaining < limit / 2 then
      for n = 1, math.min(strangers, MOST_STRANGERS) do
        take_slot(group, '\t' .. answer.id .. n, now + window, window)
      end
    end
    if answer.remaining == 0 then pause(group, now + window) end
  end
end

-- Nobody knows yet which group an operation belongs to: one such request at a time, and none while
-- any group is paused.
local function probe(slot)
  local until_ = 0
  for _, group in ipairs(redis.call('HVALS', groups_key)) do
    local _, _, paused = budget_of(group)
    until_ = math.max(until_, paused)
  end
  if until_ > now then return until_ - now end
  if redis.call('SET', probe_key, slot, 'NX', 'PX', PROBE_SECONDS * 1000) then return 0 end
  return PROBE_AGAIN
end

local function rank_of(group, want, cap)
  if want.bulk then return 3 end
  local own = number(redis.call('HGET', group_key('shares', group), want.mailbox))
  return own >= math.max(2, cap * MUCH) and 2 or 1
end

-- When enough slots come free for all who wait ahead, and for one more: those in use come free first,
-- then, a window later each time, those that the waiting ones take meanwhile.
local function turn(group, window, paused, taken, open, ahead)
  local from = math.max(now, paused)
  local until_ = from + window * math.floor(ahead / open)
  local short = taken - open + ahead
  if short >= 0 then
    local round = math.max(taken, open)
    local place, rounds = short % round, math.floor(short / round)
    local frees = from + window
    if place < taken then
      frees = redis.call('ZRANGE', group_key('slots', group), place, place, 'WITHSCORES')[2]
    end
    until_ = math.max(until_, tonumber(frees) + window * rounds)
  end
  return until_
end

local function spend(want)
  local slot = want.mailbox .. '\t' .. want.id
  local group = redis.call('HGET', groups_key, want.operation)
  if not group then return probe(slot) end
  local limit, window, paused = budget_of(group)
  if not limit then return math.max(0, paused - now) end
  local taken, cap = used(group), math.max(1, limit - 1)
  local rank = rank_of(group, want, cap)
  local open = math.max(1, cap - math.ceil(cap * RESERVED[rank]))
  local queue = group_key('queue', group) .. ':' .. rank
  if paused <= now and taken < open then
    redis.call('ZREM', queue, slot)
    -- it counts from when it reaches RingCentral: until the answer tells, a moment is added
    take_slot(group, slot, now + window + math.min(window, 2), window)
    return 0
  end
  local ahead = 0
  for first = 1, rank do
    local waiting = group_key('queue', group) .. ':' .. first
    redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now)
    redis.call('ZREM', waiting, slot)
    ahead = ahead + redis.call('ZCARD', waiting)
  end
  local at = turn(group, window, paused, taken, open, ahead)
  redis.call('ZADD', queue, at, slot)
  redis.call('PEXPIREAT', queue, math.ceil((at + 60) * 1000), 'NX')
  redis.call('PEXPIREAT', queue, math.ceil((at + 60) * 1000), 'GT')
  return math.max(at - now, 0.001)
end

for _, answer in ipairs(asked.answers) do learn(answer) end
local waits = {}
for i, want in ipairs(asked.wanted) do waits[i] = tostring(spend(want)) end
return waits
