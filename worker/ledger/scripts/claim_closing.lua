-- Takes closing work that is due: pairs of mailbox and step with the ids gathered for it.
-- ARGV: most pairs, most ids of a pair, lease seconds
local now, claimed = clock(), {}
redis.call('DEL', P .. 'handed:close')
for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'closing-due', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local mailbox, step = string.match(member, '^([^\t]*)\t(.*)$')
  local until_ = now + tonumber(ARGV[3])
  redis.call('ZADD', P .. 'closing-due', until_, member)
  redis.call('HSET', P .. 'closing-running', member, until_)
  redis.call('HSET', P .. 'closing-last', member, now)
  claimed[#claimed + 1] =
    { mailbox, step, redis.call('ZRANGE', closing_key(mailbox, step), 0, tonumber(ARGV[2]) - 1) }
end
return claimed
