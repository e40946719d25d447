-- What is known of messages. For each: whether it is remembered, its fingerprint, why it was missed,
-- then pairs of lane and state of what is not settled. Reads only.
-- ARGV: mailbox, message ids
local mailbox, known = ARGV[1], {}
for i = 2, #ARGV do
  local id, key = ARGV[i], message_key(mailbox, ARGV[i])
  local row = {
    redis.call('ZSCORE', P .. 'seen:' .. mailbox, id) or '',
    redis.call('HGET', P .. 'prints:' .. mailbox, id) or '',
    redis.call('HGET', P .. 'missed:' .. mailbox, id) or '',
  }
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local lane = string.match(field, '^d:(.*)$')
    local state = lane and cjson.decode(redis.call('HGET', key, field)).state
    if state and state ~= 'done' then
      row[#row + 1] = lane
      row[#row + 1] = state
    end
  end
  known[#known + 1] = row
end
return known
