-- Gives a mailbox's lease back and says when it is synchronised next.
-- ARGV: mailbox, lease token, generation at the start, seconds to the next sync,
--       least seconds between two syncs, error ('' for none), 1 if the error counts as a failure
local mailbox, token, generation = ARGV[1], ARGV[2], ARGV[3]
local interval, gap, failure = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local now, key = clock(), mailbox_key(mailbox)
local state = redis.call('HMGET', key, 'lease', 'generation', 'started')
if state[1] ~= token then return 0 end
redis.call('HDEL', key, 'lease', 'lease_until')
local at = now + interval
if failure == '' then
  redis.call('HDEL', key, 'error', 'failures', 'retry_at')
  redis.call('HSET', key, 'synchronised', now, 'synced_generation', generation)
  -- a hint that came while this sync ran may speak of what it did not see
  if (state[2] or '') ~= generation then at = number(state[3]) + gap end
else
  redis.call('HSET', key, 'error', failure, 'retry_at', at)
  redis.call('HINCRBY', key, 'failures', tonumber(ARGV[7]))
end
if redis.call('SISMEMBER', P .. 'watched', mailbox) == 1 then
  redis.call('ZADD', P .. 'schedule', at, mailbox)
end
return 1
