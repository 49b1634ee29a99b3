-- append commits a list or a write: it refuses, or does everything in one step.
-- KEYS: head, members, entries, clock, lease
-- ARGV: see arguments
-- Returns an outcome, the head (epoch, seq, commits) and the logical time of the commit.
local arguments = {
  'channel',
  'id',           -- of the batch: a second append of the same batch changes nothing
  'term',         -- replica and term of a list's lease; empty for a write
  'answered',     -- when a write was answered, in microseconds of Redis' time
  'write_age',    -- how old a write may be, in microseconds
  'epoch',        -- the expected head's epoch and number of commits
  'commits',
  'new_epoch',    -- not empty: the batch contains all members and replaces the log
  'clock',        -- the latest logical time that the author knows
  'listed',       -- 1 for a list that was applied: the commit is its logical time
  'list_tick',    -- of the log that the base of anything else replaces
  'numbered',     -- 1 if the batch takes a sequence number
  'changes',      -- the number of visible changes; without any it is not kept
  'entry',
  'marks',        -- empty: they stay as they are
  'status',       -- empty: it stays as it is
  'floor',        -- entries up to this sequence number are dropped
  'history_age',  -- older entries are dropped, in microseconds
  'members',      -- the number of pairs of id and bytes that follow; then ids to forget
}
local arg = {}
for i, name in ipairs(arguments) do
  arg[name] = ARGV[i]
end
local first = #arguments + 1
local last = first + 2 * tonumber(arg.members) - 1
local head, members, entries, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[5]
local now = microseconds()
local log = read_head(head, members, entries)

local function answer(outcome)
  if not log then
    return {outcome, '', '0', '0', '0'}
  end
  return {outcome, log.epoch, decimal(log.seq), decimal(log.commits), log.tick or '0'}
end

-- refusal returns why the batch must not be committed.
local function refusal()
  if log and string.find(log.recent, ' ' .. arg.id .. ' ', 1, true) then
    return 'repeated'
  elseif arg.term ~= '' and redis.pcall('GET', lease) ~= RUN_ID .. ' ' .. arg.term then
    return 'fenced'
  elseif arg.term == '' and now - tonumber(arg.answered) > tonumber(arg.write_age) then
    return 'old'
  elseif not log and arg.new_epoch == '' then
    return 'missing'
  elseif log and (log.epoch ~= arg.epoch or log.commits ~= tonumber(arg.commits)) then
    return 'conflict'
  end
end

local function write_members()
  for i = first, last, 1000 do
    redis.call('HSET', members, unpack(ARGV, i, math.min(i + 999, last)))
  end
  for i = last + 1, #ARGV, 1000 do
    redis.call('HDEL', members, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
end

local function write_entry()
  if arg.changes ~= '0' and arg.new_epoch == '' then
    redis.call('XADD', entries, decimal(log.seq) .. '-0',
      'at', decimal(now), 'id', arg.id, 'changes', arg.changes, 'entry', arg.entry)
  end
end

-- trim drops entries. Each commit looks at the oldest four only, so that it stays short.
local function trim()
  local floor = math.max(log.floor, math.min(tonumber(arg.floor), log.seq))
  for _, item in ipairs(redis.call('XRANGE', entries, '-', '+', 'COUNT', 4)) do
    if now - (tonumber(item[2][2]) or 0) > tonumber(arg.history_age) then
      floor = math.max(floor, tonumber(string.match(item[1], '^%d+')))
    end
  end
  if floor > log.floor then
    redis.call('XTRIM', entries, 'MINID', decimal(floor + 1))
  end
  log.floor = floor
end

local function write_head()
  local life = arg.term ~= '' and LOG_LIFE or remaining(head)
  redis.call('HSET', head, 'run', RUN_ID, 'epoch', log.epoch, 'recent', log.recent,
    'seq', decimal(log.seq), 'commits', decimal(log.commits), 'floor', decimal(log.floor),
    'members', redis.call('HLEN', members), 'entries', redis.call('XLEN', entries))
  for _, name in ipairs({'marks', 'status'}) do
    if arg[name] ~= '' then
      redis.call('HSET', head, name, arg[name])
    end
  end
  if arg.term ~= '' then
    redis.call('HSET', head, 'poller', string.match(arg.term, '^%S+'))
  end
  if arg.listed == '1' then
    redis.call('HSET', head, 'list_tick', log.tick)
  elseif arg.new_epoch ~= '' then
    redis.call('HSET', head, 'list_tick', arg.list_tick)
  end
  for i = 1, 4 do
    redis.call('PEXPIRE', KEYS[i], life)
  end
end

-- publish sends the commit to the followers. They load a new log instead.
local function publish()
  local message = {'commit', log.epoch, decimal(log.seq), decimal(log.commits)}
  if arg.new_epoch ~= '' then
    message[1] = 'base'
  else
    local values = {
      decimal(log.floor), decimal(now), log.tick, arg.id, arg.changes, arg.entry, arg.marks, arg.status, arg.members,
    }
    for _, value in ipairs(values) do
      table.insert(message, value)
    end
    for i = first, #ARGV do
      table.insert(message, ARGV[i])
    end
  end
  redis.call('PUBLISH', arg.channel, pack(message))
end

local refused = refusal()
if refused then
  return answer(refused)
end
if arg.new_epoch ~= '' then
  redis.call('DEL', head, members, entries)
  log = {epoch = arg.new_epoch, recent = ' ', seq = 0, commits = 0, floor = 0}
end
log.commits = log.commits + 1
log.tick = next_tick(KEYS[4], tonumber(arg.clock))
if arg.numbered == '1' then
  log.seq = log.seq + 1
  log.recent = string.sub(' ' .. arg.id .. log.recent, 1, 2048)
end
write_members()
write_entry()
trim()
write_head()
publish()
return answer('appended')
