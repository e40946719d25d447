-- Marks mailboxes as dirty; returns those that may be synchronised now.
-- ARGV: the least time between two syncs of a mailbox, then mailboxes ("*" for all watched).
local now, gap, due = clock(), tonumber(ARGV[1]), {}
local mailboxes = { unpack(ARGV, 2) }
for _, mailbox in ipairs(mailboxes) do
  if mailbox == '*' then mailboxes = redis.call('SMEMBERS', P .. 'watched') break end
end
for _, mailbox in ipairs(mailboxes) do
  if redis.call('SISMEMBER', P .. 'watched', mailbox) == 1 then
    local key = mailbox_key(mailbox)
    redis.call('HINCRBY', key, 'generation', 1)
    local state = redis.call('HMGET', key, 'lease_until', 'started', 'retry_at')
    if number(state[1]) <= now then
      local at = math.max(now, number(state[2]) + gap, number(state[3]))
      redis.call('ZADD', P .. 'schedule', 'LT', at, mailbox)
      redis.call('ZADD', P .. 'schedule', 'NX', at, mailbox)
      if at <= now then due[#due + 1] = mailbox end
    end
  end
end
return due
