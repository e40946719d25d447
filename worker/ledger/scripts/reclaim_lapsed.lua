-- Makes deliveries due again whose worker died; one that outlives too many workers has failed.
-- ARGV: most claims that may lapse without one step recorded, reason as text
local now, back = clock(), 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'running', '-inf', now, 'LIMIT', 0, 500)) do
  local mailbox, id, route = split(member)
  local key = message_key(mailbox, id)
  end_running(mailbox, member)
  redis.call('HDEL', key, 'c:' .. route)
  local json = redis.call('HGET', key, 'd:' .. route)
  if json then
    if redis.call('HINCRBY', key, 'l:' .. route, 1) >= tonumber(ARGV[1]) then
      local delivery = cjson.decode(json)
      delivery.state, delivery.reason = 'failed', ARGV[2]
      end_probe(member, delivery.step, now)
      -- it was some later step that the workers died of
      if delivery.step and delivery.done[delivery.step] then delivery.step = nil end
      redis.call('HSET', key, 'd:' .. route, cjson.encode(delivery))
      redis.call('HDEL', key, 'l:' .. route)
      redis.call('ZADD', P .. 'failed', now, member)
      count(route, 'failed')
    else
      make_due(mailbox, id, route, now, now, is_bulk(json))
      back = back + 1
    end
  end
end
return back
