-- Makes a page of a backfill due, in one step with how far that has come. Returns how many
-- deliveries; -1 if the backfill was stopped or somebody else went on from there.
-- ARGV: mailbox, messages as JSON, backfill's id, progress of the mailbox before ('' for none), after
local mailbox, progress = ARGV[1], P .. 'backfill-progress'
local run = redis.call('HMGET', P .. 'backfill', 'id', 'state')
local before = redis.call('HGET', progress, mailbox) or ''
if run[1] ~= ARGV[3] or run[2] ~= 'running' or before ~= ARGV[4] then return -1 end
redis.call('HSET', progress, mailbox, ARGV[5])
local now, admitted = clock(), 0
for _, message in ipairs(cjson.decode(ARGV[2])) do
  admitted = admitted + admit(mailbox, message, now)
end
return admitted
