-- Takes one view of a link. Returns how many are left, -1 if it cannot be opened.
-- ARGV: SHA-256 of its token
local key = P .. 'link:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return -1 end
local left = redis.call('DECR', key) -- keeps when it expires
if left <= 0 then redis.call('DEL', key) end
return math.max(left, 0)
