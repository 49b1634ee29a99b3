-- Notes which participant an attempt created, unless something has changed since the caller
-- decided.
--
-- KEYS  1 the conference's adds  2 their times  3 the participant
-- ARGV  1 the expected count of changes  2 attempt  3 lifetime in ms
if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[1] then
	return 0
end
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[3], '0 ' .. ARGV[2], 'PX', ARGV[3])
return 1
