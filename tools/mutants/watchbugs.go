package main

const (
	// replicasModel runs random histories of replicas until one fails: some mutants fail in one of ten.
	replicasModel = "test/replicahistories TestModel -replicas.histories=60 -replicas.seed=1"

	watchView         = "internal/watch/view.go"
	watchSubscription = "internal/watch/subscription.go"
	feedState         = "internal/feed/state.go"
)

// watchBugMutants have the shapes of bugs that other systems with a watch had.
var watchBugMutants = []mutant{
	{
		"watch bug: a client that resumes has the totals of the head", watchSubscription,
		"		s.counts.Total, s.counts.Active = s.counts.Total-total, s.counts.Active-active\n", "		_, _ = total, active\n",
		[]string{"internal/watch TestW02_SlowReaderThatResumes"},
	},
	{
		"watch bug: an event is skipped at a resume", feedState,
		"return s.History[i].Seq > p.Seq }", "return s.History[i].Seq > p.Seq+1 }",
		[]string{replicasModel, "internal/watch TestW04_ResumeReplays"},
	},
	{
		"watch bug: an event is repeated at a resume", feedState,
		"return s.History[i].Seq > p.Seq }", "return s.History[i].Seq >= p.Seq }",
		[]string{replicasModel, "internal/watch TestW04_ResumeReplays"},
	},
	{
		"watch bug: a token newer than a lagging replica's log counts as expired", watchSubscription,
		"return p.Epoch != state.Position.Epoch || p.Seq > state.Position.Seq", "return p.Epoch != state.Position.Epoch",
		[]string{"internal/watch TestR08_TokenAheadOfALaggingReplica", "internal/watch TestR08_ReplicaWithoutTheStoreJudgesNoToken"},
	},
	{
		"watch bug: a replica without the log judges a token of another epoch", watchSubscription,
		"s.asked = s.feed.CatchUp(ctx)", "s.asked = s.feed.CatchUp(ctx) || true",
		[]string{"internal/watch TestR08_ReplicaWithoutTheStoreJudgesNoToken"},
	},
	{
		"watch bug: a checkpoint is ahead of changes that were not delivered", watchSubscription,
		"	s.sentBehind = false\n	switch {",
		"	s.sentBehind = false\n	if s.checkpointDue && kept {\n" +
			"		return s.checkpointAtHead(state, now), nil\n	}\n	switch {",
		[]string{replicasModel},
	},
	{
		"watch bug: an old leader's append is accepted", sharedScripts + "append.lua",
		"elseif arg.term ~= '' and redis", "elseif false and redis",
		[]string{replicasModel, sharedLog + " TestR03_OldListsAreRefused"},
	},
	{
		"watch bug: a crash between saving the roster and the position", sharedScripts + "append.lua",
		"write_members()\nwrite_entry()\n",
		"write_members()\nif microseconds() % 4 == 0 then\n  return redis.error_reply('crashed')\nend\nwrite_entry()\n",
		[]string{replicasModel},
	},
	{
		"watch bug: a crash between saving the position and the roster", sharedScripts + "append.lua",
		"write_members()\nwrite_entry()\ntrim()\nwrite_head()\n",
		"write_entry()\ntrim()\nwrite_head()\n" +
			"if microseconds() % 4 == 0 then\n  return redis.error_reply('crashed')\nend\nwrite_members()\n",
		[]string{replicasModel},
	},
	{
		"watch bug: an entry of the log before is sent under the number of the new one", watchView,
		"	if v.epoch == state.Position.Epoch {", "	if true {",
		[]string{replicasModel},
	},
	{
		"watch bug: the latest entry of the log before is sent under the number of the new one", watchView,
		" && r.epoch == state.Position.Epoch {", " {",
		[]string{"internal/watch TestR08_AnotherLogsEntriesAreRenderedAnew"},
	},
	{
		"watch bug: the log is read before the subscription begins", sharedLog + "/follow.go",
		"commit.Head.Epoch != f.head.Epoch || commit.Head.Commits > f.head.Commits+1", "commit.Head.Epoch != f.head.Epoch",
		[]string{sharedLog + " TestR02_LostMessagesAreLoaded"},
	},
	{
		"watch bug: a log that a failed list begins has a roster that is not known", "internal/feed/commit.go",
		"if draft.Status == nil || !draft.Status.Listed {\n		batch.Marks", "if false {\n		batch.Marks",
		[]string{"internal/feed TestR08_AFailedListBeginsALog"},
	},
}
