-- Takes the lease of a mailbox for one sync; returns what the sync starts from, or nothing.
-- ARGV: mailbox, lease token, lease seconds, least seconds between two syncs
local mailbox, token, lease, gap = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now, key = clock(), mailbox_key(mailbox)
if redis.call('SISMEMBER', P .. 'watched', mailbox) == 0 then return false end
local state = redis.call('HMGET', key, 'lease_until', 'started', 'retry_at', 'lease')
if state[4] ~= token then -- else the answer to this very claim was lost
  if number(state[1]) > now then return false end
  local next_start = math.max(number(state[2]) + gap, number(state[3]))
  if next_start > now then
    redis.call('ZADD', P .. 'schedule', next_start, mailbox)
    return false
  end
end
redis.call('HSET', key, 'lease', token, 'lease_until', now + lease, 'started', now)
redis.call('ZADD', P .. 'schedule', now + lease, mailbox)
return redis.call('HMGET', key,
  'generation', 'sync_token', 'floor', 'synchronised', 'failures', 'walk_token', 'walk_to',
  'owner', 'walk_owner', 'synced_generation')
