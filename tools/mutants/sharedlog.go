package main

const (
	sharedLog     = "internal/replica/sharedlog"
	sharedScripts = sharedLog + "/scripts/"
)

// sharedLogMutants are the broken rules of the log that replicas share.
var sharedLogMutants = []mutant{
	{
		"R2: a batch is appended to another head than that on which it was planned", sharedScripts + "append.lua",
		"elseif log and (log.epoch", "elseif false and (log.epoch",
		[]string{sharedLog + " TestR02_AppendComparesTheHead"},
	},
	{
		"R2: a batch whose answer was lost is appended twice", sharedScripts + "append.lua",
		"if log and string.find(log.recent", "if false and string.find(log.recent",
		[]string{sharedLog + " TestR02_OneBatchIsAppendedOnce"},
	},
	{
		"R2: a follower skips a commit", sharedLog + "/follow.go",
		"commit.Head.Epoch != f.head.Epoch || commit.Head.Commits > f.head.Commits+1", "commit.Head.Epoch != f.head.Epoch",
		[]string{sharedLog + " TestR02_LostMessagesAreLoaded"},
	},
	{
		"R2: a follower repeats a commit", sharedLog + "/follow.go",
		"case commit.Head.Commits > f.head.Commits:", "default:",
		[]string{sharedLog + " TestR02_LostMessagesAreLoaded"},
	},
	{
		"R2: a list without a change that a follower missed is not loaded", sharedScripts + "load.lua",
		"if log.epoch == ARGV[1] and log.commits == tonumber(ARGV[2]) then", "if log.epoch == ARGV[1] then",
		[]string{sharedLog + " TestR02_LostStatusIsLoaded"},
	},
	{
		"R3: an old leader's list is appended", sharedScripts + "append.lua",
		"elseif arg.term ~= '' and redis", "elseif false and redis",
		[]string{sharedLog + " TestR03_OldListsAreRefused"},
	},
	{
		"R3: a lease outlives its Redis", sharedScripts + "append.lua",
		"redis.pcall('GET', lease) ~= RUN_ID .. ' ' .. arg.term then",
		"string.sub(redis.pcall('GET', lease) or '', 42) ~= arg.term then",
		[]string{sharedLog + " TestR03_OldListsAreRefused"},
	},
	{
		"R3: a lease that Redis did not renew goes on", sharedLog + "/lead.go",
		"l.expiry.Reset(time.Until(asked.Add(leaseLife)))", "l.expiry.Reset(time.Hour)",
		[]string{sharedLog + " TestR03_AnotherReplicaTakesOver"},
	},
	{
		"R4: the others are not notified of a release", sharedScripts + "release.lua",
		"redis.call('PUBLISH', ARGV[3], pack({'free', ''}))", "",
		[]string{sharedLog + " TestR04_ReleaseHandsOverAtOnce"},
	},
	{
		"R7: an old write is appended", sharedScripts + "append.lua",
		"elseif arg.term == '' and now", "elseif false and now",
		[]string{sharedLog + " TestR07_OldWritesAreRefused"},
	},
	{
		"R8: a log goes on in another process of Redis", sharedScripts + "common.lua",
		"texts[1] ~= RUN_ID or ", "",
		[]string{sharedLog + " TestR08_FailoverBeginsAnEpoch"},
	},
	{
		"R8: a log whose members were evicted is used", sharedScripts + "common.lua",
		"redis.pcall('HLEN', members) ~= result.members or ", "",
		[]string{sharedLog + " TestR08_UnusableLogBeginsAnEpoch"},
	},
	{
		"R9: a write extends the life of a log", sharedScripts + "append.lua",
		"local life = arg.term ~= '' and LOG_LIFE or remaining(head)", "local life = LOG_LIFE",
		[]string{sharedLog + " TestR09_EveryKeyExpires"},
	},
	{
		"R12: the logical clock goes back with Redis' clock", sharedScripts + "common.lua",
		"at_least + 1, ", "",
		[]string{sharedLog + " TestR12_ClockNeverGoesBack"},
	},
}
