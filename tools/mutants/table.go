package main

// rules compares the roster with the model's reference of W5 to W7.
const rules = "test/histories TestRules -model.histories=4000 -rapid.nofailfile -rapid.shrinktime=1ms"

// model plays whole histories.
const model = "test/histories TestModel -model.histories=2000 -rapid.nofailfile -rapid.shrinktime=1ms"

// mutants are the broken rules, by promise.
var mutants = []mutant{
	{
		"W5: an answer is published though a list has shown the participant", "internal/roster/writes.go",
		"case member.LastShown > w.Sent:", "case false:",
		[]string{"internal/roster TestW05_AnswerThatListsOvertook", rules},
	},
	{
		"W5: an answer is published though a Remove has completed", "internal/roster/writes.go",
		"case member.RemoveCompleted > w.Sent:", "case false:",
		[]string{"internal/roster TestW05_AnswerThatListsOvertook", rules},
	},
	{
		"W5: a Remove's answer is published though a list has removed the participant", "internal/roster/writes.go",
		"if member.RemovedByList > w.Sent {", "if false {",
		[]string{"internal/roster TestW05_AnswerThatListsOvertook", rules},
	},
	{
		"W5: an overtaken Add opens no window", "internal/roster/writes.go",
		"		fillCreatedAt(w, member)\n		member.Pending = pending(w)\n", "		fillCreatedAt(w, member)\n",
		[]string{"internal/roster TestW05_AnswerThatListsOvertook", rules},
	},
	{
		"W5: a list begun before a write completed counts", "internal/roster/writes.go",
		"return p.Began < m.Completed", "return false && p.Began < m.Completed",
		[]string{"internal/roster TestW05_ListBegunBefore", rules},
	},
	{
		"W5: a list begun before a write counts in a row", "internal/roster/writes.go",
		"	m.MissedLists, m.EmptySince = 0, time.Time{}\n", "	m.EmptySince = time.Time{}\n",
		[]string{"internal/roster TestW05_NoListBegunBefore", rules},
	},
	{
		"W6: the window is judged by a list's end", "internal/roster/window.go",
		"p.List.Began.Sub(w.DoneAt) >= windowTime", "p.List.Ended.Sub(w.DoneAt) >= windowTime",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: the window begins when the write is sent", "internal/roster/window.go",
		"p.List.Began.Sub(w.DoneAt) >= windowTime", "p.List.Began.Sub(w.SentAt) >= windowTime",
		[]string{"internal/roster TestW06_WindowBeginsWhenTheWriteCompletes", rules},
	},
	{
		"W6: the window lasts longer", "internal/roster/window.go",
		"const windowTime = 5 * time.Second", "const windowTime = 6 * time.Second",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: absence after an Add is lag though the call was shown over", "internal/roster/window.go",
		"!w.CallOver && !w.windowOver(p)", "!w.windowOver(p)",
		[]string{"internal/roster TestW06_AbsenceCountsOnceTheCallWasSeenOver", rules},
	},
	{
		"W6: disconnected does not confirm a Remove", "internal/roster/merge.go",
		"case after.Status.Over():", "case false:",
		[]string{"internal/roster TestW06_LingeringConfirmsARemove", rules},
	},
	{
		"W6: one list without forgets a Remove", "internal/roster/window.go",
		"const rowAfterRemove = 2", "const rowAfterRemove = 1",
		[]string{"internal/roster TestW06_TwoListsWithoutForgetARemove", rules},
	},
	{
		"W7: an incomplete list removes", "internal/roster/roster.go",
		"if batch.Complete {", "if batch.Complete || !batch.Complete {",
		[]string{"internal/roster TestW07_IncompleteList", rules, model},
	},
	{
		"W7: an incomplete list shows nothing", "internal/roster/roster.go",
		"for _, item := range p.List.Items {", "for _, item := range p.List.Items {\n\t\tif p.List.Unread != nil {\n\t\t\tcontinue\n\t\t}",
		[]string{"internal/roster TestW07_IncompleteListProvesWhatItShows", rules},
	},
	{
		"W7: one list of several pages removes", "internal/roster/absence.go",
		"if p.List.Pages > 1 {", "if p.List.Pages > 9 {",
		[]string{"internal/roster TestW07_SeveralPages", rules, model},
	},
	{
		"W7: one placeholder removes", "internal/roster/absence.go",
		"return p.List.Began.Sub(m.EmptySince) >= placeholderApart", "return true",
		[]string{"internal/roster TestW07_Placeholder", rules},
	},
	{
		"W7: two placeholders remove, however near", "internal/roster/absence.go",
		"const placeholderApart = 2 * time.Second", "const placeholderApart = time.Nanosecond",
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
		"W7: a surplus is learned though somebody was not shown", "internal/roster/surplus.go",
		" || !shownSince(s.since)", "",
		[]string{"internal/roster TestW07_SurplusNeedsEverybody"},
	},
	{
		"W7: a surplus is never learned", "internal/roster/surplus.go",
		"*s = surplus{learned: difference}", "*s = surplus{}",
		[]string{"internal/roster TestW07_SteadySurplus", model},
	},
	{
		"W7: any surplus is taken for the one learned", "internal/roster/surplus.go",
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
		"	clear(f.refused)\n", "",
		[]string{"internal/feed TestW11_IncompleteListBetweenRefusals"},
	},
	{
		"W12: unseen entries are kept", "internal/feed/log.go",
		"if len(batch.Changes) == 0 {\n		return nil\n	}", "",
		[]string{"internal/feed TestW12_UnseenEntries"},
	},
	{
		"not_before: a list that W5 silenced counts", "internal/roster/member.go",
		"	return m.EvidenceAt\n", "	return m.LastSeenAt\n",
		[]string{"internal/roster TestNotBefore", rules},
	},
}
