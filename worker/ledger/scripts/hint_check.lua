-- Makes the check of every credential's subscriptions due, but not too soon after the last began.
-- ARGV: least seconds between two checks
local now = clock()
for _, scope in ipairs(redis.call('ZRANGE', P .. 'check-at', 0, -1)) do
  local key = P .. 'check:' .. scope
  redis.call('HINCRBY', key, 'hints', 1)
  local at = math.max(now, number(redis.call('HGET', key, 'started')) + tonumber(ARGV[1]))
  redis.call('ZADD', P .. 'check-at', 'LT', at, scope)
end
