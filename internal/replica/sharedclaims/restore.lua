-- Writes a claim without an outcome again, for a Redis that may have lost it.
--
-- KEYS  1 the claim  2 the conference's adds  3 their times
-- ARGV  1 attempt  2 holder  3 hash of the add  4 state  5 lifetime in ms  6 '1' if there is a
--       claim  7 the add  8 its number, or 0 if it was not marked  9 when it was marked, in ms
local claim, adds, times = KEYS[1], KEYS[2], KEYS[3]
local attempt, lifetime, number, sent = ARGV[1], ARGV[5], ARGV[8], ARGV[9]
if tonumber(number) > 0 then
	local last = redis.call('HGET', adds, 'n') or '0'
	if tonumber(last) < tonumber(number) then
		redis.call('HSET', adds, 'n', number)
	end
	redis.call('HINCRBY', adds, 'v', 1)
	redis.call('HSET', adds, attempt, '1 ' .. number .. ' 0 ' .. ARGV[7])
	redis.call('ZADD', times, sent, attempt)
	redis.call('PEXPIRE', adds, lifetime)
	redis.call('PEXPIRE', times, lifetime)
end
if ARGV[6] ~= '1' then
	return 'ok'
end
local present = redis.call('HMGET', claim, 'attempt', 'state')
-- An older attempt that is free is what a Redis that lost the last changes has.
if present[1] == attempt and present[2] ~= 'claimed' then
	return 'newer'
end
if present[1] and present[1] ~= attempt and present[2] ~= 'free' then
	return 'other'
end
redis.call('DEL', claim)
redis.call('HSET', claim, 'v', '1', 'state', ARGV[4], 'attempt', attempt, 'holder', ARGV[2], 'hash', ARGV[3], 'at', sent)
if tonumber(number) > 0 then
	redis.call('HSET', claim, 'sent', sent, 'seq', number)
end
redis.call('PEXPIRE', claim, lifetime)
return 'ok'
