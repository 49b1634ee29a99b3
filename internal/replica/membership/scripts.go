package membership

import "github.com/audian/participant-gateway/internal/replica/redisconn"

// beat records a heartbeat by Redis' time, removes the replicas that are dead, and returns
// whether this replica is new, then the id and the leases of each.
//
//nolint:gochecknoglobals // A script is constant.
var beat = redisconn.NewScript("replica_beat", `
local replicas, leases = KEYS[1], KEYS[2]
local id, held, dead_after, lifetime = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = redis.call('ZADD', replicas, now, id)
redis.call('HSET', leases, id, held)
for _, dead in ipairs(redis.call('ZRANGE', replicas, '-inf', now - dead_after, 'BYSCORE')) do
	redis.call('ZREM', replicas, dead)
	redis.call('HDEL', leases, dead)
end
redis.call('PEXPIRE', replicas, lifetime)
redis.call('PEXPIRE', leases, lifetime)
local reply = { added }
for _, member in ipairs(redis.call('ZRANGE', replicas, 0, -1)) do
	table.insert(reply, member)
	table.insert(reply, redis.call('HGET', leases, member) or '0')
end
return reply
`)

// leave removes a replica.
//
//nolint:gochecknoglobals // A script is constant.
var leave = redisconn.NewScript("replica_leave", `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
`)
