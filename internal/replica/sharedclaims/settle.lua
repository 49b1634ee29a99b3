-- Ends an attempt: notes whose participant it created, shares its outcome, and informs those who
-- wait. The first outcome of a claim stays.
--
-- KEYS  1 the claim  2 the conference's adds  3 their times  4 the time of the conference's last
--       successful add  5… participants
-- ARGV  1 attempt  2 holder  3 hash of the add  4 kind  5 outcome  6 lifetime in ms  7 that of a
--       free claim  8 that of the last add's time  9 '1' if there is a claim  10 channel
--       11 number of the add, or 0
--
-- Kinds: success (KEYS[5] is its participant), unknown (the participants are those that it may
-- have created), refused (it created none, and others get its outcome), none (it created none),
-- released (it was not sent, and others may send it). A participant's value is "NUMBER ATTEMPT": no add with a larger number created it; if the
-- number is 0, none but this attempt.
local claim, adds, times = KEYS[1], KEYS[2], KEYS[3]
local attempt, kind, outcome, lifetime = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local now = redis.call('TIME')
now = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))

if kind == 'success' then
	redis.call('SET', KEYS[5], '0 ' .. attempt, 'PX', lifetime)
	redis.call('SET', KEYS[4], now, 'PX', ARGV[8])
end
if kind == 'unknown' then
	local last = redis.call('HGET', adds, 'n') or '0'
	if tonumber(last) < tonumber(ARGV[11]) then
		last = ARGV[11]
	end
	for i = 5, #KEYS do
		if redis.call('EXISTS', KEYS[i]) == 0 then
			redis.call('SET', KEYS[i], last .. ' ' .. attempt, 'PX', lifetime)
		end
	end
	local format, number, add = string.match(redis.call('HGET', adds, attempt) or '', '^(%d+) (%d+) 0 (.*)$')
	if format then
		redis.call('HSET', adds, attempt, format .. ' ' .. number .. ' ' .. last .. ' ' .. add)
	end
else
	redis.call('HDEL', adds, attempt)
	redis.call('ZREM', times, attempt)
end
redis.call('HINCRBY', adds, 'v', 1)
redis.call('PEXPIRE', adds, lifetime)
redis.call('PEXPIRE', times, lifetime)

if ARGV[9] ~= '1' then
	return { 'ok', now }
end
local present = redis.call('HMGET', claim, 'attempt', 'state', 'outcome', 'at')
local is_outcome = kind == 'success' or kind == 'unknown' or kind == 'refused'
if present[1] and present[1] ~= attempt and not (is_outcome and present[2] == 'free') then
	return { 'other', now }
end
if present[2] == 'done' then
	return { 'outcome', present[3], present[4] }
end
redis.call('HSET', claim, 'v', '1', 'attempt', attempt, 'holder', ARGV[2], 'hash', ARGV[3], 'at', now)
if is_outcome then
	redis.call('HSET', claim, 'state', 'done', 'outcome', outcome)
	redis.call('PEXPIRE', claim, lifetime)
else
	redis.call('HSET', claim, 'state', 'free', 'outcome', outcome)
	redis.call('HDEL', claim, 'reconciler')
	redis.call('PEXPIRE', claim, ARGV[7])
end
redis.call('PUBLISH', ARGV[10], claim)
return { 'ok', now }
