package histories_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/simulator"
)

// The counters of A16.
const (
	manyEnded    = "A16 one conference ended"
	manyRefused  = "A16 one conference was refused"
	manyNoToken  = "A16 a token was none"
	manyLagged   = "A16 one conference lagged"
	manyStale    = "A16 some conferences stale, others fresh"
	manyResumed  = "A16 resumed by tokens"
	manyBlocked  = "A16 a blocked client ended the stream"
	manyAllEnded = "A16 the stream ended after its last conference"
)

var manyWanted = []string{
	historyPlayed, snapInitial, snapExpired, snapLagged, turnedStale, turnedFresh, resumed,
	manyEnded, manyRefused, manyNoToken, manyLagged, manyStale, manyResumed, manyBlocked, manyAllEnded,
}

const (
	// conferencesOfOne is how many conferences one stream watches. The upstream knows all but the last.
	conferencesOfOne = 10
	// allManySeen is how many histories are enough to test everything, the rarest dozens of times.
	allManySeen = 1000
)

// manyHistory describes one upstream, one client of one stream, and what happens to them.
type manyHistory struct {
	HistoryLimit int
	Steps        []manyStep
}

// manyStep is one operation on a conference after a pause. The kind decides what A and B mean.
type manyStep struct {
	Pause      time.Duration
	Kind       kind
	Conference int
	A, B       int
}

// The kinds of step that other histories do not have.
const (
	burst     kind = "burst"      // Several participants join while the client does not read.
	deleteAll kind = "delete all" // All conferences are deleted.
)

var manyKinds = []kind{
	join, join, join, setStatus, setStatus, leave, burst, burst, open, open, stall, injectFault, injectFault, injectFault, injectFault,
	deleteConference, deleteAll,
}

var manyHistories = rapid.Custom(func(rt *rapid.T) manyHistory {
	return manyHistory{
		HistoryLimit: rapid.SampledFrom([]int{2, 4, 4096}).Draw(rt, "history limit"),
		Steps: rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) manyStep {
			small := rapid.IntRange(0, 11)
			return manyStep{
				Pause:      time.Duration(rapid.SampledFrom([]int{0, 50, 900, 1700, 4000, 7000}).Draw(rt, "pause")) * time.Millisecond,
				Kind:       rapid.SampledFrom(manyKinds).Draw(rt, "kind"),
				Conference: rapid.IntRange(0, conferencesOfOne-2).Draw(rt, "conference"),
				A:          small.Draw(rt, "a"), B: small.Draw(rt, "b"),
			}
		}), 4, 40).Draw(rt, "steps"),
	}
})

// TestModel_ManyConferencesDoNotNoticeEachOther runs histories of ten conferences that one client
// watches through one stream (A16).
func TestModel_ManyConferencesDoNotNoticeEachOther(t *testing.T) {
	seen := counts{wanted: manyWanted}
	playInWorkers(t, *histories/4, func(t *testing.T, rt *rapid.T) error {
		drawn := manyHistories.Draw(rt, "history")
		var failure error
		synctest.Test(t, func(*testing.T) { failure = runMany(drawn, &seen) })
		return failure
	})
	t.Logf("tested:\n%s", seen.String())
	if *histories/4 < allManySeen {
		return
	}
	for _, missing := range seen.missing() {
		t.Errorf("no history tested: %s", missing)
	}
}

var manyOperations = map[kind]func(*many, manyStep){
	join: func(m *many, s manyStep) {
		m.upstream.AddParticipant(nameOfConference(s.Conference), simulator.Participant{
			ID: fmt.Sprintf("p%d", s.A%6), Status: statuses[s.B%len(statuses)], Name: nameOf(s.A % 6),
		})
	},
	setStatus: func(m *many, s manyStep) {
		m.upstream.SetStatus(nameOfConference(s.Conference), fmt.Sprintf("p%d", s.A%6), statuses[s.B%len(statuses)])
	},
	leave: func(m *many, s manyStep) {
		m.upstream.RemoveParticipant(nameOfConference(s.Conference), fmt.Sprintf("p%d", s.A%6))
	},
	burst: func(m *many, s manyStep) {
		m.stopReading(8 * time.Second)
		for i := range 6 {
			m.upstream.AddParticipant(nameOfConference(s.Conference), simulator.Participant{
				ID: fmt.Sprintf("b%d-%d", i, s.A%4), Status: statuses[(s.B+i)%3],
			})
			m.advance(1200 * time.Millisecond)
		}
	},
	open: (*many).reopen,
	stall: func(m *many, s manyStep) {
		if s.A > 1 {
			m.stopReading(time.Duration(s.A) * 2 * time.Second)
			return
		}
		m.stopReading(longBlock)
		m.advance(untilCutOff)
		m.stopReading(0)
		m.reopen(s)
	},
	injectFault: func(m *many, s manyStep) {
		of := faults[simulator.List]
		fault := of[(s.A*12+s.B)%len(of)]
		fault.Operation, fault.Times, fault.Conference = simulator.List, 1+s.A%8, nameOfConference(s.Conference)
		m.upstream.Inject(fault)
	},
	deleteConference: func(m *many, s manyStep) { m.upstream.DeleteConference(nameOfConference(s.Conference)) },
	deleteAll: func(m *many, s manyStep) {
		if s.A > 1 {
			return
		}
		for i := range conferencesOfOne {
			m.upstream.DeleteConference(nameOfConference(i))
		}
		m.advance(30 * time.Second)
		for i := range conferencesOfOne - 1 {
			m.upstream.AddParticipant(nameOfConference(i), simulator.Participant{ID: "p0", Status: "connected", Name: nameOf(0)})
		}
		m.reopen(s)
	},
}
