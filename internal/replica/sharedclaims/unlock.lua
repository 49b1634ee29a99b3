-- Gives up a lock, unless another has it now.
--
-- KEYS  1 the lock
-- ARGV  1 who had it
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0
