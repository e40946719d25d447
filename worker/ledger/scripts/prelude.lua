-- What all scripts share: the clock of the fleet, key names, and the rules that keep keys in step.
local P = 'ringpost:ledger:'
local LAPSES_UNTIL_ALONE = 2
local GATHER_COUNT, GATHER_IDLE, GATHER_APART, GATHER_LONGEST = 100, 0.2, 3, 60

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function mailbox_key(mailbox) return P .. 'mailbox:' .. mailbox end
-- What is due stands in two lanes: bulk work (backfill, repair, replay) beside the live one.
local function due_key(mailbox, bulk) return P .. (bulk and 'bulk-due:' or 'due:') .. mailbox end
local function ready_key(bulk) return P .. (bulk and 'bulk-ready' or 'ready') end
local function message_key(mailbox, id) return P .. 'message:' .. mailbox .. ':' .. id end
local function own_key(mailbox) return P .. 'own:' .. mailbox end
local function closing_key(mailbox, step) return P .. 'closing:' .. mailbox .. '\t' .. step end

local function number(value) return tonumber(value or '0') or 0 end

local function is_bulk(json) return cjson.decode(json).bulk == true end

-- `ready` holds each mailbox with due deliveries, scored by when its next turn may come.
local function ready(mailbox, not_before, bulk)
  local first = redis.call('ZRANGE', due_key(mailbox, bulk), 0, 0, 'WITHSCORES')
  if first[1] then
    redis.call('ZADD', ready_key(bulk), math.max(tonumber(first[2]), not_before), mailbox)
  else
    redis.call('ZREM', ready_key(bulk), mailbox)
  end
end

-- New due work of a mailbox whose turn is near already does not move it to the front.
local function more_due(mailbox, now, bulk)
  local turn = redis.call('ZSCORE', ready_key(bulk), mailbox)
  if not turn or tonumber(turn) > now then ready(mailbox, 0, bulk) end
end

local function matched(lane, now) redis.call('HSET', P .. 'last-match', lane, now) end

local function make_due(mailbox, id, route, at, now, bulk)
  redis.call('ZADD', due_key(mailbox, bulk), at, id .. '\t' .. route)
  more_due(mailbox, now, bulk)
end

-- What deliveries of a message waited for is known: they are due now. One that is claimed now saw
-- the message as it was, and is due at once when it is settled to wait.
local function wake(mailbox, id, now)
  local key = message_key(mailbox, id)
  redis.call('HSET', key, 'woken', 1)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local delivery = string.sub(fields[i], 1, 2) == 'd:' and cjson.decode(fields[i + 1])
    if delivery and delivery.awaits then
      local member = id .. '\t' .. string.sub(fields[i], 3)
      redis.call('ZADD', due_key(mailbox, delivery.bulk), 'XX', now, member)
      more_due(mailbox, now, delivery.bulk)
    end
  end
end

-- Claims under way: all of them by when they lapse, how many each mailbox has, and the bulk ones.
-- Whether a delivery is early (its time has not come, and nothing is wrong) shows anew.
local function begin_running(mailbox, member, lapses, bulk)
  redis.call('SREM', P .. 'early', member)
  if bulk then redis.call('SADD', P .. 'bulk-running', member) end
  if redis.call('ZADD', P .. 'running', lapses, member) == 1 then
    redis.call('HINCRBY', P .. 'running-by-mailbox', mailbox, 1)
  end
end

local function end_running(mailbox, member)
  redis.call('SREM', P .. 'bulk-running', member)
  if redis.call('GET', P .. 'suspect') == member then redis.call('DEL', P .. 'suspect') end
  if redis.call('ZREM', P .. 'running', member) == 1
    and redis.call('HINCRBY', P .. 'running-by-mailbox', mailbox, -1) <= 0 then
    redis.call('HDEL', P .. 'running-by-mailbox', mailbox)
  end
end

-- Closing steps gather per mailbox and go out on 100 ids, an idle moment (nothing due or running in
-- the mailbox), or a minute; a trickle is held back to one call in three seconds, and a second one
-- may follow at once, for a burst that halts in the middle.
local function gather(mailbox, id, step, now)
  local key, member = closing_key(mailbox, step), mailbox .. '\t' .. step
  redis.call('ZADD', key, 'NX', now, id)
  if redis.call('HEXISTS', P .. 'closing-running', member) == 1 then return end
  local first = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
  local turns_until = number(redis.call('HGET', P .. 'closing-turns', member))
  local at = first + GATHER_LONGEST
  if redis.call('ZCARD', key) >= GATHER_COUNT then
    at = now
  elseif redis.call('ZCOUNT', due_key(mailbox), '-inf', now + GATHER_IDLE) == 0
    and redis.call('ZCOUNT', due_key(mailbox, true), '-inf', now + GATHER_IDLE) == 0 then
    local running = redis.call('HEXISTS', P .. 'running-by-mailbox', mailbox)
    at = math.min(at, math.max(now + running * GATHER_IDLE, turns_until - GATHER_APART))
  end
  redis.call('ZADD', P .. 'closing-due', at, member)
end

local function count(route, outcome)
  redis.call('HINCRBY', P .. 'counts', outcome .. '\t' .. route, 1)
end

-- After a delivery changed: when every ordinary step of the message is done its closing steps
-- gather; when nothing is open, failed or skipped the message is forgotten. Returns 1 when nobody
-- needs the message's files any more.
local function settle_message(mailbox, id, now)
  local key = message_key(mailbox, id)
  local fields = redis.call('HGETALL', key)
  local waiting, skipped = {}, false
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'd:' then
      local delivery = cjson.decode(fields[i + 1])
      if delivery.state == 'waiting' then
        waiting[#waiting + 1] = delivery.closing[1]
      elseif delivery.state == 'skipped' then
        skipped = true
      elseif delivery.state ~= 'done' then
        return 0
      end
    end
  end
  if #waiting == 0 then
    if not skipped then redis.call('DEL', key) end
    return 1
  end
  for _, step in ipairs(waiting) do gather(mailbox, id, step, now) end
  return 1
end

local function split(member)
  local mailbox, id, route = string.match(member, '^([^\t]*)\t([^\t]*)\t(.*)$')
  return mailbox, id, route
end

-- Makes the deliveries of one message due in bulk and returns how many: one that is open or failed
-- stays as it is, and one that was skipped keeps its steps. What a later sync would take for new
-- counts as seen from now on.
-- message: {id, created, print, snapshot, deliveries: JSON by lane, only_unseen}
local function admit(mailbox, message, now)
  local key, admitted = message_key(mailbox, message.id), 0
  local floor = number(redis.call('HGET', mailbox_key(mailbox), 'floor'))
  local seen = redis.call('ZSCORE', P .. 'seen:' .. mailbox, message.id)
  if seen and message.only_unseen then return 0 end
  if not seen and message.created >= floor then
    redis.call('ZADD', P .. 'seen:' .. mailbox, message.created, message.id)
    redis.call('HSET', P .. 'prints:' .. mailbox, message.id, message.print)
  end
  for lane, json in pairs(message.deliveries) do
    local known = redis.call('HGET', key, 'd:' .. lane)
    local before = known and cjson.decode(known)
    local delivery = cjson.decode(json)
    if not before or before.state == 'done' or before.state == 'skipped' then
      delivery.bulk = true
      if before and before.state == 'skipped' then
        delivery.done, delivery.added = before.done, before.added
      end
      redis.call('HSET', key, 'message', message.snapshot, 'd:' .. lane, cjson.encode(delivery))
      redis.call('ZREM', P .. 'failed', mailbox .. '\t' .. message.id .. '\t' .. lane)
      make_due(mailbox, message.id, lane, now, now, true)
      matched(lane, now)
      admitted = admitted + 1
    end
  end
  return admitted
end
