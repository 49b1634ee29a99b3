-- Notes that a batch is held, and extends the claims of its entries.
--
-- KEYS  1 the batch  2… claims of entries
-- ARGV  1 hash of the entries  2 '1' if the batch must exist  3 lifetime in ms  4 that of the claims
local present = redis.call('GET', KEYS[1])
if present and present ~= ARGV[1] then
	return { 'reused' }
end
if not present and ARGV[2] == '1' then
	return { 'unknown' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
for i = 2, #KEYS do
	redis.call('PEXPIRE', KEYS[i], ARGV[4], 'GT')
end
return { 'ok' }
