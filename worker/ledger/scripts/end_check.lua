-- Says when a credential's subscriptions are checked next: soon if a hint came during the check.
-- ARGV: scope, hints at the start, seconds to the next check, least seconds between two
local now, key = clock(), P .. 'check:' .. ARGV[1]
local state = redis.call('HMGET', key, 'hints', 'started')
local at = now + tonumber(ARGV[3])
if (state[1] or '0') ~= ARGV[2] then at = math.min(at, number(state[2]) + tonumber(ARGV[4])) end
redis.call('ZADD', P .. 'check-at', at, ARGV[1])
