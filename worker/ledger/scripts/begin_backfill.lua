-- Begins a backfill, or goes on with the one that was asked for in the same words; nothing happens
-- while another one is running.
-- ARGV: id, what was asked for as JSON, backfill as JSON
local key, progress = P .. 'backfill', P .. 'backfill-progress'
local old = redis.call('HMGET', key, 'asked', 'state', 'body')
if old[2] == 'running' then return 0 end
redis.call('HDEL', key, 'halted')
if old[2] == 'stopped' and old[1] == ARGV[2] then
  redis.call('HSET', key, 'state', 'running')
  return 1
end
if old[3] then
  local reached, fields = {}, redis.call('HGETALL', progress)
  for i = 1, #fields, 2 do reached[fields[i]] = fields[i + 1] end
  if #fields > 0 then
    local run = { body = old[3], state = old[2], progress = reached }
    redis.call('RPUSH', P .. 'backfills-before', cjson.encode(run))
  end
end
redis.call('DEL', progress, P .. 'backfill-problems')
redis.call('HSET', key, 'id', ARGV[1], 'asked', ARGV[2], 'body', ARGV[3], 'state', 'running')
return 1
