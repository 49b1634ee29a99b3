package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

const (
	mute       = participant.ControlMute
	unmute     = participant.ControlUnmute
	hold       = participant.ControlHold
	resume     = participant.ControlResume
	disconnect = participant.ControlDisconnect
	rejected   = participant.StatusRejected
)

// TestA08_ControlIsPublishedAtOnce has a control of a participant in each status.
func TestA08_ControlIsPublishedAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		control participant.Control
		before  participant.Item
		want    string
	}{
		"mute":                            {mute, muted("a", connected, false), "a(connected>connected,muted)*"},
		"mute while held":                 {mute, muted("a", held, false), "a(held>held,muted)*"},
		"mute while dialing":              {mute, muted("a", dialing, false), "a(dialing>dialing,muted)*"},
		"mute after the call":             {mute, muted("a", disconnected, false), "a(disconnected>disconnected,muted)*"},
		"mute in an unknown status":       {mute, muted("a", "whispering", false), "a(whispering>whispering,muted)*"},
		"mute again":                      {mute, muted("a", connected, true), ""},
		"unmute":                          {unmute, muted("a", connected, true), "a(connected,muted>connected)*"},
		"unmute again":                    {unmute, muted("a", connected, false), ""},
		"hold":                            {hold, muted("a", connected, true), "a(connected,muted>held,muted)*"},
		"hold again":                      {hold, person("a", held), ""},
		"hold while dialing":              {hold, person("a", dialing), ""},
		"hold while pending":              {hold, person("a", pending), ""},
		"hold after the call":             {hold, person("a", disconnected), ""},
		"hold after a refusal":            {hold, person("a", rejected), ""},
		"hold in an unknown status":       {hold, person("a", "whispering"), ""},
		"resume":                          {resume, person("a", held), "a(held>connected)*"},
		"resume while dialing":            {resume, person("a", dialing), ""},
		"resume after the call":           {resume, person("a", disconnected), ""},
		"disconnect":                      {disconnect, person("a", connected), "a(connected>disconnected)*"},
		"disconnect while held":           {disconnect, person("a", held), "a(held>disconnected)*"},
		"disconnect while dialing":        {disconnect, person("a", dialing), ""},
		"disconnect after a refusal":      {disconnect, person("a", rejected), ""},
		"disconnect in an unknown status": {disconnect, person("a", "whispering"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(test.before)
			sent := tl.send()
			tl.wait(time.Second)
			batch := sent.control(test.control, "a")
			tl.expect(batch.Changes, test.want)
			if test.want != "" {
				tl.between(batch, 1, 2)
			}
		})
	}
}

func TestA08_CountsFollowTheStatus(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected), person("b", held))
	for _, c := range []struct {
		control participant.Control
		active  int
	}{{hold, 2}, {resume, 2}, {disconnect, 1}} {
		if batch := tl.send().control(c.control, "a"); batch.Total != 2 || batch.Active != c.active {
			t.Errorf("%s: total and active are %d and %d, want 2 and %d", c.control, batch.Total, batch.Active, c.active)
		}
	}
	tl.expect(tl.send().control(resume, "b").Changes, "b(held>connected)*")
	tl.holds("a(disconnected) b(connected)")
}

func TestA08_UnknownParticipantMakesNoChange(t *testing.T) {
	for name, before := range map[string]func(tl *timeline){
		"no list":       func(*timeline) {},
		"an empty list": func(tl *timeline) { tl.list() },
		"one who left":  func(tl *timeline) { tl.list(person("a", connected)); tl.list() },
		"one who a Remove ended": func(tl *timeline) {
			tl.list(person("a", connected))
			tl.send().removed("a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			before(tl)
			for _, c := range []participant.Control{mute, unmute, hold, resume, disconnect} {
				if batch := tl.send().control(c, "a"); !batch.Empty() {
					t.Errorf("%s changed %+v", c, batch)
				}
			}
			tl.holds("")
		})
	}
}

// TestA08_TheNameIsTheResult has answers with other fields and values.
func TestA08_TheNameIsTheResult(t *testing.T) {
	for name, test := range map[string]struct {
		control participant.Control
		answer  participant.Item
		want    string
	}{
		"nobody":                         {hold, participant.Item{Participant: participant.Participant{ID: "a"}}, "a(connected>held)*"},
		"the new value":                  {hold, person("a", held), "a(connected>held)*"},
		"another value":                  {hold, person("a", connected), ""},
		"an unknown value":               {hold, person("a", "holding"), ""},
		"an ended call":                  {hold, person("a", disconnected), ""},
		"another value of another field": {hold, muted("a", held, true), "a(connected>held)*"},
		"only another field":             {mute, person("a", held), "a(connected>connected,muted)*"},
		"not muted":                      {mute, muted("a", connected, false), ""},
		"a rejected call":                {disconnect, person("a", rejected), ""},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(muted("a", connected, false))
			tl.expect(tl.send().controlled(test.control, test.answer).Changes, test.want)
		})
	}
}

// TestA08_OvertakenAnswerIsNotPublished has lists, writes and controls between a control and its
// answer.
func TestA08_OvertakenAnswerIsNotPublished(t *testing.T) {
	for name, test := range map[string]struct {
		control   participant.Control
		meanwhile func(tl *timeline)
		want      string
	}{
		"a list changed the field":         {hold, func(tl *timeline) { tl.list(muted("a", held, false)); tl.list(muted("a", connected, false)) }, ""},
		"a list changed it to the value":   {hold, func(tl *timeline) { tl.list(muted("a", held, false)) }, ""},
		"a list changed the other field":   {hold, func(tl *timeline) { tl.list(muted("a", connected, true)) }, "a(connected,muted>held,muted)*"},
		"a list changed nothing":           {mute, func(tl *timeline) { tl.list(muted("a", connected, false)) }, "a(connected>connected,muted)*"},
		"a list changed it from muted":     {mute, func(tl *timeline) { tl.list(muted("a", connected, true)); tl.list(muted("a", connected, false)) }, ""},
		"the call ended":                   {hold, func(tl *timeline) { tl.list(muted("a", disconnected, false)) }, ""},
		"a list removed and another added": {mute, func(tl *timeline) { tl.list(); tl.list(muted("a", connected, false)) }, ""},
		"a Remove and a list that adds": {mute, func(tl *timeline) {
			tl.send().removed("a")
			tl.wait(6 * time.Second)
			tl.list(muted("a", connected, false))
		}, ""},
		"a later control": {mute, func(tl *timeline) { tl.send().control(unmute, "a") }, ""},
		"a later control, confirmed": {mute, func(tl *timeline) {
			tl.send().control(unmute, "a")
			tl.lists(2, muted("a", connected, false))
		}, ""},
		"a later control of the other field": {mute, func(tl *timeline) { tl.send().control(hold, "a") }, "a(held>held,muted)*"},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(muted("a", connected, false))
			sent := tl.send()
			test.meanwhile(tl)
			tl.expect(sent.control(test.control, "a").Changes, test.want)
		})
	}
	t.Run("a list begun before changed the field", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		list := tl.next()
		sent := tl.send()
		list.end(person("a", held))
		tl.expect(sent.control(resume, "a").Changes, "a(held>connected)*")
	})
	t.Run("an earlier control that is answered later", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(muted("a", connected, false))
		first, second := tl.send(), tl.send()
		tl.expect(first.control(mute, "a").Changes, "a(connected>connected,muted)*")
		tl.expect(second.control(unmute, "a").Changes, "a(connected,muted>connected)*")
	})
}

// TestA08_ListsMayNotShowAControlYet has lists with the value before a control. Five seconds after
// it completed, one list decides.
func TestA08_ListsMayNotShowAControlYet(t *testing.T) {
	for name, test := range map[string]struct {
		control participant.Control
		before  participant.Item
		want    string
	}{
		"mute":       {mute, muted("a", connected, false), "a(connected,muted>connected)"},
		"unmute":     {unmute, muted("a", connected, true), "a(connected>connected,muted)"},
		"hold":       {hold, muted("a", connected, false), "a(held>connected)"},
		"resume":     {resume, muted("a", held, false), "a(connected>held)"},
		"disconnect": {disconnect, muted("a", connected, false), "a(disconnected>connected)"},
	} {
		for _, after := range []time.Duration{5 * time.Second, 50 * time.Second} {
			t.Run(name+", a list after "+after.String(), func(t *testing.T) {
				tl := newTimeline(t)
				tl.list(test.before)
				tl.send().control(test.control, "a")
				tl.wait(after)
				batch := tl.begin().end(test.before)
				tl.expect(batch.Changes, test.want)
				tl.between(batch, 1, 1+after.Seconds())
			})
		}
		t.Run(name+", many lists within", func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(test.before)
			tl.wait(time.Second)
			sent, inFlight := tl.send(), tl.begin()
			tl.wait(time.Second)
			sent.control(test.control, "a")
			tl.expect(inFlight.end(test.before).Changes, "")
			for range 49 {
				tl.wait(100 * time.Millisecond)
				tl.expect(tl.begin().end(test.before).Changes, "")
			}
			tl.wait(100 * time.Millisecond)
			batch := tl.begin().end(test.before)
			tl.expect(batch.Changes, test.want)
			tl.between(batch, 2, 8)
		})
		t.Run(name+", a list begun within and read after", func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(test.before)
			tl.send().control(test.control, "a")
			tl.wait(4900 * time.Millisecond)
			list := tl.begin()
			tl.wait(5 * time.Second)
			tl.expect(list.end(test.before).Changes, "")
			tl.expect(tl.begin().end(test.before).Changes, test.want)
		})
	}
}

func TestA08_ListWithTheNewValueEndsTheWindow(t *testing.T) {
	t.Run("a list begun after", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(muted("a", connected, false))
		tl.send().control(mute, "a")
		tl.expect(tl.list(muted("a", connected, true)).Changes, "")
		tl.expect(tl.list(muted("a", connected, false)).Changes, "a(connected,muted>connected)")
	})
	t.Run("a list in flight when the control was answered", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		sent := tl.send()
		list := tl.next()
		sent.control(hold, "a")
		tl.expect(list.end(person("a", held)).Changes, "")
		tl.expect(tl.list(person("a", connected)).Changes, "a(held>connected)")
	})
	t.Run("a list begun before the control was sent ends nothing", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		list := tl.next()
		tl.send().control(hold, "a")
		tl.expect(list.end(person("a", held)).Changes, "")
		tl.expect(tl.list(person("a", connected)).Changes, "")
	})
	t.Run("a list without the field ends nothing", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(muted("a", connected, false))
		tl.send().control(mute, "a")
		tl.expect(tl.list(person("a", connected)).Changes, "")
		tl.expect(tl.list(muted("a", connected, false)).Changes, "")
	})
}

func TestA08_OtherNewsCountsAtOnce(t *testing.T) {
	named := func(item participant.Item) participant.Item {
		return with(item, participant.FieldName, func(p *participant.Participant) { p.Name = "Ada" })
	}
	tl := newTimeline(t)
	tl.list(muted("a", connected, false), muted("b", connected, true))
	tl.send().control(mute, "a")
	batch := tl.list(named(muted("a", held, false)), muted("b", connected, true))
	tl.expect(batch.Changes, "a(connected,muted>held,muted)")
	tl.between(batch, 1, 2)
	if after := batch.Changes[0].After; after.Name != "Ada" {
		t.Errorf("the name is %q", after.Name)
	}
	tl.send().control(resume, "a")
	tl.expect(tl.list(muted("a", held, false)).Changes, "-b(connected,muted)")
	tl.holds("a(connected,muted)")
	tl.expect(tl.list().Changes, "-a(connected,muted)")
}

// TestA08_EndOfTheCallIsNeverHidden has every control of a status, and lists begun before and
// after it completed.
// TestA08_ListWithoutTheParticipantEndsNoControl has a participant who is missing from one list
// within the window, and comes back in the next, which lags.
func TestA08_ListWithoutTheParticipantEndsNoControl(t *testing.T) {
	for name, test := range map[string]struct {
		control       participant.Control
		lagging, late participant.Item
		back, decided string
	}{
		"mute":       {mute, muted("a", connected, false), muted("a", connected, false), "+a(connected,muted)", "a(connected,muted>connected)"},
		"hold":       {hold, person("a", connected), person("a", connected), "+a(held)", "a(held>connected)"},
		"disconnect": {disconnect, person("a", connected), person("a", connected), "+a(disconnected)", "a(disconnected>connected)"},
		"a hang-up":  {hold, person("a", disconnected), person("a", disconnected), "+a(disconnected)", ""},
		"confirmed":  {hold, person("a", held), person("a", connected), "+a(held)", "a(held>connected)"},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(muted("a", connected, false))
			tl.send().control(test.control, "a")
			tl.wait(time.Second)
			tl.list()
			tl.wait(time.Second)
			tl.expect(tl.list(test.lagging).Changes, test.back)
			tl.wait(5 * time.Second)
			tl.expect(tl.list(test.late).Changes, test.decided)
		})
	}
}

func TestA08_EndOfTheCallIsNeverHidden(t *testing.T) {
	for _, ended := range []participant.Status{disconnected, rejected} {
		for _, c := range []participant.Control{mute, hold, resume} {
			t.Run(c.String()+" and "+string(ended), func(t *testing.T) {
				tl := newTimeline(t)
				tl.list(muted("a", held, false))
				before := state(tl.roster.People().Copy()[0])
				inFlight := tl.next()
				for _, change := range tl.send().control(c, "a").Changes {
					before = state(*change.After)
				}
				after := state(participant.Participant{Status: ended, Muted: c == mute})
				tl.expect(inFlight.end(muted("a", ended, false)).Changes, "a("+before+">"+after+")")
				tl.holds("a(" + after + ")")
			})
		}
	}
	t.Run("disconnect and rejected", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().control(disconnect, "a")
		tl.expect(tl.list(person("a", rejected)).Changes, "a(disconnected>rejected)")
	})
	t.Run("the end of the call ends the control", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().control(hold, "a")
		tl.list(person("a", disconnected))
		tl.expect(tl.list(person("a", connected)).Changes, "a(disconnected>connected)")
	})
}

// TestA08_QuickToggles has lists that lag behind two or three controls.
func TestA08_QuickToggles(t *testing.T) {
	shown := func(muteds ...bool) func(tl *timeline) (changes []roster.Change) {
		return func(tl *timeline) (changes []roster.Change) {
			for _, is := range muteds {
				changes = append(changes, tl.list(muted("a", connected, is)).Changes...)
			}
			return changes
		}
	}
	for name, test := range map[string]struct {
		controls []participant.Control
		lists    func(tl *timeline) []roster.Change
		want     string
	}{
		"mute, unmute; the lists lag":       {[]participant.Control{mute, unmute}, shown(false, false, true, false), ""},
		"mute, unmute, mute; the lists lag": {[]participant.Control{mute, unmute, mute}, shown(false, true, false, true), ""},
		"mute, mute":                        {[]participant.Control{mute, mute}, shown(false, true, false), "a(connected,muted>connected)"},
		"mute, unmute; the vendor kept the first": {
			[]participant.Control{mute, unmute}, shown(false, true, true, true, true, true), "a(connected>connected,muted)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(muted("a", connected, false))
			for _, c := range test.controls {
				tl.send().control(c, "a")
			}
			tl.expect(test.lists(tl), test.want)
		})
	}
	t.Run("a list between them has shown the first", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(muted("a", connected, false))
		tl.send().control(mute, "a")
		tl.list(muted("a", connected, true))
		tl.send().control(unmute, "a")
		tl.expect(shown(true, false, true)(tl), "a(connected>connected,muted)")
	})
}

func TestA08_ControlTouchesNoWindowOfAWrite(t *testing.T) {
	t.Run("absence after an Add", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		tl.send().added(muted("a", connected, false))
		tl.wait(time.Second)
		tl.send().control(disconnect, "a")
		tl.expect(tl.lists(3), "")
		tl.expect(tl.list().Changes, "-a(disconnected)")
	})
	t.Run("no window of its own for absence", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().control(hold, "a")
		tl.expect(tl.list().Changes, "-a(held)")
		tl.expect(tl.list(person("a", connected)).Changes, "+a(held)")
	})
	t.Run("a list begun before a control completed removes", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		sent, list := tl.send(), tl.next()
		sent.control(hold, "a")
		tl.expect(list.end().Changes, "-a(held)")
	})
	t.Run("missed lists still count", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.pages = 2
		tl.list()
		tl.send().control(hold, "a")
		tl.expect(tl.list().Changes, "-a(held)")
	})
	t.Run("a Remove after a control", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().control(hold, "a")
		tl.expect(tl.send().removed("a").Changes, "-a(held)*")
		tl.expect(tl.lists(4, person("a", connected)), "")
		tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)")
	})
}

// TestA08_AddOfAControlledParticipant has an Add with the id of a participant whom a control
// has changed.
func TestA08_AddOfAControlledParticipant(t *testing.T) {
	t.Run("sent before the control completed", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(muted("a", connected, false))
		add := tl.send()
		tl.send().control(mute, "a")
		tl.expect(add.added(muted("a", held, false)).Changes, "a(connected,muted>held,muted)*")
		tl.expect(tl.list(muted("a", held, false)).Changes, "")
	})
	t.Run("sent after the control", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().control(disconnect, "a")
		tl.expect(tl.send().added(person("a", dialing)).Changes, "a(disconnected>dialing)*")
		tl.expect(tl.list(person("a", connected)).Changes, "a(dialing>connected)")
	})
	t.Run("sent before, and the call ended", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		add := tl.send()
		tl.send().control(hold, "a")
		tl.expect(add.added(person("a", rejected)).Changes, "a(held>rejected)*")
	})
}

// TestA08_BatchesContainControls: the state of pending controls is part of the members, unseen
// changes of it included.
func TestA08_BatchesContainControls(t *testing.T) {
	tl := newTimeline(t)
	tl.list(muted("a", connected, false))
	first := tl.send().control(mute, "a")
	pending := first.Members[0].MutedControl.Pending
	if pending == nil || pending.Control != mute {
		t.Fatalf("the batch has %+v", first.Members)
	}
	if ignored := tl.list(muted("a", connected, false)); len(ignored.Members) != 1 || !ignored.Members[0].MutedControl.Pending.Deferred {
		t.Errorf("an ignored list: %+v", ignored.Members)
	}
	if pending.Deferred {
		t.Error("a later list changed an earlier batch")
	}
	if again := tl.list(muted("a", connected, false)); !again.Empty() {
		t.Errorf("a second ignored list: %+v", again.Members)
	}
	if confirmed := tl.list(muted("a", connected, true)); len(confirmed.Members) != 1 || confirmed.Members[0].MutedControl.Pending != nil {
		t.Errorf("a list with the new value: %+v", confirmed.Members)
	}
	if repeated := tl.send().control(mute, "a"); len(repeated.Members) != 1 || len(repeated.Changes) != 0 {
		t.Errorf("a control that changes nothing: %+v", repeated)
	}
}
