-- One call of a replica for its adds (R5): it reports what it has sent and what it will not
-- send, and may ask for one turn.
--
-- At most `limit` adds count within `window`: those that were sent, at the time of their report,
-- and those whose turn has come, until the report. Of the waiting replicas the one goes first that
-- has had fewer turns within the window, then fewer recently, then the one that began to wait
-- first. Free turns are kept for the replicas ahead.
--
-- KEYS: sent (turn -> time), open (turn -> time when it is dropped; a turn is REPLICA:NUMBER), queue (replica -> time when
-- it began to wait), seen (replica -> time of its last call). Times are Redis', in microseconds.
-- ARGV: replica, limit, window, kept (how long sent adds are kept), open_for, seen_for, lifetime
-- (ms), turn (the id of the turn that it asks for, or empty); the number of sent turns and for
-- each its id and how long ago; the number of returned turns and their ids; the ids of the turns
-- that are still open.
-- Returns: 1 if the turn has come; the replicas ahead; the waiting replicas; the open turns; how
-- long ago each add within the window was sent, the oldest first.
local sent, open, queue, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local replica, limit, window, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local open_for, seen_for, lifetime, turn = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local at = 9
local function next_arg()
	at = at + 1
	return ARGV[at - 1]
end
for _ = 1, tonumber(next_arg()) do
	local id, ago = next_arg(), tonumber(next_arg())
	redis.call('ZREM', open, id)
	redis.call('ZADD', sent, now - ago, id)
end
for _ = 1, tonumber(next_arg()) do
	redis.call('ZREM', open, next_arg())
end
while at <= #ARGV do
	redis.call('ZADD', open, now + open_for, next_arg())
end

redis.call('ZREMRANGEBYSCORE', sent, '-inf', now - kept)
redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
for _, dead in ipairs(redis.call('ZRANGE', seen, '-inf', now - seen_for, 'BYSCORE')) do
	redis.call('ZREM', seen, dead)
	redis.call('ZREM', queue, dead)
end

-- had are the turns of each replica within the window, and recent those that are kept.
local had, recent, times = {}, {}, {}
local function count(counts, id)
	local holder = string.match(id, '^(.*):%d+$')
	counts[holder] = (counts[holder] or 0) + 1
end
local all = redis.call('ZRANGE', sent, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
	count(recent, all[i])
	if tonumber(all[i + 1]) > now - window then
		count(had, all[i])
		table.insert(times, tonumber(all[i + 1]))
	end
end
local opened = redis.call('ZRANGE', open, 0, -1)
for _, id in ipairs(opened) do
	count(recent, id)
	count(had, id)
end

-- turns_before returns how many turns of others come before the next one of this replica, which
-- has waited since a time.
local function turns_before(since)
	local before = 0
	local waiting = redis.call('ZRANGE', queue, 0, -1, 'WITHSCORES')
	for i = 1, #waiting, 2 do
		local other = waiting[i]
		local more = (had[replica] or 0) - (had[other] or 0)
		local more_recent = (recent[replica] or 0) - (recent[other] or 0)
		if other == replica or more < 0 then
			more = 0
		elseif more == 0 and (more_recent > 0 or more_recent == 0 and tonumber(waiting[i + 1]) < since) then
			more = 1
		end
		before = before + more
	end
	return before
end

local used = #times + #opened
local granted, ahead = 0, 0
if turn == '' then
	redis.call('ZREM', queue, replica)
	redis.call('ZREM', seen, replica)
	ahead = turns_before(now)
else
	local since = redis.call('ZSCORE', queue, replica)
	if not since then
		since = now
		redis.call('ZADD', queue, now, replica)
	end
	redis.call('ZADD', seen, now, replica)
	ahead = turns_before(tonumber(since))
	if ahead < limit - used then
		granted = 1
		redis.call('ZADD', open, now + open_for, turn)
		redis.call('ZADD', queue, now, replica) -- It waits for its next turn, or says that it does not.
		count(recent, turn)
		count(had, turn)
		table.insert(opened, turn)
		ahead = turns_before(now)
	end
end
for _, key in ipairs(KEYS) do
	redis.call('PEXPIRE', key, lifetime)
end

local reply = { granted, ahead, redis.call('ZCARD', queue), #opened }
for _, at in ipairs(times) do
	table.insert(reply, now - at)
end
return reply
