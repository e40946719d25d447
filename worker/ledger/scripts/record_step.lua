-- Writes a delivery that goes on; only the holder of its claim may. Returns 1 when written.
-- ARGV: mailbox, message id, route, claim token, delivery as JSON
local key = message_key(ARGV[1], ARGV[2])
if redis.call('HGET', key, 'c:' .. ARGV[3]) ~= ARGV[4] then return 0 end
redis.call('HSET', key, 'd:' .. ARGV[3], ARGV[5])
redis.call('HDEL', key, 'l:' .. ARGV[3])
if redis.call('EXISTS', P .. 'breakers') == 1 then
  heard(cjson.decode(ARGV[5]), ARGV[1] .. '\t' .. ARGV[2] .. '\t' .. ARGV[3], 'nothing', clock())
end
return 1
