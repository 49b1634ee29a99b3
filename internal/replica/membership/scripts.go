package membership

import "github.com/audian/participant-gateway/internal/replica/redisconn"

// beat records a heartbeat by Redis' time, removes the replicas that are dead, and returns
// whether this replica is new, then the id of each.
//
//nolint:gochecknoglobals // A script is constant.
var beat = redisconn.NewScript("replica_beat", `
local replicas = KEYS[1]
local id, dead_after, lifetime = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = redis.call('ZADD', replicas, now, id)
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', now - dead_after)
redis.call('PEXPIRE', replicas, lifetime)
local reply = { added }
for _, member in ipairs(redis.call('ZRANGE', replicas, 0, -1)) do
	table.insert(reply, member)
end
return reply
`)

// leave removes a replica.
//
//nolint:gochecknoglobals // A script is constant.
var leave = redisconn.NewScript("replica_leave", `
return redis.call('ZREM', KEYS[1], ARGV[1])
`)
