package main

const (
	feedPackage  = "internal/feed"
	watchPackage = "internal/watch"
	feedModel    = feedPackage + " TestR02_AllReplicasShowOneLog"
)

// feedLogMutants are the broken rules of feeds that share a log: the shapes of known faults of
// other watches.
var feedLogMutants = []mutant{
	{
		"R2 feed: an event is skipped at a resume from another replica", feedPackage + "/follow.go",
		"		if entry.Seq > last {", "		if entry.Seq > last+1 {",
		[]string{feedPackage + " TestR02_PositionOfOneReplica", feedModel},
	},
	{
		"R2 feed: an event is repeated after a reload", feedPackage + "/follow.go",
		"		if entry.Seq > last {", "		if entry.Seq >= last {",
		[]string{feedModel},
	},
	{
		"R2 feed: a commit that came back is applied twice", feedPackage + "/commit.go",
		"	case result.Head.follows(f.head):", "	default:",
		[]string{feedPackage + " TestR02_CommitsThatComeBack"},
	},
	{
		"R3 feed: a batch is not planned again after a conflict", feedPackage + "/commit.go",
		"		case !f.catchUp(ctx, result.Head):", "		case true:",
		[]string{feedPackage + " TestR07_WriteReachesAllWatchersWithLateMessages"},
	},
	{
		"R3 feed: a roster that is not known replaces one that is", feedPackage + "/follow.go",
		", f.roster.Known() && !s.Roster.Marks.Known:", ":",
		[]string{feedPackage + " TestR08_RosterOfAReplicaThatKnowsNothing"},
	},
	{
		"R3 feed: the back-off does not move with the lease", feedPackage + "/poll.go",
		"		f.schedule.resume(f.status, f.logs.Ahead())\n", "",
		[]string{feedPackage + " TestR03_BackOffMovesWithTheLease"},
	},
	{
		"R3 feed: refusals do not move with the lease", feedPackage + "/status.go",
		"	fresh.refusedAt = shiftAll(status.RefusedAt, -f.logs.Ahead())\n", "",
		[]string{feedPackage + " TestR03_RefusalsOfTwoReplicas"},
	},
	{
		"R2 feed: a log alone is news of a list", feedPackage + "/follow.go",
		"	if !f.news {\n		f.freshness.stale", "	if f.news = true; !f.news {\n		f.freshness.stale",
		[]string{feedPackage + " TestR02_FeedThatBeginsAgain"},
	},
	{
		"R7 feed: a write through another replica does not bring the next list forward", feedPackage + "/follow.go",
		"	case c.Status == nil && f.lease != nil:", "	case false:",
		[]string{feedPackage + " TestR07_WriteOfAnotherReplica"},
	},
	{
		"R8 feed: a log out of reach makes no feed stale", feedPackage + "/freshnesstimer.go",
		"	case reachable:\n", "	case true:\n",
		[]string{feedPackage + " TestR08_StoreAway", feedPackage + " TestR08_AFeedThatBegins"},
	},
	{
		"R8 watch: a token ahead of a lagging replica's log is expired", watchPackage + "/subscription.go",
		"Position.Epoch || p.Seq > state", "Position.Epoch && p.Seq > state",
		[]string{watchPackage + " TestR08_TokenAhead"},
	},
	{
		"R8 watch: a replica without the log judges a token", watchPackage + "/subscription.go",
		"	s.asked = s.feed.CatchUp(ctx)\n", "	_, s.asked = s.feed.CatchUp(ctx), true\n",
		[]string{watchPackage + " TestR08_ReplicaWithoutTheStore"},
	},
	{
		"R8 watch: a rendering of another log is shown", watchPackage + "/view.go",
		"	v.setEpoch(state)\n", "",
		[]string{watchPackage + " TestR08_NewLog"},
	},
	{
		"R11 feed: a log that one replica cannot read goes on", feedPackage + "/follow.go",
		"	f.renew = true\n", "",
		[]string{feedPackage + " TestR11_AReplicaThatCannotRead"},
	},
	{
		"R12 feed: followers judge freshness by their own clock", feedPackage + "/status.go",
		"time.Now().Add(-max(at.Sub(status.LastSuccess), 0))", "status.LastSuccess",
		[]string{feedPackage + " TestR12_AFollowerTurnsStale"},
	},
}
