-- Makes failed deliveries due again behind live work, with the steps already recorded kept; their
-- messages are read again.
-- ARGV: members of `failed`
local now, replayed = clock(), 0
for _, member in ipairs(ARGV) do
  local mailbox, id, route = split(member)
  local key = message_key(mailbox, id)
  local json = redis.call('HGET', key, 'd:' .. route)
  if redis.call('ZREM', P .. 'failed', member) == 1 and json then
    local delivery = cjson.decode(json)
    delivery.state, delivery.attempts, delivery['until'] = 'due', 0, nil
    delivery.bulk, delivery.fresh = true, true
    redis.call('HSET', key, 'd:' .. route, cjson.encode(delivery))
    make_due(mailbox, id, route, now, now, true)
    replayed = replayed + 1
  end
end
return replayed
