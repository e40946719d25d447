-- Makes deliveries of messages due behind live work; returns how many. See `admit` of the prelude.
-- ARGV: mailbox, messages as JSON
local now, admitted = clock(), 0
for _, message in ipairs(cjson.decode(ARGV[2])) do
  admitted = admitted + admit(ARGV[1], message, now)
end
return admitted
