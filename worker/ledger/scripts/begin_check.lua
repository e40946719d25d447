-- Begins a check of one credential's subscriptions if it is due; returns the number of hints so far.
-- ARGV: scope
local now, key = clock(), P .. 'check:' .. ARGV[1]
if number(redis.call('ZSCORE', P .. 'check-at', ARGV[1])) > now then return false end
redis.call('HSET', key, 'started', now)
return redis.call('HGET', key, 'hints') or '0'
