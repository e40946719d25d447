-- What the pump hands to the queue: mailboxes to synchronise, whether deliveries, closing work or
-- a check of the subscription are due. What is handed on but not taken is handed on again later, so that
-- tasks cannot build up.
-- ARGV: most mailboxes, seconds until a mailbox is handed on again, the same for deliveries
local now, most = clock(), ARGV[1]
local mailboxes = redis.call('ZRANGEBYSCORE', P .. 'schedule', '-inf', now, 'LIMIT', 0, most)
for _, mailbox in ipairs(mailboxes) do
  redis.call('ZADD', P .. 'schedule', now + tonumber(ARGV[2]), mailbox)
end
local function due(name, handed)
  local first = redis.call('ZRANGEBYSCORE', P .. name, '-inf', now, 'LIMIT', 0, 1)
  if #first == 0 then return 0 end
  return redis.call('SET', P .. handed, 1, 'NX', 'PX', ARGV[3]) and 1 or 0
end
local check = 0
if number(redis.call('GET', P .. 'check-at')) <= now then
  check = redis.call('SET', P .. 'handed:check', 1, 'NX', 'PX', ARGV[3]) and 1 or 0
end
return { mailboxes, due('ready', 'handed:deliver'), due('closing-due', 'handed:close'), check }
