-- Takes postponed ids whose time has come; those not dropped or postponed again come back.
-- ARGV: most ids, seconds until they come back
local now = clock()
local members = redis.call('ZRANGEBYSCORE', P .. 'postponed', '-inf', now, 'LIMIT', 0, ARGV[1])
for _, member in ipairs(members) do
  redis.call('ZADD', P .. 'postponed', now + tonumber(ARGV[2]), member)
end
return members
