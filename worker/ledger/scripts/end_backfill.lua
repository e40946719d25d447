-- Ends the backfill that is running, for now or for good. Returns 1 if one was.
-- ARGV: its new state, the only id it may have (none: any)
local key = P .. 'backfill'
local run = redis.call('HMGET', key, 'id', 'state')
if run[2] ~= 'running' or (ARGV[2] and ARGV[2] ~= run[1]) then return 0 end
redis.call('HSET', key, 'state', ARGV[1])
redis.call('HDEL', key, 'halted')
return 1
