-- Stores what a replica wants of the account's polls, and returns what all know (R5).
--
-- KEYS: demand (hash: replica -> the time of its last call, and its demand as package sharedpace
-- encodes it), account (limit.lua), sent (adds.lua).
-- ARGV: replica, its demand, lifetime (ms), after how long a replica is not counted, over how
-- long adds are counted.
-- Returns: the number of adds; the rate after the last halving as text, or empty; how long ago
-- that was; how long polls still pause; the demands of the others. Times are microseconds.
local demand, account, sent = KEYS[1], KEYS[2], KEYS[3]
local replica, own, lifetime, dead_after, adds_over = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('HSET', demand, replica, string.format('%.0f ', now) .. own)
redis.call('PEXPIRE', demand, lifetime)
local state = redis.call('HMGET', account, 'limit', 'halved', 'paused')
local reply = {
	redis.call('ZCOUNT', sent, string.format('%.0f', now - adds_over), '+inf'),
	state[1] or '',
	state[2] and now - tonumber(state[2]) or 0,
	state[3] and math.max(0, tonumber(state[3]) - now) or 0,
}
local entries = redis.call('HGETALL', demand)
for i = 1, #entries, 2 do
	local seen, text = string.match(entries[i + 1], '^(%d+) (.*)$')
	if now - tonumber(seen) > dead_after then
		redis.call('HDEL', demand, entries[i])
	elseif entries[i] ~= replica then
		table.insert(reply, text)
	end
end
return reply
