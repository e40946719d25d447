-- Keeps ids of messages until a closing step is to look at them (again).
-- ARGV: mailbox, step, then pairs of message id and seconds from now
local now = clock()
for i = 3, #ARGV, 2 do
  local member = ARGV[1] .. '\t' .. ARGV[2] .. '\t' .. ARGV[i]
  redis.call('ZADD', P .. 'postponed', now + tonumber(ARGV[i + 1]), member)
end
