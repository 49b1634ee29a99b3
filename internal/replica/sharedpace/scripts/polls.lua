-- One call of a replica for its poll requests (R5, W15): it says what waits, and may get the
-- next turn. The turns are evenly spaced at the account's rate. Each goes to one kind of
-- request, as in pollqueue.go, and within a kind to the replica whose request waits longest.
--
-- KEYS: account (hash: next, the time of the next turn; urgent and reconcile, 1 if the last
-- turn was for one; limit, halved, paused: see limit.lua), queue (hash: replica -> until when it
-- wants to call again, and since when its requests wait), sent (adds.lua).
-- ARGV: replica, the full rate, lifetime (ms), ahead (how long before its time a turn is given),
-- then for each kind how long its oldest request waits, or -1: reconcile, first, due, early.
-- Returns: the kind of the turn from 1, or 0; how long to wait: for the turn, or for the next
-- call. Times are microseconds.
local account, queue, sent = KEYS[1], KEYS[2], KEYS[3]
local replica, full, lifetime, lookahead = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local RECONCILE, FIRST, DUE, EARLY = 1, 2, 3, 4
-- A replica that is this late is passed over, and dropped later.
local late, forgotten = 30000, 3000000
local most = 500000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local mine, waits = {}, false
for kind = RECONCILE, EARLY do
	local age = tonumber(ARGV[4 + kind])
	mine[kind] = age >= 0 and now - age or 0
	waits = waits or age >= 0
end
if not waits then
	redis.call('HDEL', queue, replica)
	return { 0, 0 }
end

local state = redis.call('HMGET', account, 'next', 'urgent', 'reconcile', 'limit', 'halved', 'paused')
local next = tonumber(state[1] or 0)
local limit = full
if state[4] then
	-- The rate is regained as in pollrate.go.
	limit = math.min(full, tonumber(state[4]) + full * (now - tonumber(state[5])) / 40000000)
end
local adds = redis.call('ZCOUNT', sent, string.format('%.0f', now - 1000000), '+inf')
local gap = 1000000 / math.max(1, limit - adds)
local paused = tonumber(state[6] or 0) - now

-- The oldest request of each kind, and the replicas that wait.
local oldest, others = {}, {}
local function consider(id, requests)
	for kind = RECONCILE, EARLY do
		local since = requests[kind]
		if since > 0 and (not oldest[kind] or since < oldest[kind].since) then
			oldest[kind] = { since = since, replica = id, kind = kind }
		end
	end
end
consider(replica, mine)
local entries = redis.call('HGETALL', queue)
for i = 1, #entries, 2 do
	local id, values = entries[i], {}
	for value in string.gmatch(entries[i + 1], '%S+') do
		table.insert(values, tonumber(value))
	end
	local back = table.remove(values, 1)
	if now > back + forgotten then
		redis.call('HDEL', queue, id)
	elseif id ~= replica and now <= back + late then
		table.insert(others, values)
		consider(id, values)
	end
end

local function alternate(preferred, other, last_preferred)
	if not preferred or other and last_preferred then
		return other
	end
	return preferred
end
local pick = oldest[RECONCILE]
if paused <= 0 then
	local urgent = alternate(oldest[RECONCILE], oldest[FIRST], state[3] == '1')
	pick = alternate(urgent, oldest[DUE], state[2] == '1') or oldest[EARLY]
	if pick and pick.kind == EARLY then
		lookahead = 0
	end
end

-- A turn that its replica does not fetch goes to the one that calls.
local best = RECONCILE
while mine[best] == 0 do
	best = best + 1
end
if pick and pick.replica ~= replica and now - next > late and best ~= EARLY and (paused <= 0 or best == RECONCILE) then
	pick = { replica = replica, kind = best }
end

if pick and pick.replica == replica and next - now <= lookahead then
	local turn = math.max(now, next)
	-- Timers are late by up to 10 ms: turns that are closer make up for it, as in budget.go.
	local from = math.max(next, now - math.max(0, 10000 - gap))
	redis.call('HSET', account, 'next', string.format('%.0f', from + gap))
	if pick.kind ~= EARLY then
		redis.call('HSET', account, 'urgent', pick.kind < DUE and 1 or 0)
	end
	if pick.kind < DUE then
		redis.call('HSET', account, 'reconcile', pick.kind == RECONCILE and 1 or 0)
	end
	redis.call('PEXPIRE', account, lifetime)
	redis.call('HDEL', queue, replica)
	return { pick.kind, turn - now }
end

-- The replicas whose best request goes before the best of this one take a turn each before.
local before = 0
for _, requests in ipairs(others) do
	for kind = RECONCILE, best do
		if requests[kind] > 0 and (kind < best or requests[kind] < mine[best]) then
			before = before + 1
			break
		end
	end
end
if not (pick and pick.replica == replica) then
	before = math.max(before, 1)
end
local wait = math.max(next - now - lookahead, 0) + before * gap
if paused > 0 and best ~= RECONCILE then
	wait = math.max(wait, paused)
end
wait = math.max(1000, math.min(wait, most))
local entry = string.format('%.0f %.0f %.0f %.0f %.0f', now + wait, mine[1], mine[2], mine[3], mine[4])
redis.call('HSET', queue, replica, entry)
redis.call('PEXPIRE', queue, lifetime)
return { 0, math.ceil(wait) }
