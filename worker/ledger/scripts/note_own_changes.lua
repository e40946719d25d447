-- Notes that we are about to change messages, so that their change is not news when it comes back.
-- ARGV: mailbox, what is about to happen, message ids
local now = clock()
for i = 3, #ARGV do
  redis.call('ZADD', own_key(ARGV[1]), now, ARGV[i] .. '\t' .. ARGV[2])
end
