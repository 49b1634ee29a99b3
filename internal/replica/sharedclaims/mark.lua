-- Marks a claim as sent, and notes the add among those of the conference without an outcome.
--
-- KEYS  1 the claim  2 the conference's adds  3 their times
-- ARGV  1 run id of the expected Redis  2 attempt  3 lifetime in ms  4 '1' if there is a claim,
--       '0' for an add without a request id  5 the add
--
-- The adds are a hash: n (the number of the last add), v (counts changes), and for each attempt
-- "FORMAT NUMBER LOST ADD". LOST is 0, or the number of the last add when it became certain that
-- the outcome stays unknown. The times are a sorted set of the attempts.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if run ~= ARGV[1] then
	return { 'run', run }
end
local claim, adds, times = KEYS[1], KEYS[2], KEYS[3]
local attempt, lifetime, scoped = ARGV[2], ARGV[3], ARGV[4] == '1'
if scoped then
	local r = redis.call('HMGET', claim, 'attempt', 'state', 'reconciler')
	if r[1] ~= attempt or (r[2] ~= 'claimed' and r[2] ~= 'marked') or r[3] then
		return { 'taken' }
	end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, old in ipairs(redis.call('ZRANGE', times, '-inf', now - lifetime, 'BYSCORE')) do
	redis.call('HDEL', adds, old)
	redis.call('ZREM', times, old)
end
local number = redis.call('HINCRBY', adds, 'n', 1)
redis.call('HINCRBY', adds, 'v', 1)
redis.call('HSET', adds, attempt, '1 ' .. number .. ' 0 ' .. ARGV[5])
redis.call('ZADD', times, now, attempt)
redis.call('PEXPIRE', adds, lifetime)
redis.call('PEXPIRE', times, lifetime)
now = string.format('%.0f', now)
if scoped then
	redis.call('HSET', claim, 'state', 'marked', 'sent', now, 'seq', number, 'at', now)
	redis.call('PEXPIRE', claim, lifetime)
end
local _, replicas = string.gsub(redis.call('INFO', 'replication'), 'state=online,offset=[1-9]', '')
return { 'ok', number, now, replicas }
