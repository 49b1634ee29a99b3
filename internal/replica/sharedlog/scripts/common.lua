-- Functions of all scripts: this text precedes each of them.

-- A log expires 14 minutes after its last list, counts of leases after a minute.
local LOG_LIFE, COUNTS_LIFE = 840000, 60000

-- RUN_ID is the id of this Redis process. A log and a lease belong to one process: after a
-- restart or a failover their last changes may be missing.
local RUN_ID = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')

-- microseconds returns Redis' time.
local function microseconds()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- decimal formats a number as an integer: tostring would use an exponent.
local function decimal(n)
  return string.format('%.0f', n)
end

-- pack joins values to one string: each is its length, a colon and its bytes.
local function pack(values)
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = #value .. ':' .. value
  end
  return table.concat(parts)
end

-- remaining returns how many milliseconds a key of a log still lives: writes do not extend
-- its life, so that nothing is left soon after the last watcher.
local function remaining(key)
  local left = redis.call('PTTL', key)
  return left > 0 and left or LOG_LIFE
end

-- next_tick advances the conference's logical clock. It never falls behind Redis' time, so
-- that it never goes back, also after its key is lost.
local function next_tick(clock, at_least)
  local last = tonumber(redis.pcall('GET', clock)) or 0
  local tick = decimal(math.max(last + 1, at_least + 1, microseconds()))
  redis.call('SET', clock, tick, 'PX', remaining(clock))
  return tick
end

-- read_head returns the head of the log, or nil if there is none that can be used: it is
-- missing, belongs to another Redis process, cannot be read, or a part of the log was
-- evicted.
local function read_head(head, members, entries)
  local texts = redis.pcall('HMGET', head, 'run', 'epoch', 'recent')
  if texts.err or texts[1] ~= RUN_ID or not texts[3] or not string.match(texts[2] or '', '^' .. string.rep('%x', 32) .. '$') then
    return nil
  end
  local result = {epoch = texts[2], recent = texts[3]}
  local names = {'seq', 'commits', 'floor', 'members', 'entries'}
  for i, value in ipairs(redis.call('HMGET', head, unpack(names))) do
    local number = tonumber(value)
    if not number or number < 0 or decimal(number) ~= value then
      return nil
    end
    result[names[i]] = number
  end
  if redis.pcall('HLEN', members) ~= result.members or redis.pcall('XLEN', entries) ~= result.entries then
    return nil
  end
  return result
end

-- brief_head returns the epoch, sequence number and number of commits of a log, without a
-- look at the whole; the epoch is empty if there is no log of this Redis process.
local function brief_head(head)
  local values = redis.pcall('HMGET', head, 'run', 'epoch', 'seq', 'commits')
  if values.err or values[1] ~= RUN_ID then
    return '', '0', '0'
  end
  return values[2] or '', values[3] or '0', values[4] or '0'
end

-- write calls a command that writes to a key. What it replaces, if it is of another type,
-- cannot be read by anyone.
local function write(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    redis.call('DEL', key)
    redis.call(command, key, ...)
  end
end

-- lease_count returns how many leases a replica holds.
local function lease_count(counts, replica)
  local value = redis.pcall('HGET', counts, replica)
  return type(value) == 'string' and tonumber(string.match(value, '^%d+')) or 0
end

-- set_lease_count records how many leases a replica holds, and when.
local function set_lease_count(counts, replica, count)
  write('HSET', counts, replica, decimal(math.max(count, 0)) .. ' ' .. decimal(microseconds()))
  redis.call('PEXPIRE', counts, COUNTS_LIFE)
end

-- present_names returns which replicas wait for the lease, each as "wait REPLICA".
local function present_names(present)
  local names = redis.pcall('ZRANGE', present, decimal(microseconds() / 1000), '+inf', 'BYSCORE')
  return names.err and {} or names
end
