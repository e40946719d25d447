-- Writes one page of a sync in one step: what was seen, the deliveries it causes, and the new
-- token with the last page, before it how far the walk has come.
-- ARGV: mailbox, lease token, lease seconds, sync token the sync started from ('' for none),
--       page as JSON, seen ids kept per mailbox, seconds a change of our own may take to be seen
local mailbox, lease, expected = ARGV[1], ARGV[2], ARGV[4]
local now, key, page = clock(), mailbox_key(mailbox), cjson.decode(ARGV[5])
local state = redis.call('HMGET', key, 'lease', 'sync_token', 'started')
local from = state[2] or ''
-- the second form: this page was written already and the answer to it was lost
if state[1] ~= lease or (from ~= expected and from ~= page.token) then return 0 end
redis.call('HSET', key, 'lease_until', now + tonumber(ARGV[3]))
redis.call('ZADD', P .. 'schedule', now + tonumber(ARGV[3]), mailbox)

local seen, prints, own = P .. 'seen:' .. mailbox, P .. 'prints:' .. mailbox, own_key(mailbox)

-- Makes due what a message causes; a delivery that is open already will see the new snapshot.
local function cause(message)
  local open = message_key(mailbox, message.id)
  for _, happened in ipairs(message.happened) do
    local ours = redis.call('ZREM', own, message.id .. '\t' .. happened.on) == 1
    for _, lane in ipairs(ours and {} or happened.lanes) do
      local json = redis.call('HGET', open, 'd:' .. lane)
      local state = json and cjson.decode(json).state
      if state ~= 'due' and state ~= 'waiting' then
        redis.call('HSET', open, 'message', message.snapshot, 'd:' .. lane, happened.delivery)
        matched(lane, now)
        redis.call('ZREM', P .. 'failed', mailbox .. '\t' .. message.id .. '\t' .. lane)
        redis.call('ZADD', due_key(mailbox), now, message.id .. '\t' .. lane)
      end
    end
  end
end

for _, message in ipairs(page.created) do
  if redis.call('ZADD', seen, 'NX', message.created, message.id) == 1 then
    redis.call('HSET', prints, message.id, message.print)
    cause(message)
  end
end
for _, message in ipairs(page.updated) do
  local known = type(message.before) == 'string'
  -- with another fingerprint than before, this page was written already
  if not known or redis.call('HGET', prints, message.id) == message.before then
    if known then redis.call('HSET', prints, message.id, message.print) end
    local open = message_key(mailbox, message.id)
    if type(message.snapshot) == 'string' and redis.call('EXISTS', open) == 1 then
      redis.call('HSET', open, 'message', message.snapshot)
      if message.wakes then wake(mailbox, message.id, now) end
    end
    cause(message)
  end
end
for _, message in ipairs(page.missed) do
  if redis.call('ZADD', seen, 'NX', now, message.id) == 1 then
    redis.call('HSET', prints, message.id, message.print)
    redis.call('HINCRBY', key, 'missed', 1)
    redis.call('HSET', P .. 'missed:' .. mailbox, message.id, message.reason)
  end
end
more_due(mailbox, now)

if not page.token then
  redis.call('HSET', key, 'walk_token', page.walk_token, 'walk_to', page.walk_to,
    'walk_owner', page.owner)
  return 1
end
redis.call('HSET', key, 'sync_token', page.token, 'owner', page.owner)
redis.call('HDEL', key, 'walk_token', 'walk_to', 'walk_owner')
-- A sync that began long after a change of our own and did not see it: it changed nothing.
redis.call('ZREMRANGEBYSCORE', own, '-inf', number(state[3]) - tonumber(ARGV[7]))

local surplus = redis.call('ZCARD', seen) - tonumber(ARGV[6])
if surplus > 0 then
  local oldest = redis.call('ZPOPMIN', seen, surplus)
  for i = 1, #oldest, 2 do
    redis.call('HDEL', prints, oldest[i])
    redis.call('HDEL', P .. 'missed:' .. mailbox, oldest[i])
  end
  local floor = number(redis.call('HGET', key, 'floor'))
  redis.call('HSET', key, 'floor', math.max(floor, tonumber(oldest[#oldest]) + 0.001))
end
return 1
