package main

const (
	batchTests   = "internal/batch "
	batchRunner  = "internal/batch/runner.go"
	batchHeld    = "internal/batch/batch.go"
	sharedClaims = "internal/replica/sharedclaims"
)

// batchMutants are the broken rules of batches (A9).
var batchMutants = []mutant{
	{
		"A9: entries do not wait alone", batchRunner,
		"		case <-left:\n		case <-s.ctx.Done():\n",
		"		case <-left:\n		default:\n			if s.ctx.Err() == nil {\n				continue\n			}\n",
		[]string{batchTests + "TestA09_ABatchReportsEachEntryOnce"},
	},
	{
		"A9: a batch goes on without a stream", batchHeld,
		"		left.sending.stop()\n", "",
		[]string{batchTests + "TestA09_LosingTheLastStream"},
	},
	{
		"A9: one stream that leaves stops the others", batchHeld,
		"	if left.streams == 0 {\n		left.sending.stop()", "	if left.sending != nil {\n		left.sending.stop()",
		[]string{batchTests + "TestA09_LosingTheLastStream"},
	},
	{
		"A9: what was sent ends with the last stream", batchRunner,
		"		if sent {\n			detach()\n		}\n", "		_ = detach\n",
		[]string{batchTests + "TestA09_OutcomesAreObserved"},
	},
	{
		"A9: a resume sends refused entries again", "internal/write/shared.go",
		"|| o.IsEntry && isRefused(o.Err)", "",
		[]string{batchTests + "TestA09_ResumeSendsAgain", sharedClaims + " TestA09_ARefusedEntry"},
	},
	{
		"A9: a resume does not send again what was not sent", batchHeld,
		"if e := &b.entries[i]; e.isUnsent() {", "if e := &b.entries[i]; false && e.isUnsent() {",
		[]string{batchTests + "TestA09_ResumeSendsAgain"},
	},
	{
		"A9: a resume of an unknown batch begins one", batchHeld,
		"		if request.Resume {\n			return unknown()\n		}\n", "",
		[]string{batchTests + "TestA09_BatchThatIsNotHeld"},
	},
	{
		"A9: other entries join a batch", batchHeld,
		"	if !joined.isFor(request.Adds) {", "	if false {",
		[]string{batchTests + "TestA09_OtherEntries"},
	},
	{
		"A9: a drain does not stop the sending", batchRunner,
		"		case <-b.options.Draining:\n		case <-ctx.Done():", "		case <-ctx.Done():",
		[]string{batchTests + "TestA09_DrainStopsTheSending"},
	},
	{
		"A9: a drain ends a stream before its results", "internal/batch/stream.go",
		"s.batches.isDraining() && s.batch.adding == 0", "s.batches.isDraining()",
		[]string{batchTests + "TestA09_DrainStopsTheSending"},
	},
	{
		"A9: a batch waits among the adds of its conference", "internal/upstream/slot.go",
		"queueName{conference, batch}", "queueName{conference, \"\"}",
		[]string{"internal/upstream TestA09_ABatchHasAPlaceOfItsOwn"},
	},
	{
		"A9: an entry that another replica sends holds up the batch", "internal/write/sharedadd.go",
		"Waits: func() { op.leaveQueue(false) },", "",
		[]string{sharedClaims + " TestA09_AnEntryOfAnotherReplica"},
	},
	{
		"A9: claims of entries expire before their batch", sharedClaims + "/keepbatch.lua",
		"	redis.call('PEXPIRE', KEYS[i], ARGV[4], 'GT')\n", "",
		[]string{sharedClaims + " TestA09_ABatchExtendsTheClaims"},
	},
	{
		"R8: batches do not pause", batchRunner,
		"if b.options.Shared != nil && b.options.Shared.WaitAvailable(s.ctx) != nil {", "if s.ctx.Err() != nil {",
		[]string{batchTests + "TestR08_BatchesPause"},
	},
}
