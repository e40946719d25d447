-- Ends a claim: the delivery is due again, waiting, done, failed or skipped.
-- Returns -1 when the claim was lost, 1 when nobody needs the message's files any more, else 0; and
-- the breakers if the destination fails.
-- ARGV: mailbox, message id, route, claim token, delivery as JSON, seconds until due ('' if not due),
--       what its last step says of the destination (see `heard`)
local mailbox, id, route, json, wait, says = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6], ARGV[7]
local now, key = clock(), message_key(mailbox, id)
local member = mailbox .. '\t' .. id .. '\t' .. route
if redis.call('HGET', key, 'c:' .. route) ~= ARGV[4] then return { -1, {} } end
redis.call('HSET', key, 'd:' .. route, json)
redis.call('HDEL', key, 'c:' .. route, 'l:' .. route)
end_running(mailbox, member)
local delivery = cjson.decode(json)
local state = delivery.state
heard(delivery, member, says, now)
local breakers = says == 'failing' and all_breakers(now) or {}
end_probe(member, (state == 'due' or state == 'failed') and delivery.step, now)
if delivery.awaits and redis.call('HEXISTS', key, 'woken') == 1 then wait = 0 end
if state == 'due' then
  if delivery.early then redis.call('SADD', P .. 'early', member) end
  make_due(mailbox, id, route, now + tonumber(wait), now, delivery.bulk)
  return { 0, breakers }
end
if state ~= 'waiting' then count(route, state) end
if state == 'failed' or state == 'skipped' then redis.call('ZADD', P .. 'failed', now, member) end
return { settle_message(mailbox, id, now), breakers }
