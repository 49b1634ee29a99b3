-- Pauses the polls of all replicas, and halves their rate, at most once a second (W15). The
-- rate is regained in 40 s, as in pollrate.go.
--
-- KEYS: account (hash: limit, the rate after the last halving; halved, its time; paused, the
-- time until which polls pause).
-- ARGV: the full rate, how long to pause, 1 to halve, lifetime (ms). Times are microseconds.
local account = KEYS[1]
local full, pause, halve, lifetime = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', account, 'limit', 'halved', 'paused')
local limit, halved = tonumber(state[1] or full), tonumber(state[2] or 0)
if halve == '1' and now - halved >= 1000000 then
	if halved > 0 then
		limit = math.min(full, limit + full * (now - halved) / 40000000)
	end
	redis.call('HSET', account, 'limit', math.max(1, limit / 2), 'halved', string.format('%.0f', now))
end
local paused = math.max(tonumber(state[3] or 0), now + pause)
redis.call('HSET', account, 'paused', string.format('%.0f', paused))
redis.call('PEXPIRE', account, lifetime)
return 0
