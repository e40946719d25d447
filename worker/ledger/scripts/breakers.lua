-- Breakers, read after the prelude: what is known of handlers whose destinations fail, by the name of
-- their step. `breakers` holds for each {open, members, reason, since, pause, probe_at, probe}: five
-- deliveries (`members`) that failed in a row open it. What would go to an open one is put off into
-- `put-off:<step>`, scored by when its time is over; one of it at a time is the `probe`.
local FAILURES, FIRST_PAUSE, LONGEST_PAUSE, MOVED = 5, 30, 300, 500

local function put_off_key(step) return P .. 'put-off:' .. step end

-- For the answer of a script: when it ran, because answers overtake each other, and all breakers.
local function all_breakers(now)
  return { string.format('%.6f', now), unpack(redis.call('HGETALL', P .. 'breakers')) }
end

local function breaker(step)
  local json = redis.call('HGET', P .. 'breakers', step)
  return json and cjson.decode(json)
end

local function keep_breaker(step, state)
  redis.call('HSET', P .. 'breakers', step, cjson.encode(state))
end

local function size(set)
  local count = 0
  for _ in pairs(set) do count = count + 1 end
  return count
end

-- The destination is there: the breaker is closed, and `turn_breakers` brings back what was put off.
local function close_breaker(step)
  if redis.call('HEXISTS', P .. 'breakers', step) == 0 then return end
  if redis.call('EXISTS', put_off_key(step)) == 1 then
    keep_breaker(step, { open = false, members = {} })
  else
    redis.call('HDEL', P .. 'breakers', step)
  end
end

local function count_failure(step, member, reason, now)
  local state = breaker(step) or { open = false, members = {} }
  state.reason = reason
  if not state.open then
    state.members[member] = true
    if size(state.members) >= FAILURES then
      state.open, state.members, state.since, state.pause = true, {}, now, FIRST_PAUSE
      state.probe_at = now + FIRST_PAUSE
    end
  elseif state.probe == member then
    state.probe, state.pause = nil, math.min(state.pause * 2, LONGEST_PAUSE)
    state.probe_at = now + state.pause
  end
  keep_breaker(step, state)
end

-- A delivery goes on without any more word from `step`, the one it came to: if it was a probe, the
-- next one may go; if it never came to the handler that it was to probe, others will find out.
local function end_probe(member, step, now)
  local states = redis.call('HGETALL', P .. 'breakers')
  for i = 1, #states, 2 do
    local name, state = states[i], cjson.decode(states[i + 1])
    if state.probe == member then
      if name == step then
        state.probe, state.probe_at = nil, now + state.pause
        keep_breaker(name, state)
      else
        close_breaker(name)
      end
    end
  end
end

-- What a delivery's attempt at its step says of the destination: 'answered', 'failing', 'nothing'.
local function heard(delivery, member, says, now)
  if not delivery.step then return end
  if says == 'failing' then
    count_failure(delivery.step, member, delivery.reason or '', now)
  elseif says == 'answered' or delivery.done[delivery.step] then
    close_breaker(delivery.step)
  end
end

local function bring_back(step, member, now)
  redis.call('ZREM', put_off_key(step), member)
  local mailbox, id, route = split(member)
  local json = redis.call('HGET', message_key(mailbox, id), 'd:' .. route)
  if json then make_due(mailbox, id, route, now, now, is_bulk(json)) end
  return json
end

-- Sends probes whose time has come; brings back what waits for a breaker that has closed, and what
-- has waited for too long.
local function turn_breakers(now)
  local states = redis.call('HGETALL', P .. 'breakers')
  for i = 1, #states, 2 do
    local step, state = states[i], cjson.decode(states[i + 1])
    local waiting, most = put_off_key(step), state.open and now or '+inf'
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', most, 'LIMIT', 0, MOVED)) do
      bring_back(step, member, now)
    end
    if state.open then
      if state.probe then
        local mailbox, id, route = split(state.probe)
        -- its message may have been forgotten meanwhile
        if redis.call('HEXISTS', message_key(mailbox, id), 'd:' .. route) == 0 then
          state.probe = nil
          keep_breaker(step, state)
        end
      end
      local probe = not state.probe and state.probe_at <= now and redis.call('ZRANDMEMBER', waiting)
      if probe and bring_back(step, probe, now) then
        state.probe = probe
        keep_breaker(step, state)
      end
    elseif size(state.members) == 0 and redis.call('EXISTS', waiting) == 0 then
      redis.call('HDEL', P .. 'breakers', step)
    end
  end
end
