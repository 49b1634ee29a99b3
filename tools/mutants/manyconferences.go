package main

const (
	watchGroup  = "internal/watch/group.go"
	watchMember = "internal/watch/member.go"
	watchTests  = "internal/watch "
	manyModel   = "test/histories TestModel_ManyConferences -model.histories=100"
)

// manyConferencesMutants are the broken rules of a stream of many conferences (A16).
var manyConferencesMutants = []mutant{
	{
		"A16: the end of one conference ends the stream", watchGroup,
		"			g.open--\n", "			g.open = 0\n",
		[]string{manyModel, watchTests + "TestA16_ConferencesDoNotNoticeEachOther"},
	},
	{
		"A16: the stream does not end after its last conference", watchGroup,
		"			g.open--\n", "",
		[]string{watchTests + "TestA16_TheStreamEndsWhenAllConferencesHaveEnded"},
	},
	{
		"A16: a busy conference is served until it has nothing more", watchGroup,
		"	for g.open > 0 {\n		m, err := g.turn(ctx)\n",
		"	for _, m := range g.members {\n" +
			"		if m.ended || m.subscription == nil || m.asking.Load() {\n			continue\n		}\n" +
			"		if event, last := m.event(time.Now()); event.Message != nil && !last {\n" +
			"			m.wake()\n			return event, nil\n		}\n	}\n" +
			"	for g.open > 0 {\n		m, err := g.turn(ctx)\n",
		[]string{watchTests + "TestA16_ConferencesTakeTurnsMessageByMessage", watchTests + "TestA16_ABusyConference"},
	},
	{
		"A16: a change wakes no group", watchMember,
		"m.subscription.Notify(m.wake)", "m.subscription.Notify(func() {})",
		[]string{manyModel, watchTests + "TestA16_ConferencesDoNotNoticeEachOther"},
	},
	{
		"A16: a conference that sleeps has no heartbeat", watchGroup,
		"at.Before(g.wakeAt) {\n		g.wakeAt = at\n	}\n}", "false {\n		g.wakeAt = at\n	}\n}",
		[]string{watchTests + "TestA16_EveryConferenceHasItsHeartbeats"},
	},
	{
		"A16: after one heartbeat the next comes a minute later", watchGroup,
		"		} else if at.Before(g.wakeAt) {", "		} else if false {",
		[]string{watchTests + "TestA16_EveryConferenceHasItsHeartbeats"},
	},
	{
		"A16: a withdrawn right does not end its conference", watchMember,
		"	case m.ctx.Err() != nil:", "	case false:",
		[]string{watchTests + "TestA16_ConferencesDoNotNoticeEachOther"},
	},
	{
		"A16: a conference that has ended remains a subscriber", watchMember,
		"		m.subscription.Close()\n", "",
		[]string{watchTests + "TestA16_ConferencesDoNotNoticeEachOther"},
	},
	{
		"A16: a group does not ask the log", watchGroup,
		"		g.asking.Go(m.ask)\n", "		m.asking.Store(false)\n",
		[]string{watchTests + "TestA16_TokensOfAnEarlierLog"},
	},
	{
		"A16: a withdrawn role ends each conference alone", "internal/service/watchconferences.go",
		"event.NotAllowed && apierror.ReasonOf(event.Err) != apierror.ConferenceNotGranted",
		"false && apierror.ReasonOf(event.Err) != apierror.ConferenceNotGranted",
		[]string{"internal/service TestA16_OnlyAWithdrawnConference"},
	},
	{
		"A16: a right to one conference that is withdrawn ends the stream", "internal/service/watchconferences.go",
		"event.NotAllowed && apierror.ReasonOf(event.Err) != apierror.ConferenceNotGranted",
		"event.NotAllowed && apierror.ReasonOf(event.Err) != apierror.Internal",
		[]string{"internal/server TestA16_RightsAreJudged"},
	},
	{
		"A16: a large request is refused", "internal/wire/methods.go",
		"*v2.BatchAddParticipantsRequest, *v2.WatchConferencesRequest:", "*v2.BatchAddParticipantsRequest:",
		[]string{"internal/server TestA16_TheLargestRequest"},
	},
	{
		"A16: events have ids", "internal/wire/envelope.go",
		`head := []byte("event: "`, `head := []byte("id: 1\nevent: "`,
		[]string{"internal/server TestA16_ManyConferencesOverREST"},
	},
}
