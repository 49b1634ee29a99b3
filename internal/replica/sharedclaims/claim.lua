-- Claims a request id, or returns who has it.
--
-- KEYS  1 the claim
-- ARGV  1 run id of the expected Redis  2 replica  3 attempt  4 hash of the add  5 lifetime in ms
--       6 the attempt that the caller waited for, or ''  7 a replica that is gone, or ''
--
-- The claim is a hash: v (format), state, attempt, holder, hash, outcome, at, sent, seq,
-- reconciler (who looks for the participant of a holder that is gone), and ended and
-- ended_outcome of the attempt before. States: claimed, marked, done, free. The outcome of a
-- free claim is for those who waited for its attempt.
local key, replica, attempt, hash, lifetime, waited, gone = KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if run ~= ARGV[1] then
	return { 'run', run }
end
local now = redis.call('TIME')
now = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))

local function get(field)
	return redis.call('HGET', key, field) or ''
end

local function claim()
	local ended, outcome = get('attempt'), get('outcome')
	redis.call('DEL', key)
	redis.call('HSET', key, 'v', '1', 'state', 'claimed', 'attempt', attempt, 'holder', replica, 'hash', hash,
		'ended', ended, 'ended_outcome', outcome, 'at', now)
	redis.call('PEXPIRE', key, lifetime)
	return { 'won' }
end

if redis.call('EXISTS', key) == 0 then
	return claim()
end
local state, present = get('state'), get('attempt')
if state == 'free' then
	-- A claim that arrives after it was given up.
	if present == attempt then
		return { 'late' }
	end
	if waited ~= '' and present == waited and get('outcome') ~= '' then
		return { 'outcome', get('outcome'), get('at') }
	end
end
if waited ~= '' and present ~= waited and get('ended') == waited and get('ended_outcome') ~= '' then
	return { 'outcome', get('ended_outcome'), get('at') }
end
if state == 'free' then
	return claim()
end
if state ~= 'claimed' and state ~= 'marked' and state ~= 'done' then
	return { 'unreadable' }
end
if present == attempt and state == 'claimed' then
	return { 'won' }
end
if get('hash') ~= hash then
	return { 'reused' }
end
if state == 'done' then
	return { 'outcome', get('outcome'), get('at') }
end
local owner = get('reconciler')
if owner == '' then
	owner = get('holder')
end
if gone ~= '' and owner == gone then
	if state == 'claimed' then
		redis.call('HDEL', key, 'outcome')
		return claim()
	end
	redis.call('HSET', key, 'reconciler', replica)
	redis.call('PEXPIRE', key, lifetime)
	return { 'orphan', present, get('sent'), get('seq') }
end
return { 'wait', present, owner }
