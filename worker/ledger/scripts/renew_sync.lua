-- Holds the leases of mailboxes that are being synchronised.
-- ARGV: lease seconds, then pairs of mailbox and lease token
local until_ = clock() + tonumber(ARGV[1])
for i = 2, #ARGV, 2 do
  local key = mailbox_key(ARGV[i])
  if redis.call('HGET', key, 'lease') == ARGV[i + 1] then
    redis.call('HSET', key, 'lease_until', until_)
    redis.call('ZADD', P .. 'schedule', 'XX', until_, ARGV[i])
  end
end
