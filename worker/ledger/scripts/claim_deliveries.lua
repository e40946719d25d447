-- Claims due deliveries, a few from each ready mailbox in turn.
-- ARGV: claim token, most to claim, most per mailbox and turn, lease seconds
local token, left, few, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now, claimed = clock(), {}
while left > 0 do
  local mailboxes = redis.call('ZRANGEBYSCORE', P .. 'ready', '-inf', now, 'LIMIT', 0, left)
  if #mailboxes == 0 then break end
  for _, mailbox in ipairs(mailboxes) do
    if left == 0 then break end -- who got nothing keeps its turn
    local most = math.min(few, left)
    local members = redis.call('ZRANGEBYSCORE', due_key(mailbox), '-inf', now, 'LIMIT', 0, most)
    for _, member in ipairs(members) do
      local id, route = string.match(member, '^([^\t]*)\t(.*)$')
      local key = message_key(mailbox, id)
      local fields = redis.call('HMGET', key, 'message', 'd:' .. route)
      redis.call('ZREM', due_key(mailbox), member)
      if fields[1] and fields[2] then
        redis.call('HSET', key, 'c:' .. route, token)
        begin_running(mailbox, mailbox .. '\t' .. member, now + lease)
        claimed[#claimed + 1] = { mailbox, id, route, fields[1], fields[2] }
        left = left - 1
      end
    end
    ready(mailbox, now) -- its turn is over: those who wait longer come first
  end
end
return claimed
