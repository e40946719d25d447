-- Holds closing work for another lease.
-- ARGV: lease seconds, claim token, then pairs of mailbox and step
local until_ = clock() + tonumber(ARGV[1])
for i = 3, #ARGV, 2 do
  local member = ARGV[i] .. '\t' .. ARGV[i + 1]
  if redis.call('HGET', P .. 'closing-running', member) == ARGV[2] then
    redis.call('ZADD', P .. 'closing-due', 'XX', until_, member)
  end
end
