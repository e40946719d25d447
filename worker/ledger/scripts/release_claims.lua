-- Gives claims back untouched (a worker that stops): due at once, no attempt counted.
-- ARGV: claim token, then members of `running`
local now = clock()
for i = 2, #ARGV do
  local mailbox, id, route = split(ARGV[i])
  local key = message_key(mailbox, id)
  if redis.call('HGET', key, 'c:' .. route) == ARGV[1] then
    redis.call('HDEL', key, 'c:' .. route)
    end_running(mailbox, ARGV[i])
    make_due(mailbox, id, route, now, now, is_bulk(redis.call('HGET', key, 'd:' .. route)))
  end
end
