-- release gives up a lease, and lets the other replicas know.
-- KEYS: lease, counts
-- ARGV: replica, its term, channel
local value = RUN_ID .. ' ' .. ARGV[1] .. ' ' .. ARGV[2]
if redis.pcall('GET', KEYS[1]) ~= value then
  return 'lost'
end
redis.call('DEL', KEYS[1])
set_lease_count(KEYS[2], ARGV[1], lease_count(KEYS[2], ARGV[1]) - 1)
redis.call('PUBLISH', ARGV[3], pack({'free', ''}))
return 'released'
