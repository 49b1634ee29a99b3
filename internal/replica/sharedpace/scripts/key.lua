-- Decides whether a replica may exchange the API key, and records the outcome (R5, A6). After a
-- refusal nobody tries for a while, which doubles up to `longest`; then one replica tries.
--
-- KEYS: key (hash: delay, the current back-off; until, before which nobody tries; trying, until
-- when the others leave the next try to one replica).
-- ARGV: what (try, refused, accepted, failed), first, longest, try_for, lifetime (ms). Times are
-- microseconds.
-- Returns how long the replica must wait; 0 if it may exchange the key now.
local key, what = KEYS[1], ARGV[1]
local first, longest, try_for, lifetime = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if what == 'accepted' then
	redis.call('DEL', key)
	return 0
end
local state = redis.call('HMGET', key, 'delay', 'until', 'trying')
local delay, until_, trying = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
if what == 'refused' then
	if now < until_ then
		return until_ - now -- Another replica was refused at the same time.
	end
	-- The delay doubles as often as the key was tried.
	delay = math.min(math.max(2 * delay, first), longest)
	redis.call('HSET', key, 'delay', delay, 'until', string.format('%.0f', now + delay), 'trying', 0)
	redis.call('PEXPIRE', key, lifetime)
	return delay
end
if what == 'failed' then
	if delay > 0 then
		redis.call('HSET', key, 'trying', 0)
	end
	return 0
end
local wait = math.max(until_, trying) - now
if delay > 0 and wait > 0 then
	return wait
end
if delay > 0 then
	redis.call('HSET', key, 'trying', string.format('%.0f', now + try_for))
	redis.call('PEXPIRE', key, lifetime)
end
return 0
