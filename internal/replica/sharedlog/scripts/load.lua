-- load returns the log of a conference as of one moment, but for its entries.
-- KEYS: head, members, entries
-- ARGV: the epoch and number of commits that the caller has loaded
-- Returns an outcome, the head (epoch, seq, commits), the floor, the logical time of the last
-- list, marks, status, and all members.
local head, members, entries = KEYS[1], KEYS[2], KEYS[3]
local log = read_head(head, members, entries)
if not log then
  return {'missing'}
end
if log.epoch == ARGV[1] and log.commits == tonumber(ARGV[2]) then
  return {'unchanged'}
end
local opaque = redis.call('HMGET', head, 'list_tick', 'marks', 'status')
return {
  'loaded', log.epoch, decimal(log.seq), decimal(log.commits), decimal(log.floor),
  opaque[1] or '0', opaque[2] or '', opaque[3] or '', redis.call('HGETALL', members),
}
