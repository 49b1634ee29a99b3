-- keep renews what a replica holds, and returns what it needs to know of its conferences.
-- KEYS: counts, then for each conference: head, lease, present
-- ARGV: replica, the number of leases that it holds, a lease's life in milliseconds, 1 to
-- renew, then for each conference: replica and term of the lease held or empty, 1 if the
-- replica waits for the lease
-- Returns for each conference: held, lost, free or taken; epoch, seq and commits of the head.
local replica, held, life, renew = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local now = microseconds() / 1000

-- check_lease renews a lease that is held.
local function check_lease(lease, term)
  local value = redis.pcall('GET', lease)
  if term ~= '' then
    if value ~= RUN_ID .. ' ' .. term then
      return 'lost'
    end
    if renew then
      redis.call('PEXPIRE', lease, life)
    end
    return 'held'
  end
  local taken = type(value) == 'string' and string.sub(value, 1, #RUN_ID) == RUN_ID
  return taken and 'taken' or 'free'
end

-- announce records whether the replica waits for the lease, for a lease's life.
local function announce(present, waits)
  local name = 'wait ' .. replica
  if waits == '1' then
    write('ZADD', present, decimal(now + life), name)
    redis.call('PEXPIRE', present, life)
  else
    redis.pcall('ZREM', present, name)
  end
end

if renew then
  set_lease_count(KEYS[1], replica, held)
  local counts = redis.call('HGETALL', KEYS[1])
  for i = 1, #counts, 2 do
    local seen = tonumber(string.match(counts[i + 1], '%d+$')) or 0
    if now - seen / 1000 > COUNTS_LIFE then
      redis.call('HDEL', KEYS[1], counts[i])
    end
  end
end
local results = {}
for i = 2, #KEYS, 3 do
  local head, lease, present = KEYS[i], KEYS[i + 1], KEYS[i + 2]
  local first = 5 + (i - 2) / 3 * 2
  local term, waits = ARGV[first], ARGV[first + 1]
  local epoch, seq, commits = brief_head(head)
  local state = check_lease(lease, term)
  if renew then
    redis.pcall('ZREMRANGEBYSCORE', present, '-inf', '(' .. decimal(now))
    announce(present, waits)
  end
  table.insert(results, {state, epoch, seq, commits})
end
return results
