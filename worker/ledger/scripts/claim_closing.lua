-- Takes closing work that is due: pairs of mailbox and step with the ids gathered for it.
-- ARGV: claim token, most pairs, most ids of a pair, lease seconds
local now, claimed = clock(), {}
redis.call('DEL', P .. 'handed:close')
for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'closing-due', '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local mailbox, step = string.match(member, '^([^\t]*)\t(.*)$')
  local until_ = now + tonumber(ARGV[4])
  redis.call('ZADD', P .. 'closing-due', until_, member)
  redis.call('HSET', P .. 'closing-running', member, ARGV[1])
  local turns_until = number(redis.call('HGET', P .. 'closing-turns', member))
  redis.call('HSET', P .. 'closing-turns', member, math.max(turns_until, now) + GATHER_APART)
  claimed[#claimed + 1] =
    { mailbox, step, redis.call('ZRANGE', closing_key(mailbox, step), 0, tonumber(ARGV[3]) - 1) }
end
return claimed
