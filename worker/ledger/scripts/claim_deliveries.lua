-- Claims due deliveries, a few from each ready mailbox in turn; bulk work in places that are left.
-- One whose workers died runs with no other such one beside it, so that the guilty one is found.
-- Returns the claims, and the breakers of all handlers whose destinations fail.
-- ARGV: claim token, most to claim, most per mailbox and turn, lease seconds,
--       most bulk claims that may be running in the whole fleet
local token, left, few, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now, claimed = clock(), {}

local function claim(most, bulk)
  local places = most
  while places > 0 do
    local mailboxes = redis.call('ZRANGEBYSCORE', ready_key(bulk), '-inf', now, 'LIMIT', 0, places)
    if #mailboxes == 0 then break end
    for _, mailbox in ipairs(mailboxes) do
      if places == 0 then break end -- who got nothing keeps its turn
      local due, taken = due_key(mailbox, bulk), math.min(few, places)
      for _, member in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, taken)) do
        local id, route = string.match(member, '^([^\t]*)\t(.*)$')
        local key = message_key(mailbox, id)
        local fields = redis.call('HMGET', key, 'message', 'd:' .. route, 'l:' .. route)
        local suspect = number(fields[3]) >= LAPSES_UNTIL_ALONE
        redis.call('ZREM', due, member)
        if suspect and redis.call('EXISTS', P .. 'suspect') == 1 then
          redis.call('ZADD', due, now + 1, member)
        elseif fields[1] and fields[2] then
          if suspect then redis.call('SET', P .. 'suspect', mailbox .. '\t' .. member) end
          redis.call('HSET', key, 'c:' .. route, token)
          begin_running(mailbox, mailbox .. '\t' .. member, now + lease, bulk)
          claimed[#claimed + 1] = { mailbox, id, route, fields[1], fields[2] }
          places = places - 1
        end
      end
      ready(mailbox, now, bulk) -- its turn is over: those who wait longer come first
    end
  end
  return most - places
end

left = left - claim(left, false)
if left > 0 and redis.call('EXISTS', P .. 'bulk-ready') == 1 then
  claim(math.min(left, tonumber(ARGV[5]) - redis.call('SCARD', P .. 'bulk-running')), true)
end
return { claimed, all_breakers(now) }
