-- Returns the adds of a conference without an outcome, and who created participants.
--
-- KEYS  1 the conference's adds  2… participants
local reply = { redis.call('HGETALL', KEYS[1]) }
for i = 2, #KEYS do
	table.insert(reply, redis.call('GET', KEYS[i]) or '')
end
return reply
