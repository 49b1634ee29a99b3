package main

// rules compares the roster with the reference implementation of W5 to W7.
const rules = "test/histories TestRules -model.histories=4000 -rapid.nofailfile -rapid.shrinktime=1ms"

// model runs whole histories.
const model = "test/histories TestModel -model.histories=2000 -rapid.nofailfile -rapid.shrinktime=1ms"

// mutants are the broken rules, by promise.
var mutants = []mutant{
	{
		"W5: an answer is published though a list has shown the participant", "internal/roster/writes.go",
		"case member.LastListed > w.Sent:", "case false:",
		[]string{"internal/roster TestW05_OvertakenResponse", rules},
	},
	{
		"W5: an answer is published though a Remove has completed", "internal/roster/writes.go",
		"case member.RemoveCompleted > w.Sent:", "case false:",
		[]string{"internal/roster TestW05_OvertakenResponse", rules},
	},
	{
		"W5: a Remove's answer is published though a list has removed the participant", "internal/roster/writes.go",
		"if member.RemovedByList > w.Sent {", "if false {",
		[]string{"internal/roster TestW05_OvertakenResponse", rules},
	},
	{
		"W5: an overtaken Add opens no window", "internal/roster/writes.go",
		"		fillCreatedAt(w, member)\n		member.Pending = newPendingWrite(w)\n", "		fillCreatedAt(w, member)\n",
		[]string{"internal/roster TestW05_OvertakenResponse", rules},
	},
	{
		"W5: a list begun before a write completed counts", "internal/roster/writes.go",
		"return p.Began < m.Completed", "return false && p.Began < m.Completed",
		[]string{"internal/roster TestW05_ListBegunBefore", rules},
	},
	{
		"W5: a list missed before a write counts", "internal/roster/writes.go",
		"	m.MissedLists, m.PlaceholderSince = 0, time.Time{}\n", "	m.PlaceholderSince = time.Time{}\n",
		[]string{"internal/roster TestW05_MissedListsBefore", rules},
	},
	{
		"W6: the window is judged by a list's end", "internal/roster/window.go",
		"p.List.Began.Sub(w.DoneAt) >= lagWindow", "p.List.Ended.Sub(w.DoneAt) >= lagWindow",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: the window begins when the write is sent", "internal/roster/window.go",
		"p.List.Began.Sub(w.DoneAt) >= lagWindow", "p.List.Began.Sub(w.SentAt) >= lagWindow",
		[]string{"internal/roster TestW06_WindowBeginsWhenTheWriteCompletes", rules},
	},
	{
		"W6: the window lasts longer", "internal/roster/window.go",
		"const lagWindow = 5 * time.Second", "const lagWindow = 6 * time.Second",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: absence after an Add is lag though the call has ended", "internal/roster/window.go",
		"!w.CallEnded && !w.windowEnded(p)", "!w.windowEnded(p)",
		[]string{"internal/roster TestW06_AbsenceCountsAfterTheCallEnded", rules},
	},
	{
		"W6: disconnected does not confirm a Remove", "internal/roster/presence.go",
		"case after.Status.Ended():", "case false:",
		[]string{"internal/roster TestW06_DisconnectedConfirmsARemove", rules},
	},
	{
		"W6: one missed list ends a Remove", "internal/roster/window.go",
		"const missedListsAfterRemove = 2", "const missedListsAfterRemove = 1",
		[]string{"internal/roster TestW06_TwoMissedListsEndARemove", rules},
	},
	{
		"W7: an incomplete list removes", "internal/roster/roster.go",
		"if batch.Complete {", "if batch.Complete || !batch.Complete {",
		[]string{"internal/roster TestW07_IncompleteList", rules, model},
	},
	{
		"W7: an incomplete list proves no presence", "internal/roster/roster.go",
		"for _, item := range p.List.Items {", "for _, item := range p.List.Items {\n\t\tif p.List.PageErr != nil {\n\t\t\tcontinue\n\t\t}",
		[]string{"internal/roster TestW07_IncompleteListProvesPresence", rules},
	},
	{
		"W7: one list of several pages removes", "internal/roster/absence.go",
		"if p.List.Pages > 1 {", "if p.List.Pages > 9 {",
		[]string{"internal/roster TestW07_SeveralPages", rules, model},
	},
	{
		"W7: one placeholder removes", "internal/roster/absence.go",
		"return p.List.Began.Sub(m.PlaceholderSince) >= placeholderGap", "return true",
		[]string{"internal/roster TestW07_Placeholder", rules},
	},
	{
		"W7: two placeholders remove without a gap", "internal/roster/absence.go",
		"const placeholderGap = 2 * time.Second", "const placeholderGap = time.Nanosecond",
		[]string{"internal/roster TestW07_Placeholder", rules},
	},
	{
		"W7: a surplus is learned from fewer lists", "internal/roster/surplus.go",
		"surplusLists = 10", "surplusLists = 9",
		[]string{"internal/roster TestW07_SurplusNeedsTenLists"},
	},
	{
		"W7: a surplus is learned in less time", "internal/roster/surplus.go",
		"surplusTime  = time.Minute", "surplusTime  = 59 * time.Second",
		[]string{"internal/roster TestW07_SteadySurplus"},
	},
	{
		"W7: a surplus is learned though somebody was not listed", "internal/roster/surplus.go",
		" || !allListedSince(s.since)", "",
		[]string{"internal/roster TestW07_SurplusNeedsEverybody"},
	},
	{
		"W7: a surplus is never learned", "internal/roster/surplus.go",
		"*s = surplus{learned: difference}", "*s = surplus{}",
		[]string{"internal/roster TestW07_SteadySurplus", model},
	},
	{
		"W7: any surplus counts as the learned one", "internal/roster/surplus.go",
		"case difference == s.learned:", "case s.learned > 0:",
		[]string{"internal/roster TestW07_WhatUnlearnsASurplus"},
	},
	{
		"W7: an incomplete list is a success", "internal/feed/freshness.go",
		"if !complete {", "if false {",
		[]string{"internal/feed TestW07_IncompleteListIsPublished"},
	},
	{
		"W11: an incomplete list between two refusals does not count", "internal/feed/freshness.go",
		"	clear(f.refusedAt)\n", "",
		[]string{"internal/feed TestW11_IncompleteListBetweenRefusals"},
	},
	{
		"W12: invisible batches are kept", "internal/feed/log.go",
		"if len(batch.Changes) == 0 {\n		return nil\n	}", "",
		[]string{"internal/feed TestW12_InvisibleBatches"},
	},
	{
		"not_before: a list that W5 ignores counts", "internal/roster/member.go",
		"	return m.EvidenceAt\n", "	return m.LastSeenAt\n",
		[]string{"internal/roster TestNotBefore", rules},
	},
}
