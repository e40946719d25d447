-- Records what became of closing work; ids without an outcome stay gathered for another try.
-- ARGV: mailbox, step, seconds until the next try ('' when the call went well), outcomes as JSON
--       {id: {ok, words}}, claim token; nothing happens when the claim was lost
local mailbox, step, pause, outcomes = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])
local now, member, key = clock(), ARGV[1] .. '\t' .. ARGV[2], closing_key(ARGV[1], ARGV[2])
if redis.call('HGET', P .. 'closing-running', member) ~= ARGV[5] then return 0 end
-- during a pause the pair stays marked as running, so that newcomers do not cut the pause short
if not pause then redis.call('HDEL', P .. 'closing-running', member) end
for id, outcome in pairs(outcomes) do
  redis.call('ZREM', key, id)
  local open = message_key(mailbox, id)
  local fields = redis.call('HGETALL', open)
  for i = 1, #fields, 2 do
    local route = string.match(fields[i], '^d:(.*)$')
    local delivery = route and cjson.decode(fields[i + 1])
    if delivery and delivery.state == 'waiting' and delivery.closing[1] == step then
      if outcome.ok then
        delivery.done[step] = outcome.words
        table.remove(delivery.closing, 1)
        if #delivery.closing == 0 then delivery.state, delivery.closing = 'done', nil end
      else
        delivery.state, delivery.reason, delivery.step = 'failed', outcome.words, step
        redis.call('ZADD', P .. 'failed', now, mailbox .. '\t' .. id .. '\t' .. route)
      end
      redis.call('HSET', open, 'd:' .. route, cjson.encode(delivery))
      if delivery.state ~= 'waiting' then count(route, delivery.state) end
    end
  end
  settle_message(mailbox, id, now)
end
local left = redis.call('ZCARD', key)
if left > 0 then
  redis.call('ZADD', P .. 'closing-due', now + (pause or GATHER_APART), member)
else
  redis.call('HDEL', P .. 'closing-running', member)
  redis.call('ZREM', P .. 'closing-due', member)
end
return left
