-- Ends a claim whose next step has an open breaker: the delivery waits for the breaker, without a
-- place among those that are due. Returns 1 if it is to try instead, being the probe, else 0 (also
-- when the claim was lost, or the breaker has closed meanwhile: then it is due again).
-- ARGV: mailbox, message id, route, claim token, delivery as JSON
local mailbox, id, route, json = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local now, key = clock(), message_key(mailbox, id)
local member, delivery = mailbox .. '\t' .. id .. '\t' .. route, cjson.decode(json)
if redis.call('HGET', key, 'c:' .. route) ~= ARGV[4] then return 0 end
local state = breaker(delivery.step)
if state and state.open and not state.probe and state.probe_at <= now then
  state.probe = member
  keep_breaker(delivery.step, state)
  return 1
end
end_probe(member, delivery.step, now)
redis.call('HSET', key, 'd:' .. route, json)
redis.call('HDEL', key, 'c:' .. route, 'l:' .. route)
end_running(mailbox, member)
if state and state.open then
  redis.call('ZADD', put_off_key(delivery.step), delivery['until'], member)
else
  make_due(mailbox, id, route, now, now, delivery.bulk)
end
return 0
