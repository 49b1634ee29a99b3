package histories_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// check compares everything that clients received with the ledger and the truth. Nothing
// changes meanwhile.
func (w *harness) check() {
	w.truth.observe()
	w.note()
	for _, at := range w.ledger.Unseen() {
		w.fail("entry", w.checkEntry(at.Epoch, w.ledger.Entries[at]))
	}
	state := w.gateway.state()
	for slot, c := range w.clients {
		w.fail(fmt.Sprintf("client %d", slot), c.check(state))
	}
	w.writes.note(w, state)
	w.lists.count(w, state)
	w.fail("hang-ups", w.lists.checkHangUps(w, state))
	w.fail("freshness", w.lists.checkFresh(w, state))
}

// checkEntry compares an entry with the truth, and counts the rules that it tests.
func (w *harness) checkEntry(epoch feed.Epoch, entry feed.Entry) error {
	if entry.NotAfter.Before(entry.NotBefore) {
		return errors.New("not_after is before not_before")
	}
	for _, change := range entry.Changes {
		lag := w.history.Upstream.ListLag
		if change.ByWrite && change.After == nil {
			w.seen.add(removedByWrite)
		}
		if change.ByWrite {
			lag = 0
		}
		if err := w.checkControlled(epoch, entry, change); err != nil {
			return err
		}
		if change.ByWrite && change.Before != nil && change.After != nil {
			continue // checkControlled has checked it.
		}
		if change.ByWrite && change.After == nil && w.mayHaveLeftEarlier(change.Before.ID) {
			continue
		}
		if !change.ByWrite && change.Before == nil && w.hides {
			continue
		}
		if err := checkTruth(w.truth, entry, change, lag); err != nil {
			if !w.lists.misled(w.truth, entry, change, lag) {
				return err
			}
			w.seen.add(misled)
		}
	}
	return w.lists.checkEntry(w, epoch, entry)
}

// mayHaveLeftEarlier reports whether a Remove may have succeeded although the participant had
// left: the vendor answers so, or a 404 came after a lost answer (A2).
func (w *harness) mayHaveLeftEarlier(id string) bool {
	return w.history.Upstream.RemoveTwice || slices.ContainsFunc(w.upstream.History(), func(r simulator.Request) bool {
		return r.Operation == simulator.Remove && r.Status == http.StatusNotFound && strings.HasSuffix(r.Path, "/"+id)
	})
}

// check checks the messages that the client received since the last check, and that no
// message is late.
func (c *client) check(state *feed.State) error {
	for _, m := range c.received {
		if err := c.checkMessage(m); err != nil {
			return fmt.Errorf("%w: message %s", err, m)
		}
	}
	c.received = c.received[:0]
	if c.stream == nil {
		return nil
	}
	select {
	case <-c.stream.ended:
		return c.checkEnd()
	default:
		return c.checkDelays(state)
	}
}

// checkMessage compares the client's roster with the roster of the position (W2).
func (c *client) checkMessage(m message) error {
	at, err := watchmodel.PositionOf(m.GetResumeToken())
	if err != nil {
		return err
	}
	roster, known := c.harness.ledger.Roster(at)
	if !known {
		return errors.New("a position that the log never had")
	}
	if err := m.held.Equals(roster, c.filter); err != nil {
		return err
	}
	return checkTotals(m, roster)
}

func checkTotals(m message, roster []participant.Participant) error {
	active := 0
	for _, p := range roster {
		if p.Status.Active() {
			active++
		}
	}
	counted := m.GetSnapshot() != nil || m.GetCheckpoint() != nil
	total, inCall := m.GetSnapshot().GetTotal()+m.GetCheckpoint().GetTotal(), m.GetSnapshot().GetActive()+m.GetCheckpoint().GetActive()
	switch {
	case counted && (int(total) != len(roster) || int(inCall) != active):
		return fmt.Errorf("total and active are %d and %d in the roster", len(roster), active)
	case m.GetCheckpoint() != nil && int(m.GetCheckpoint().GetParticipantCount()) != len(m.held):
		return fmt.Errorf("participant_count, but the client has %d", len(m.held))
	default:
		return nil
	}
}

// openWithin is W1's time.
const openWithin = 5 * time.Second

// checkDelays fails if a message to a client that reads is late.
func (c *client) checkDelays(state *feed.State) error {
	s := c.stream
	if c.notReadingFor() > 0 || s.delayed {
		return nil
	}
	switch {
	case s.messages == 0 && time.Since(s.opened) > openWithin:
		return errors.New("W1: no message in time")
	case time.Since(s.beat) > s.heartbeat:
		return fmt.Errorf("W13: silent for %s", time.Since(s.beat))
	case state != nil && s.hasState && state.Stale != s.stale:
		return fmt.Errorf("W10: the feed is stale: %t, but the last message says the opposite", state.Stale)
	default:
		return nil
	}
}

// endings maps each reason for which a stream may end to its counter.
var endings = map[apierror.Reason]string{
	apierror.ConferenceNotFound: refusedOpen,
	apierror.UpstreamForbidden:  refusedOpen,
	apierror.ClientBlocked:      blockedClient,
}

func (c *client) checkEnd() error {
	s := c.stream
	c.stream = nil
	s.stop()
	if s.err == nil {
		c.harness.seen.add(conferenceEnd)
		return nil
	}
	what, expected := endings[apierror.ReasonOf(s.err)]
	if !expected || grpcstatus.From(s.err).Code() == codes.OK {
		return fmt.Errorf("the stream ended: %w", s.err)
	}
	c.harness.seen.add(what)
	if what == refusedOpen && s.messages == 0 && time.Since(s.opened) > openWithin+observeInterval {
		return errors.New("W1: refused too late")
	}
	return nil
}
