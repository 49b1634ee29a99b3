-- lead takes the lease of a conference if it is free. Of the replicas that wait for it, the
-- one that holds the fewest leases gets it. If no other is known to wait for it, it is left for
-- a moment to those that hold fewer: a watcher may have just reached one.
-- KEYS: lease, present, clock, counts, head
-- ARGV: replica, the lease's life in milliseconds, channel, 1 to take it although another
-- replica holds fewer
-- Returns held, the term, the replica that committed the last list, and the head (epoch, seq,
-- commits); or waits: another should take it; or taken.
local lease, present, clock, counts, head = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local replica, life, channel, force = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4] == '1'
local value = redis.pcall('GET', lease)
local holder = type(value) == 'string' and string.match(value, '^' .. RUN_ID .. ' (%S+) ')
if holder and holder ~= replica then
  return {'taken'}
end

-- fewest returns the replica that waits for the lease and holds fewer than own, the fewest.
local function fewest(own)
  local best
  for _, name in ipairs(present_names(present)) do
    local other = string.match(name, '^wait (.*)')
    local count = other and lease_count(counts, other)
    if other and other ~= replica and count < own then
      best, own = other, count
    end
  end
  return best
end

-- wanted_elsewhere reports whether another replica waits for the lease.
local function wanted_elsewhere()
  for _, name in ipairs(present_names(present)) do
    if string.match(name, ' (.*)') ~= replica then
      return true
    end
  end
  return false
end

-- fewer_elsewhere reports whether a replica that is alive holds fewer than own.
local function fewer_elsewhere(own)
  local alive_since = microseconds() - 1000 * life
  local values = redis.pcall('HGETALL', counts)
  for i = 1, values.err and 0 or #values, 2 do
    local count, seen = string.match(values[i + 1], '^(%d+) (%d+)$')
    if count and tonumber(count) < own and tonumber(seen) > alive_since and values[i] ~= replica then
      return true
    end
  end
  return false
end

local own = lease_count(counts, replica)
local best = not force and fewest(own)
if best then
  redis.call('PUBLISH', channel, pack({'free', best}))
  return {'waits'}
elseif not force and not wanted_elsewhere() and fewer_elsewhere(own) then
  return {'waits'}
end
local term = next_tick(clock, 0)
redis.call('SET', lease, RUN_ID .. ' ' .. replica .. ' ' .. term, 'PX', life)
redis.pcall('ZREM', present, 'wait ' .. replica)
if not holder then
  set_lease_count(counts, replica, own + 1)
end
local poller = redis.pcall('HGET', head, 'poller')
local epoch, seq, commits = brief_head(head)
return {'held', term, type(poller) == 'string' and poller or '', epoch, seq, commits}
