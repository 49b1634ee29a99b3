package main

// rules compares the roster with the reference implementation of W5 to W7.
const rules = "test/rosterrules TestRules -rapid.checks=12000 -rapid.nofailfile -rapid.shrinktime=1ms"

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
		"W6: the window is compared with a list's end", "internal/roster/lagwindow.go",
		"p.List.Began.Sub(w.DoneAt) >= LagWindow", "p.List.Ended.Sub(w.DoneAt) >= LagWindow",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: the window begins when the write is sent", "internal/roster/lagwindow.go",
		"p.List.Began.Sub(w.DoneAt) >= LagWindow", "p.List.Began.Sub(w.SentAt) >= LagWindow",
		[]string{"internal/roster TestW06_WindowBeginsWhenTheWriteCompletes", rules},
	},
	{
		"W6: the window lasts longer", "internal/roster/lagwindow.go",
		"const LagWindow = 5 * time.Second", "const LagWindow = 6 * time.Second",
		[]string{"internal/roster TestW06_FirstListBegunAfterTheWindowDecides", rules},
	},
	{
		"W6: absence after an Add is lag though the call has ended", "internal/roster/lagwindow.go",
		"!w.CallEnded && !w.windowEnded(p)", "!w.windowEnded(p)",
		[]string{"internal/roster TestW06_AbsenceCountsAfterTheCallEnded", rules},
	},
	{
		"W6: disconnected does not confirm a Remove", "internal/roster/presence.go",
		"case after.Status.Ended():", "case false:",
		[]string{"internal/roster TestW06_DisconnectedConfirmsARemove", rules},
	},
	{
		"W6: one missed list ends a Remove", "internal/roster/lagwindow.go",
		"const missedListsAfterRemove = 2", "const missedListsAfterRemove = 1",
		[]string{"internal/roster TestW06_TwoMissedListsEndARemove", rules},
	},
	{
		"W7: an incomplete list removes", "internal/roster/absence.go",
		"if b.Complete {", "if b.Complete || !b.Complete {",
		[]string{"internal/roster TestW07_IncompleteList", rules},
	},
	{
		"W7: an incomplete list proves no presence", "internal/roster/roster.go",
		"b.applyItem(p, *item)", "if p.List.PageErr == nil {\n				b.applyItem(p, *item)\n			}",
		[]string{"internal/roster TestW07_IncompleteListProvesPresence", rules},
	},
	{
		"W7: one list of several pages removes", "internal/roster/absence.go",
		"if p.List.Pages > 1 {", "if p.List.Pages > 9 {",
		[]string{"internal/roster TestW07_SeveralPages", rules},
	},
	{
		"W7: one placeholder removes", "internal/roster/absence.go",
		" || p.List.Began.Sub(placeholderSince) >= placeholderGap", " || true",
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
		"W7: a surplus is learned though a participant was not listed", "internal/roster/surplus.go",
		" || !allListedSince(s.Since)", "",
		[]string{"internal/roster TestW07_SurplusNeedsEverybody"},
	},
	{
		"W7: a surplus is never learned", "internal/roster/surplus.go",
		"*s = Surplus{Learned: difference}", "*s = Surplus{}",
		[]string{"internal/roster TestW07_SteadySurplus"},
	},
	{
		"W7: any surplus counts as the learned one", "internal/roster/surplus.go",
		"case difference == s.Learned:", "case s.Learned > 0:",
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
		"W12: invisible batches are kept", "internal/feed/history.go",
		"if len(batch.Changes) == 0 {\n		return nil\n	}", "",
		[]string{"internal/feed TestW12_InvisibleBatches"},
	},
	{
		"not_before: a list that W5 ignores counts", "internal/roster/member.go",
		"	return m.EvidenceAt\n", "	return m.LastSeenAt\n",
		[]string{"internal/roster TestNotBefore", rules},
	},
	{
		"W2: an encoded batch lacks the ids that are dropped", "internal/roster/batch.go",
		"Dropped []string `json:\"d\"`", "Dropped []string `json:\"-\"`",
		[]string{
			"internal/roster/encoding TestEncoding_KeepsEveryValue",
			"internal/roster TestW02_Batches -rapid.nofailfile -rapid.shrinktime=1ms",
		},
	},
	{
		"W2: a plan changes the roster", "internal/roster/plan.go",
		"before, marks := b.roster.marks, &b.Marks", "before, marks := b.roster.marks, &b.roster.marks",
		[]string{"internal/roster TestPlan_LeavesNoTrace", "internal/roster TestW02_Batches -rapid.nofailfile -rapid.shrinktime=1ms"},
	},
	{
		"W2: a list that no longer contains a participant still counts as their last", "internal/roster/proof.go",
		"	m.Proof = NoProof\n", "",
		[]string{"internal/roster TestNotBefore"},
	},
	{
		"W2: an encoded batch lacks the time of the last placeholder list", "internal/roster/batch.go",
		"PlaceholderSince time.Time `json:\"ps\"`", "PlaceholderSince time.Time `json:\"-\"`",
		[]string{"internal/roster/encoding TestEncoding_KeepsEveryValue"},
	},
	{
		"W9: an unchanged list changes members", "internal/roster/proof.go",
		"		m.Proof, m.LastListed, m.LastListedAt, m.EvidenceAt = Listed, 0, time.Time{}, time.Time{}\n", "",
		[]string{"internal/roster TestW09_UnchangedLists", "internal/roster TestW09_DurationAlone"},
	},
	{
		"W9: the duration in a copy stands still", "internal/roster/duration.go",
		"ticked = max(0, int64(at.Sub(m.DurationAt)/time.Second))", "ticked = 0",
		[]string{"internal/roster TestW09_CopiesPredictDurations"},
	},
	{
		"W9: the duration in a copy always ticks", "internal/roster/duration.go",
		"if item.Duration != stored.Participant.Duration {", "if true {",
		[]string{"internal/roster TestW09_CopiesFollow"},
	},
	{
		"W1: a 404 just after an Add ends the watch", "internal/feed/apply.go",
		"if !f.isAddLag(err) && ", "if ",
		[]string{"internal/feed TestW01_404AfterAnAddIsLag"},
	},
	{
		"W1: a 404 is lag for less than 10 s", "internal/feed/freshness.go",
		"const addLag = 10 * time.Second", "const addLag = 9 * time.Second",
		[]string{"internal/feed TestW01_404AfterAnAddIsLag"},
	},
	{
		"W1: an Add does not reset earlier 404s", "internal/feed/freshness.go",
		"{ delete(f.refusedAt, apierror.ConferenceNotFound) }", "{ delete(f.refusedAt, \"\") }",
		[]string{"internal/feed TestW01_AddResetsEarlier404s"},
	},
	{
		"W10: the failures of others make a feed stale", "internal/upstream/budget.go",
		"if s.failed && !b.failures.since.IsZero() {", "if !b.failures.since.IsZero() {",
		[]string{"internal/upstream TestW10_FailingSince"},
	},
	{
		"W10: a feed that never succeeded begins the account's outage", "internal/upstream/pollfailures.go",
		"if f.since.IsZero() && hadSucceeded {", "if f.since.IsZero() {",
		[]string{"internal/upstream TestW10_FailingSince"},
	},
	{
		"W10: a failing feed waits for its back-off alone", "internal/feed/schedule.go",
		"		s.interval = pace.Interval\n", "		s.interval = 0\n",
		[]string{"internal/feed TestW10_FailingFeedWaitsForBackOffAndInterval"},
	},
	{
		"W10: a failing feed never polls out of turn", "internal/feed/freshnesstimer.go",
		"if f.freshness.lastFailure != \"\" && f.source.Probe() {", "if false {",
		[]string{"internal/feed TestW10_ProbesWhenTheAccountAsksForIt"},
	},
	{
		"W10: an account whose polls all fail may wait longer than 10 s", "internal/upstream/pollfailures.go",
		"const probeAfter = 3500 * time.Millisecond", "const probeAfter = 30 * time.Second",
		[]string{"test/histories TestW10_RecoveryIsNoticedWithinTenSeconds"},
	},
	{
		"W13: a client that falls off the history gets no checkpoint", "internal/watch/subscription.go",
		"if (!kept || len(entries) > 0) && !now", "if kept && len(entries) > 0 && !now",
		[]string{"internal/watch TestW13_ClientThatLagsAtEachReadGetsCheckpoints"},
	},
	{
		"W14: a change wakes those whose filter hides it", "internal/watch/broadcast.go",
		"	if !kept || state.Turns != b.turns {\n", "	if true {\n",
		[]string{
			"internal/watch TestW14_AChangeWakesOnlyThoseWhoseFilterShowsIt",
			"internal/watch TestW14_NextWakesOnlyForWhatTheFilterShows",
		},
	},
	{
		"W12: hidden changes make a subscriber lag", "internal/watch/subscription.go",
		"	entries, kept := s.entries(state)\n", "	entries, kept := state.After(s.cursor)\n",
		[]string{"internal/watch TestW12_HiddenChangesMakeNobodyLag"},
	},
	{
		"W14: no encoding is kept", "internal/watch/view.go",
		"	if entry.Seq >= v.firstKept {\n		v.cache.add(r)", "	if entry.Seq < v.firstKept {\n		v.cache.add(r)",
		[]string{"internal/watch TestW14_ManyResumesEncodeEachBatchOnce"},
	},
	{
		"W14: encodings take more than 16 MB", "internal/watch/renderingcache.go",
		"const cacheBytes = 16 << 20", "const cacheBytes = 18 << 20",
		[]string{"internal/watch TestW14_CacheKeeps16MBAndEvictsTheOldestFirst"},
	},
	{
		"W14: encodings do not count", "internal/watch/renderingcache.go",
		"	r.bytes += bytes\n	c.bytes += bytes\n", "",
		[]string{"internal/watch TestW14_CacheKeeps16MBAndEvictsTheOldestFirst"},
	},
	{
		"W15: the interval in force leaves out how long lists take", "internal/upstream/budget.go",
		"max(share, takes) + s.waits", "share + s.waits",
		[]string{"internal/upstream TestW15_IntervalIncludesHowLongListsTake"},
	},
	{
		"W15: urgent polls get every grant", "internal/upstream/pollqueue.go",
		":= alternate(urgent, other, q.lastUrgent)", ":= alternate(urgent, other, false)",
		[]string{"internal/upstream TestW15_UrgentPollsGetEverySecondGrant"},
	},
	{
		"W15: every attempt at a first list goes ahead", "internal/feed/poll.go",
		"return !f.schedule.attempted", "return !f.roster.Known()",
		[]string{"internal/feed TestW15_OnlyTheFirstAttemptHasPriority"},
	},
	{
		"W15: a write during a list brings nothing forward", "internal/feed/schedule.go",
		"s.expected, s.endedStart = pace.Interval, s.started", "s.expected, s.endedStart, s.wrote = pace.Interval, s.started, false",
		[]string{"internal/feed TestW15_WriteDuringAListMakesTheNextEarlier"},
	},
	{
		"W15: a write brings a poll nearer than the base interval", "internal/feed/schedule.go",
		"later(s.started.Add(s.base), s.retryAt); s.wrote", "later(s.started, s.retryAt); s.wrote",
		[]string{"internal/feed TestW15_WritesNeverPollFasterThanTheBaseInterval"},
	},
	{
		"A1: requests use HTTP/2", "internal/upstream/audian/transport.go",
		"	protocols.SetHTTP1(true)\n", "	protocols.SetHTTP1(true)\n	protocols.SetHTTP2(true)\n",
		[]string{"internal/upstream/audian TestA01_RequestsUseHTTP1"},
	},
	{
		"A1: a proxy's 404 is success of a Remove", "internal/apierror/classify.go",
		"known && e.FromUpstream && e.UpstreamStatus == http.StatusNotFound", "known && e.UpstreamStatus == http.StatusNotFound",
		[]string{"internal/write TestA02_ANotFoundAfterALostAttemptIsSuccess"},
	},
	{
		"A1: a candidate may have joined before the Add was sent", "internal/write/reconcile.go",
		"sentAt: sentAt.Truncate(time.Second)", "sentAt: sentAt.Truncate(time.Hour)",
		[]string{"internal/write TestA01_AParticipantWhoJoinedBeforeTheRequestDoesNotMatch"},
	},
	{
		"A1: incomplete lists find no participant", "internal/write/reconcile.go",
		"if !found.complete {", "if found.complete {",
		[]string{"internal/write TestA01_IncompleteListsDecideInTheEnd"},
	},
	{
		"A1: an incomplete list decides at once", "internal/write/reconcile.go",
		"	if list.Complete() {\n", "	if list.Complete() || len(candidates) == 1 {\n",
		[]string{"internal/write TestA01_IncompleteListsDecideInTheEnd"},
	},
	{
		"A10: validate_only dials", "internal/service/add.go",
		"if request.GetValidateOnly() {", "if false {",
		[]string{"test/e2e TestA10"},
	},
	{
		"A11: a list that lags ends the wait", "internal/answer/tracker.go",
		"if began.Before(t.mustListAfter) {", "if false {",
		[]string{"internal/answer TestA11_AListThatLags"},
	},
	{
		"A11: one list without the participant ends the wait", "internal/answer/tracker.go",
		"return began.Sub(t.absentSince) >= absenceGap", "return true",
		[]string{"internal/answer TestA11_AParticipantWhomNoListContains"},
	},
	{
		"A11: a missing status is an outcome", "internal/answer/tracker.go",
		`return p.Status == "" || p.Status.InFlight()`, "return p.Status.InFlight()",
		[]string{"internal/answer TestA11_AnAddThatReportsNoStatus"},
	},
	{
		"A11: the wait goes on during a drain", "internal/answer/waiter.go",
		"		case <-w.draining:\n			expired = true\n", "",
		[]string{"internal/answer TestA11_ADrain"},
	},
	{
		"A2: an empty Idempotency-Key counts as none", "internal/interceptor/idempotencykey.go",
		"case strings.TrimSpace(key) == \"\":", "case strings.TrimSpace(key) == \"none\":",
		[]string{"internal/interceptor TestA02_TheIdempotencyKeyIsTheRequestID"},
	},
	{
		"A8: an answer with another value is published", "internal/roster/controls.go",
		"return c.Item.Fields.Has(c.Control.Field()) && !shows(c.Item, c.Control)", "return false",
		[]string{"internal/roster TestA08_TheNameIsTheResult", rules},
	},
	{
		"A8: an answer is published though a list has changed the field", "internal/roster/controls.go",
		"max(field.ChangedByList, field.ControlSent", "max(field.ControlSent",
		[]string{"internal/roster TestA08_OvertakenAnswer", rules},
	},
	{
		"A8: an answer is published though a later control has completed", "internal/roster/controls.go",
		"max(field.ChangedByList, field.ControlSent", "max(field.ChangedByList",
		[]string{"internal/roster TestA08_OvertakenAnswer", rules},
	},
	{
		"A8: a participant without a connected call can be held", "internal/roster/controls.go",
		" || m.Participant.Status.Active()", " || true",
		[]string{"internal/roster TestA08_ControlIsPublishedAtOnce", rules},
	},
	{
		"A8: a pending control hides the end of the call", "internal/roster/controls.go",
		"return confirmed || c.showsCallEnded(item) || ", "return confirmed || ",
		[]string{"internal/roster TestA08_EndOfTheCallIsNeverHidden", rules},
	},
	{
		"A8: a list with the new value does not end the window", "internal/roster/controls.go",
		"confirmed := p.Began > c.Sent", "confirmed := false && p.Began > c.Sent",
		[]string{"internal/roster TestA08_ListWithTheNewValue", rules},
	},
	{
		"A8: a list begun before the control ends the window", "internal/roster/controls.go",
		"confirmed := p.Began > c.Sent && ", "confirmed := ",
		[]string{"internal/roster TestA08_ListWithTheNewValue", rules},
	},
	{
		"A8: the window begins when the control is sent", "internal/roster/controls.go",
		"p.List.Began.Sub(c.DoneAt) >= LagWindow", "p.List.Began.Sub(c.SentAt) >= LagWindow",
		[]string{"internal/roster TestA08_ListsMayNotShow", rules},
	},
	{
		"A8: a list older than two quick controls ends the second", "internal/roster/controls.go",
		"p.Began > c.Sent && !c.Reverts", "p.Began > c.Sent",
		[]string{"internal/roster TestA08_QuickToggles", rules},
	},
	{
		"A8: not_before of a change that a control held back is too late", "internal/roster/controls.go",
		"deferredSince = earlier(deferredSince, c.SentAt)", "deferredSince = time.Time{}",
		[]string{"internal/roster TestA08_ListsMayNotShow", rules},
	},
	{
		"A8: a control makes earlier lists prove nothing, like a write", "internal/roster/controls.go",
		"	before, after := member.Participant, c.Control.ApplyTo(member.Participant)\n",
		"	member.Completed = c.Done\n	before, after := member.Participant, c.Control.ApplyTo(member.Participant)\n",
		[]string{"internal/roster TestA08_ControlTouchesNoWindow", rules},
	},
	{
		"A8: MuteAll brings no list forward", "internal/feed/change.go",
		"	f.writeCompleted()\n	notify(", "	notify(",
		[]string{"internal/feed TestA08_NextListComesEarlier"},
	},
	{
		"A8: any control takes a 404 or 409 for success", "internal/write/control.go",
		"control == participant.ControlDisconnect && (", "(",
		[]string{"internal/write TestA08_AfterALostAttempt"},
	},
	{
		"A8: a first 404 or 409 of a Disconnect is success", "internal/write/retry.go",
		"err == nil || r.lost != nil && r.isDone(err)", "err == nil || r.isDone(err)",
		[]string{"internal/write TestA08_AfterALostAttempt"},
	},
	{
		"A8: a success is recorded for the last request", "internal/write/retry.go",
		"	if r.lost != nil {\n", "	if false {\n",
		[]string{"internal/write TestA08_ASuccessCountsFromTheFirstRequestThatMayHaveBeenCarriedOut"},
	},
	{
		"A8: the answer to a control may be about another participant", "internal/upstream/audian/control.go",
		"if err != nil || item.ID != id {", "if err != nil {",
		[]string{"internal/upstream/audian TestA08_AnyResponseWithoutAnErrorIsSuccess"},
	},
	{
		"A8: a 404 of a control names the conference", "internal/upstream/audian/roundtrip.go",
		"return len(r.path) > 3 }", "return len(r.path) == 4 }",
		[]string{"internal/upstream/audian TestA08_ErrorsOfControls"},
	},
	{
		"A13: the mask is no part of the filter's hash", "internal/participant/filter.go",
		"	if f.MaskNumbers {\n		write('m', \"\")\n	}\n", "",
		[]string{"internal/participant TestFilter_EqualFiltersHaveEqualHashes", "internal/watch TestA13_TheTokenOfAnotherRole"},
	},
	{
		"A13: changes are not masked", "internal/watch/view.go",
		"			MaskNumbers: v.filter.MaskNumbers,\n", "",
		[]string{"internal/watch TestA13_EqualFiltersWithAMaskShareTheirMessages"},
	},
	{
		"A13: snapshots are not masked", "internal/watch/snapshot.go",
		"			MaskNumbers: v.filter.MaskNumbers,\n", "",
		[]string{"internal/watch TestA13_EqualFiltersWithAMaskShareTheirMessages"},
	},
	{
		"A13: a stream with full numbers outlasts the right to them", "internal/interceptor/authorize.go",
		"	if caller.SeesNumbers {\n", "	if false {\n",
		[]string{"internal/interceptor TestA13_AStreamWithNumbersEndsWithTheRight"},
	},
	{
		"A7: a stale feed answers", "internal/feed/lookup.go",
		"if state.Stale {", "if false {",
		[]string{"internal/feed TestA07_OnlyAFreshFeed"},
	},
	{
		"A7: an incomplete list proves absence", "internal/service/get.go",
		"case list.Complete():", "case true:",
		[]string{"internal/service TestA07_AListAnswers"},
	},
	{
		"A7: a call joins a list that has begun", "internal/upstream/sharedreads.go",
		"		reader.ended = read.done\n	}\n	if reader.next == read {", "		reader.ended = read.done\n	}\n	if false {",
		[]string{"internal/upstream TestA07_ConcurrentGetsShareLists"},
	},
	{
		"A7: calls share an error", "internal/upstream/callerlist.go",
		"return list, ownError(err)", "return list, err",
		[]string{"internal/upstream TestA07_SharedListsFailLikeLists"},
	},
	{
		"A12: an early list comes sooner", "internal/feed/refresh.go",
		"const refreshGap = 200 * time.Millisecond", "const refreshGap = 190 * time.Millisecond",
		[]string{"internal/feed TestA12_AFloodOfRefreshes"},
	},
	{
		"A12: a failing feed reads lists early", "internal/feed/refresh.go",
		"s.refreshed && s.failures == 0 &&", "s.refreshed &&",
		[]string{"internal/feed TestA12_FailingFeeds"},
	},
	{
		"A12: a Refresh without watchers", "internal/feed/refresh.go",
		"shared == nil || shared.refs == 0", "shared == nil",
		[]string{"internal/feed TestA12_WithoutWatchers"},
	},
	{
		"A12: early lists slow the polls", "internal/feed/schedule.go",
		"	case !s.early:\n", "	default:\n",
		[]string{"internal/feed TestA12_EarlyListsDoNotSlowThePolls"},
	},
	{
		"A12: later pages of early lists go before due ones", "internal/upstream/pollqueue.go",
		"func (p priority) isEarly() bool { return p >= earlyNextPage }", "func (p priority) isEarly() bool { return false }",
		[]string{"internal/upstream TestA12_LaterPages"},
	},
	{
		"A12: early lists go before due ones", "internal/upstream/pollqueue.go",
		"if due := alternate(urgent, other, q.lastUrgent); due != nil {",
		"if due := alternate(urgent, other, q.lastUrgent); due != nil && q.firstOf(earlyNextPage, earlyFirstPage) == nil {",
		[]string{"internal/upstream TestA12_EarlyListsTakeOnlyFreeTurns"},
	},
	{
		"A14: an add that did not dial is not given back", "internal/write/send.go",
		"		giveBack()\n", "		_ = giveBack\n",
		[]string{"internal/write TestA14_AnAddCountsUnlessItSurelyDidNotDial"},
	},
	{
		"A14: an unknown outcome is given back", "internal/write/send.go",
		"if err != nil && (record == nil || apierror.Classify(err) != apierror.Ambiguous) {", "if err != nil {",
		[]string{"internal/write TestA14_AnAddCountsUnlessItSurelyDidNotDial"},
	},
	{
		"A14: an add counts while it waits for its turn", "internal/write/dailylimit.go",
		"	return op.limit.Check(ctx)\n", "	_, err := op.limit.Count(ctx)\n	return err\n",
		[]string{"internal/write TestA14_AnAddCountsWhenItIsSent"},
	},
	{
		"A14: the limit is not checked again after the turn", "internal/policy/memory.go",
		"	if m.counts[caller] >= limit {", "	if false {",
		[]string{"internal/policy TestA14_AtOnceNoMoreThanTheLimit"},
	},
	{
		"A14: a prefix is compared with the number as it is written", "internal/policy/policy.go",
		"form := e164(number, c.policy.region)", "form := number",
		[]string{"internal/policy TestA14_PrefixesCompareWithTheE164Form"},
	},
	{
		"A14: one of both prefixes is enough", "internal/policy/policy.go",
		"everybody.allows(form) && c.own.allows(form)", "everybody.allows(form) || c.own.allows(form)",
		[]string{"internal/policy TestA14_PrefixesCompareWithTheE164Form"},
	},
	{
		"A14: the larger limit holds", "internal/policy/policy.go",
		"return min(everybody, own)", "return max(everybody, own)",
		[]string{"internal/policy TestA14_TheSmallerLimitHolds"},
	},
	{
		"A14: days are those of the zone", "internal/policy/policy.go",
		"t.UTC().Format(time.DateOnly)", "t.Format(time.DateOnly)",
		[]string{"internal/policy TestA14_DaysAreUTCInEveryZone"},
	},
	{
		"A14: an add of the day before is given back today", "internal/policy/memory.go",
		"if day != m.day {", "if false {",
		[]string{"internal/policy TestA14_DaysAreUTC"},
	},
	{
		"A14: without its counter everybody may dial", "internal/policy/policy.go",
		"		return nil, unavailable(ctx, err)\n", "		return func() {}, nil\n",
		[]string{"internal/policy TestA14_WhileTheCounterIsAway"},
	},
	{
		"A14: an unknown field of a key is ignored", "internal/access/keys/file.go",
		"entry.Disabled = err.Error()", "entry.Disabled = \"\"",
		[]string{"internal/access/keys TestA14_AnUnknownFieldDisablesItsKeyAlone"},
	},
	{
		"A14: replicas count one add too many", "internal/replica/sharedcounts/scripts.go",
		"or '0') >= limit then", "or '0') > limit then",
		[]string{"internal/replica/sharedcounts TestA14_AllReplicasCountTogether"},
	},
	{
		"A14: replicas give an add back twice", "internal/replica/sharedcounts/scripts.go",
		"if redis.call('GET', add) == 'counted' and", "if",
		[]string{"internal/replica/sharedcounts TestA14_WhatIsGivenBackIsLeftToEveryReplica"},
	},
	{
		"A14: validate only ignores the policy", "internal/service/add.go",
		"if err := calling.Check(ctx); err != nil {", "if err := calling.Check(ctx); false {",
		[]string{"internal/server TestA14_ValidateOnly"},
	},
}
