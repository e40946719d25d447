-- What the pump hands to the queue: mailboxes to synchronise, whether deliveries, closing work or
-- checks of subscriptions are due. What is handed on but not taken is handed on again later, so
-- that tasks cannot build up.
-- ARGV: most mailboxes, seconds until a mailbox is handed on again, the same for deliveries
local now, most = clock(), ARGV[1]
turn_breakers(now)
local mailboxes = redis.call('ZRANGEBYSCORE', P .. 'schedule', '-inf', now, 'LIMIT', 0, most)
for _, mailbox in ipairs(mailboxes) do
  redis.call('ZADD', P .. 'schedule', now + tonumber(ARGV[2]), mailbox)
end
local function handed_on(name)
  return redis.call('SET', P .. 'handed:' .. name, 1, 'NX', 'PX', ARGV[3]) and 1 or 0
end
local function due(name, work)
  local first = redis.call('ZRANGEBYSCORE', P .. name, '-inf', now, 'LIMIT', 0, 1)
  return first[1] and handed_on(work) or 0
end
-- a credential that nobody serves any more must not be handed on for ever
redis.call('ZREMRANGEBYSCORE', P .. 'check-at', '-inf', now - 600)
local check = redis.call('EXISTS', P .. 'check-at') == 0 and handed_on('check') or 0
if check == 0 then check = due('check-at', 'check') end
local deliveries = due('ready', 'deliver')
if deliveries == 0 then deliveries = due('bulk-ready', 'deliver') end
return { mailboxes, deliveries, due('closing-due', 'close'), check }
