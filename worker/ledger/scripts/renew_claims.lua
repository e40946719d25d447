-- Holds claims for another lease; one that another worker took over is left alone. Returns those
-- that are lost, in pairs as they were given.
-- ARGV: lease seconds, then pairs of claim token and member of `running`
local until_, lost = clock() + tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local mailbox, id, route = split(ARGV[i + 1])
  if redis.call('HGET', message_key(mailbox, id), 'c:' .. route) == ARGV[i] then
    redis.call('ZADD', P .. 'running', 'XX', until_, ARGV[i + 1])
  else
    lost[#lost + 1] = ARGV[i]
    lost[#lost + 1] = ARGV[i + 1]
  end
end
return lost
