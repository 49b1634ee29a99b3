package sharedcounts

import "github.com/audian/participant-gateway/internal/replica/redisconn"

// addScript counts an add, unless limit are counted already or the add was given back before.
// It returns 1 if the add is counted.
//
//nolint:gochecknoglobals // A script is constant.
var addScript = redisconn.NewScript("count_add", `
local count, add = KEYS[1], KEYS[2]
local limit, count_lifetime, add_lifetime = tonumber(ARGV[1]), ARGV[2], ARGV[3]
if redis.call('EXISTS', add) == 1 then
	return 0 -- A call that Redis received late.
end
if tonumber(redis.call('GET', count) or '0') >= limit then
	return 0
end
redis.call('INCR', count)
redis.call('PEXPIRE', count, count_lifetime)
redis.call('SET', add, 'counted', 'PX', add_lifetime)
return 1
`)

// giveBackScript undoes addScript, once, and also if that runs later.
//
//nolint:gochecknoglobals // A script is constant.
var giveBackScript = redisconn.NewScript("give_add_back", `
local count, add = KEYS[1], KEYS[2]
if redis.call('GET', add) == 'counted' and redis.call('EXISTS', count) == 1 then
	redis.call('INCRBY', count, -1)
end
redis.call('SET', add, 'given back', 'PX', ARGV[1])
return 1
`)
