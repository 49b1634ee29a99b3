package write

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestA01_LostAnswersAreReconciled(t *testing.T) {
	tests := map[string]step{
		"cut":              {dials: true, fails: errCut},
		"503":              {dials: true, fails: upstreamError(503, apierror.UpstreamUnavailable)},
		"408":              {dials: true, fails: upstreamError(408, apierror.UpstreamTimeout)},
		"undecodable":      {dials: true, fails: upstreamError(200, apierror.UpstreamUndecodable)},
		"error in a 200":   {dials: true, fails: upstreamError(200, apierror.UpstreamUnavailable)},
		"no answer at all": {dials: true, silent: true},
		"no known kind":    {dials: true, fails: errors.New("failed")},
	}
	for name, step := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(step), func(t *testing.T, h *harness) {
				added, err := h.Add(t.Context(), h.call(""), alice)
				want(t, err, "", "")
				if added.Participant.ID != "part_1" || added.Replayed || h.upstream.dials() != 1 {
					t.Errorf("added %+v, dialled %d times", added, h.upstream.dials())
				}
				if got := h.recorder.written(); len(got) != 1 || got[0] != "part_1" {
					t.Errorf("recorded %v", got)
				}
			})
		})
	}
}

func TestA01_ReadsListsUntilOneIsProof(t *testing.T) {
	outage := func(n int) error {
		if n < 3 {
			return errCut
		}
		return nil
	}
	tests := map[string]struct {
		step    step
		lists   func(int) error
		missing int
		reason  apierror.Reason
		ends    time.Duration
		read    int
	}{
		"listed at once":                   {step{dials: true, fails: errCut}, nil, 0, "", 0, 1},
		"listed late":                      {step{dials: true, lag: 3500 * time.Millisecond, fails: errCut}, nil, 0, "", 4 * time.Second, 5},
		"dialled late":                     {step{dials: true, dialsAfter: 5 * time.Second, fails: errCut}, nil, 0, "", 5 * time.Second, 6},
		"listed too late":                  {step{dials: true, lag: 11 * time.Second, fails: errCut}, nil, 0, apierror.AddOutcomeUnknown, searchTimeout, 10},
		"never dialled":                    {step{fails: errCut}, nil, 0, apierror.AddOutcomeUnknown, searchTimeout, 10},
		"lists fail first":                 {step{dials: true, fails: errCut}, outage, 0, "", 3 * time.Second, 4},
		"lists fail for good":              {step{dials: true, fails: errCut}, func(int) error { return errCut }, 0, apierror.AddOutcomeUnknown, searchTimeout, 10},
		"incomplete lists":                 {step{dials: true, fails: errCut}, nil, 1, "", searchTimeout, 10},
		"never listed in incomplete lists": {step{fails: errCut}, nil, 1, apierror.AddOutcomeUnknown, searchTimeout, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.step), func(t *testing.T, h *harness) {
				h.upstream.lists, h.upstream.missing = test.lists, test.missing
				got := h.add(h.call(""), alice, 0).wait()
				want(t, got.err, test.reason, apierror.DialledUnknown)
				if got.at != test.ends || h.upstream.read < test.read || h.upstream.read > test.read+1 {
					t.Errorf("ended after %v and %d lists, want %v and %d", got.at, h.upstream.read, test.ends, test.read)
				}
			})
		})
	}
}

// A list that is incomplete still shows who is there. It decides where no complete list
// was read.
func TestA01_IncompleteListsDecideInTheEnd(t *testing.T) {
	stranger := func(h *harness) { h.upstream.show(person("stranger", alice)) }
	tests := map[string]struct {
		listed func(h *harness)
		reason apierror.Reason
		ends   time.Duration
	}{
		"one candidate":          {func(*harness) {}, "", searchTimeout},
		"another person":         {func(h *harness) { h.upstream.show(person("bob", participant.Add{PhoneNumber: "+12025550000"})) }, "", searchTimeout},
		"old in the roster":      {func(h *harness) { h.recorder.fresh, h.recorder.roster = true, []string{"stranger"}; stranger(h) }, "", searchTimeout},
		"two candidates":         {stranger, apierror.AddOutcomeUnknown, searchTimeout},
		"two, not in one list":   {func(h *harness) { stranger(h); h.upstream.hideAfter("stranger", 3*time.Second) }, apierror.AddOutcomeUnknown, searchTimeout},
		"complete in between":    {func(h *harness) { h.upstream.completeAt = 5 }, "", 4 * time.Second},
		"complete, nobody there": {func(h *harness) { h.upstream.completeAt = 5; h.upstream.hideAfter("part_1", 2500*time.Millisecond) }, apierror.AddOutcomeUnknown, searchTimeout},
	}
	for name, test := range tests {
		for unread, by := range map[string]func(*fakeUpstream){
			"total is larger":   func(u *fakeUpstream) { u.missing = 1 },
			"a page was unread": func(u *fakeUpstream) { u.unread = errCut },
		} {
			t.Run(name+", "+unread, func(t *testing.T) {
				virtual(t, script(step{dials: true, fails: errCut}), func(t *testing.T, h *harness) {
					by(h.upstream)
					test.listed(h)
					got := h.add(h.call(""), alice, 0).wait()
					want(t, got.err, test.reason, apierror.DialledUnknown)
					if got.at != test.ends || test.reason == "" && got.added.Participant.ID != "part_1" {
						t.Errorf("ended after %v with %+v, want %v", got.at, got.added, test.ends)
					}
				})
			})
		}
	}
}

// What an incomplete list showed to an add that stays unknown is not found by a later one.
func TestA01_WhoAnIncompleteListShowedIsNotFoundLater(t *testing.T) {
	virtual(t, script(step{fails: errCut}), func(t *testing.T, h *harness) {
		h.upstream.missing = 1
		h.upstream.show(person("first", alice))
		h.upstream.show(person("second", alice))
		_, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
		h.upstream.missing = 0
		h.upstream.hide("second")
		_, err = h.Add(t.Context(), h.call(""), alice)
		want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	})
}

func TestA01_Candidates(t *testing.T) {
	sent := time.Date(2026, 11, 25, 12, 0, 0, 500, time.UTC)
	before := func(id string) bool { return id == "old" }
	like := func(change func(*participant.Item)) participant.Item {
		item := person("new", alice)
		change(&item)
		return item
	}
	named := func(name string) participant.Add {
		return participant.Add{PhoneNumber: alice.PhoneNumber, Name: name, Role: alice.Role}
	}
	joined := func(at time.Time) participant.Item {
		return like(func(i *participant.Item) { i.Status, i.JoinedAt = participant.StatusConnected, at })
	}
	tests := map[string]struct {
		add    participant.Add
		before func(string) bool
		item   participant.Item
		want   bool
	}{
		"equal":                         {alice, before, like(func(*participant.Item) {}), true},
		"phone written otherwise":       {alice, before, like(func(i *participant.Item) { i.PhoneNumber = "1 (202) 555-1234" }), true},
		"phone in national form":        {alice, before, like(func(i *participant.Item) { i.PhoneNumber = "(202) 555-1234" }), true},
		"phone without its plus":        {alice, before, like(func(i *participant.Item) { i.PhoneNumber = "12025551234" }), true},
		"name trimmed":                  {named("  Alice "), before, like(func(*participant.Item) {}), true},
		"name normalised":               {named("Zoe\u0308"), before, like(func(i *participant.Item) { i.Name = "Zo\u00eb" }), true},
		"name denormalised":             {named("Zo\u00eb"), before, like(func(i *participant.Item) { i.Name = " Zoe\u0308" }), true},
		"name in other case":            {alice, before, like(func(i *participant.Item) { i.Name = "ALICE" }), false},
		"role in upper case":            {alice, before, like(func(i *participant.Item) { i.Role = "PRESENTER" }), true},
		"another phone":                 {alice, before, like(func(i *participant.Item) { i.PhoneNumber = "+12025551235" }), false},
		"no phone number":               {alice, before, like(func(i *participant.Item) { i.PhoneNumber = "" }), false},
		"phone without digits":          {participant.Add{PhoneNumber: "lobby"}, before, like(func(i *participant.Item) { i.PhoneNumber = "hall" }), false},
		"another name":                  {alice, before, like(func(i *participant.Item) { i.Name = "Bob" }), false},
		"any name where none given":     {participant.Add{PhoneNumber: alice.PhoneNumber}, before, like(func(*participant.Item) {}), true},
		"another role":                  {alice, before, like(func(i *participant.Item) { i.Role = participant.RoleListener }), false},
		"in the roster before":          {alice, before, like(func(i *participant.Item) { i.ID = "old" }), false},
		"over, but not there before":    {alice, before, like(func(i *participant.Item) { i.Status = participant.StatusRejected }), true},
		"no roster: dialing":            {alice, nil, like(func(*participant.Item) {}), true},
		"no roster: pending":            {alice, nil, like(func(i *participant.Item) { i.Status = participant.StatusPending }), true},
		"no roster: joined since":       {alice, nil, joined(sent.Add(time.Second)), true},
		"no roster: joined that second": {alice, nil, joined(sent.Truncate(time.Second)), true},
		"no roster: joined before":      {alice, nil, joined(sent.Add(-time.Second)), false},
		"no roster: no join time":       {alice, nil, joined(time.Time{}), false},
		"no roster: over":               {alice, nil, like(func(i *participant.Item) { i.Status = participant.StatusRejected }), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := &fakeRecorder{fresh: test.before != nil, roster: []string{"old"}}
			p := newMatcher(comparison{}, test.add, sent, recorder.Begin(t.Context(), key))
			if got := len(p.matching([]participant.Item{test.item})) == 1; got != test.want {
				t.Errorf("candidate: %v, want %v", got, test.want)
			}
		})
	}
}

func TestA01_NumbersAreComparedAsE164(t *testing.T) {
	tests := map[string]struct {
		region, sent, listed string
		want                 bool
	}{
		"equal":                          {"", "+12025551234", "+12025551234", true},
		"spaces":                         {"", "+12025551234", "+1 202 555 1234", true},
		"no plus":                        {"", "+12025551234", "1-202-555-1234", true},
		"national":                       {"", "+12025551234", "(202) 555-1234", true},
		"national with a trunk zero":     {"", "+442079460000", "020 7946 0000", true},
		"trunk zero kept":                {"", "+442079460000", "+44 (0)20 7946 0000", true},
		"Italian zero":                   {"", "+390612345678", "06 1234 5678", true},
		"international prefix":           {"US", "+442079460000", "011 44 20 7946 0000", true},
		"sent national, listed E.164":    {"GB", "02079460000", "+442079460000", true},
		"sent national, listed national": {"GB", "02079460000", "020 7946 0000", true},
		"sent national, no plus listed":  {"GB", "02079460000", "442079460000", true},
		"another number":                 {"", "+12025551234", "+12025551235", false},
		"another country":                {"", "+12025551234", "+442025551234", false},
		"another country, national":      {"GB", "02079460000", "+12079460000", false},
		"an extension, not E.164":        {"", "1001", "1001", true},
		"no digits":                      {"", "lobby", "lobby", false},
	}
	for name, test := range tests {
		c := comparison{defaultRegion: test.region}
		if c.samePhone(test.sent, test.listed) != test.want || c.samePhone(test.listed, test.sent) != test.want {
			t.Errorf("%s: %q and %q, want same: %v", name, test.sent, test.listed, test.want)
		}
	}
}

// A participant who joined before the request was sent was not created by it.
func TestA01_AParticipantWhoJoinedBeforeTheRequestDoesNotMatch(t *testing.T) {
	virtual(t, script(step{wait: 3 * time.Minute, fails: errCut}), func(t *testing.T, h *harness) {
		p := h.add(h.call(""), alice, 0)
		time.Sleep(time.Minute)
		stranger := person("stranger", alice)
		stranger.Status, stranger.JoinedAt = participant.StatusConnected, time.Now()
		h.upstream.show(stranger)
		want(t, p.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	})
}

// Adds that the upstream cannot distinguish are equal, in any form.
func TestA01_EqualAddsInOtherFormsStayUnknown(t *testing.T) {
	lost := step{dials: true, fails: errCut}
	for name, other := range map[string]participant.Add{
		"name": {PhoneNumber: alice.PhoneNumber, Name: " Alice", Role: alice.Role},
		"role": {PhoneNumber: alice.PhoneNumber, Name: alice.Name, Role: "PRESENTER"},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(lost), func(t *testing.T, h *harness) {
				failListsBriefly(h)
				first, second := h.add(h.call(""), alice, 0), h.add(h.call(""), other, 0)
				want(t, first.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
				want(t, second.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			})
		})
	}
}

func TestA01_TwoCandidatesProveNothing(t *testing.T) {
	virtual(t, script(step{dials: true, fails: errCut}), func(t *testing.T, h *harness) {
		h.upstream.show(person("stranger", alice))
		time.AfterFunc(5*time.Second, func() { h.upstream.hide("stranger") }) // too late
		_, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	})
}

func TestA01_TheRosterBeforeExcludesOldParticipants(t *testing.T) {
	virtual(t, script(step{dials: true, fails: errCut}), func(t *testing.T, h *harness) {
		h.recorder.fresh, h.recorder.roster = true, []string{"stranger"}
		h.upstream.show(person("stranger", alice))
		added, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, "", "")
		if added.Participant.ID != "part_1" {
			t.Errorf("found %s", added.Participant.ID)
		}
	})
}

func TestA01_EqualAddsThatAreBothLostStayUnknown(t *testing.T) {
	tests := map[string][2]step{
		"both dialled":        {{dials: true, fails: errCut}, {dials: true, fails: errCut}},
		"one dialled":         {{dials: true, fails: errCut}, {fails: errCut}},
		"one lost much later": {{dials: true, fails: errCut}, {takes: 9 * time.Second, fails: errCut}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(steps[0], steps[1]), func(t *testing.T, h *harness) {
				failListsBriefly(h)
				first, second := h.add(h.call(""), alice, 0), h.add(h.call(""), alice, 0)
				want(t, first.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
				want(t, second.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			})
		})
	}
}

// failListsBriefly makes lists fail for half a second, so that adds called together are all
// sent before the first is reconciled.
func failListsBriefly(h *harness) {
	until := time.Now().Add(time.Second / 2)
	h.upstream.lists = func(int) error {
		if time.Now().Before(until) {
			return errCut
		}
		return nil
	}
}

func TestA01_WaitsForACompetitor(t *testing.T) {
	tests := map[string]struct {
		rival  step
		reason apierror.Reason
		id     string
	}{
		"that is answered": {step{dials: true, takes: 3 * time.Second}, "", "part_1"},
		"that is refused":  {step{takes: 3 * time.Second, fails: upstreamError(400, apierror.UpstreamBadRequest)}, "", "part_1"},
		"that is silent":   {step{dials: true, silent: true}, apierror.AddOutcomeUnknown, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			lostOne := step{dials: true, takes: time.Second, fails: errCut}
			virtual(t, script(lostOne, test.rival), func(t *testing.T, h *harness) {
				lost := h.add(h.call(""), alice, 0)
				synctest.Wait()
				h.add(h.call(""), alice, 0)
				got := lost.wait()
				want(t, got.err, test.reason, apierror.DialledUnknown)
				if got.added.Participant.ID != test.id {
					t.Errorf("found %q, want %q", got.added.Participant.ID, test.id)
				}
			})
		})
	}
}

// What another add has made is not found again, under another credential either.
func TestA01_ClaimedByAnotherAdd(t *testing.T) {
	for name, first := range map[string]step{
		"that was answered": {dials: true},
		"that was found":    {dials: true, fails: errCut},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(first, step{fails: errCut}), func(t *testing.T, h *harness) {
				_, err := h.Add(t.Context(), h.call(""), alice)
				want(t, err, "", "")
				other := h.call("")
				other.Key.Credential = participant.Fingerprint{2}
				_, err = h.Add(t.Context(), other, alice)
				want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			})
		})
	}
}

// An add that was found is no rival to those that come later.
func TestA01_FoundOneAfterTheOther(t *testing.T) {
	virtual(t, script(step{dials: true, fails: errCut}), func(t *testing.T, h *harness) {
		for _, id := range []string{"part_1", "part_2"} {
			added, err := h.Add(t.Context(), h.call(""), alice)
			want(t, err, "", "")
			if added.Participant.ID != id {
				t.Errorf("found %q, want %q", added.Participant.ID, id)
			}
		}
	})
}

// After an unknown outcome, every equal add that ran at the same time is unknown too, but no add
// that is sent later.
func TestA01_AnUnknownOutcomeMakesConcurrentAddsAmbiguous(t *testing.T) {
	undialled, cut := step{fails: errCut}, step{dials: true, takes: 11 * time.Second, fails: errCut}
	tests := map[string]struct {
		steps  []step
		first  participant.Add
		reason apierror.Reason
	}{
		"lost meanwhile":       {[]step{undialled, cut}, alice, apierror.AddOutcomeUnknown},
		"answered meanwhile":   {[]step{undialled, {dials: true, takes: 11 * time.Second}}, alice, ""},
		"sent again afterward": {[]step{undialled, {takes: 11 * time.Second, fails: errThrottled}, cut}, alice, ""},
		// The participant of the second matches the first add, but not the reverse.
		"not ambiguousAdds": {[]step{undialled, cut}, participant.Add{PhoneNumber: alice.PhoneNumber}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.steps...), func(t *testing.T, h *harness) {
				first := h.add(h.call(""), test.first, 0)
				synctest.Wait()
				second := h.add(h.call(""), alice, 0)
				want(t, first.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
				want(t, second.wait().err, test.reason, apierror.DialledUnknown)
			})
		})
	}
	t.Run("sent afterward", func(t *testing.T) {
		virtual(t, script(undialled, cut), func(t *testing.T, h *harness) {
			want(t, h.add(h.call(""), alice, 0).wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			want(t, h.add(h.call(""), alice, 0).wait().err, "", "")
		})
	})
}

// An add with an unknown outcome may have created the participants that were listed then. An add
// that was sent later did not.
func TestA01_AnEarlierCandidateIsNotFoundLater(t *testing.T) {
	cut := step{dials: true, fails: errCut}
	virtual(t, script(cut), func(t *testing.T, h *harness) {
		h.upstream.show(person("stranger", alice))
		_, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
		time.Sleep(time.Second)
		added, err := h.Add(t.Context(), h.call(""), alice)
		want(t, err, "", "")
		if added.Participant.ID != "part_2" {
			t.Errorf("found %s", added.Participant.ID)
		}
	})
}

func TestA01_ReconciliationOutlivesItsCaller(t *testing.T) {
	virtual(t, script(step{dials: true, lag: 4 * time.Second, fails: errCut}), func(t *testing.T, h *harness) {
		want(t, h.add(h.call("r"), alice, time.Second).wait().err, apierror.DeadlineExceeded, apierror.DialledUnknown)
		got := h.add(h.call("r"), alice, 0).wait()
		want(t, got.err, "", "")
		if got.added.Participant.ID != "part_1" || !got.added.Replayed {
			t.Errorf("added %+v", got.added)
		}
	})
}
