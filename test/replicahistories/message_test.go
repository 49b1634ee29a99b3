package replicahistories_test

import (
	"errors"
	"fmt"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// receive applies one message, strictly. world.mu is held.
func (s *stream) receive(m *v2.WatchParticipantsResponse) error {
	c := s.client
	s.messages++
	s.last = time.Now()
	if m.GetCheckpoint() != nil && !s.hasState && m.GetCheckpoint().Total == nil {
		return s.beforeState(m)
	}
	at, err := watchmodel.PositionOf(m.GetResumeToken())
	if err != nil {
		return err
	}
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		err = s.snapshot(event.Snapshot, at)
	case *v2.WatchParticipantsResponse_Changes:
		err = s.changes(event.Changes, at)
	case *v2.WatchParticipantsResponse_Checkpoint:
		err = s.checkpoint(event.Checkpoint, at)
	default:
		err = errors.New("an event that the history does not make")
	}
	s.hasState = true
	c.token, c.at, c.tokenVersion, c.tokenReplica = m.GetResumeToken(), at, s.replica.version, s.replica
	return errors.Join(err, c.compare(m, at))
}

// beforeState checks a STALE checkpoint before the stream's first snapshot or resume (W1, R8).
func (s *stream) beforeState(m *v2.WatchParticipantsResponse) error {
	s.world().seen.add(openedStale)
	s.stale, s.reason = true, m.GetCheckpoint().GetStaleReason()
	if m.GetResumeToken() != s.initialToken || m.GetCheckpoint().GetFreshness() != v2.Freshness_FRESHNESS_STALE {
		return errors.New("W1: before the first state, only a STALE checkpoint with the initial token is allowed")
	}
	return nil
}

func (s *stream) world() *world { return s.client.world }

// snapshot checks that a snapshot was needed (W4, R2, R8).
func (s *stream) snapshot(snapshot *v2.ParticipantSnapshot, at feed.Position) error {
	c := s.client
	reason := snapshot.GetReason()
	initial := s.initialToken == "" && !s.hasState
	s.world().seen.add(reason.String())
	defer c.held.Replace(snapshot)
	switch {
	case initial != (reason == v2.SnapshotReason_SNAPSHOT_REASON_INITIAL):
		return errors.New("W4: wrong reason for a snapshot")
	case initial:
		return nil
	case reason != v2.SnapshotReason_SNAPSHOT_REASON_RESUME_EXPIRED:
		return errors.New("W4: the log has everything since the client's position")
	case at.Epoch == c.at.Epoch:
		return fmt.Errorf("R2: the token of %s was judged as expired in its own log: %s, then %s", c.tokenReplica.name, describe(c.at), describe(at))
	case c.tokenVersion != s.replica.version:
		s.world().seen.add(versionChanged)
		return nil
	default:
		s.world().seen.add(epochChanged)
		return s.world().laterEpoch(c.at.Epoch, at.Epoch)
	}
}

// follows fails unless a message continues the client's log (W3).
func (s *stream) follows(at feed.Position, least uint64) error {
	c := s.client
	if at.Epoch != c.at.Epoch || at.Seq < least {
		return fmt.Errorf("W3: %s after %s", describe(at), describe(c.at))
	}
	if s.hasState || s.resumed {
		return nil
	}
	s.resumed = true
	switch {
	case s.initialToken == "":
		return errors.New("W1: no snapshot at the beginning")
	case c.tokenReplica != s.replica:
		s.world().seen.add(resumedElsewhere)
	default:
		s.world().seen.add(resumedHere)
	}
	return nil
}

func (s *stream) changes(changes *v2.ParticipantChanges, at feed.Position) error {
	err := s.follows(at, s.client.at.Seq+1)
	if len(changes.GetChanges()) == 0 {
		return errors.New("no changes")
	}
	if err == nil && !s.hasState && s.client.tokenReplica != s.replica {
		s.world().seen.add(replayedElsewhere)
	}
	for _, change := range changes.GetChanges() {
		if err := s.client.held.Apply(change); err != nil {
			return fmt.Errorf("change of %s: %w", change.GetParticipant().GetId(), err)
		}
	}
	return err
}

func (s *stream) checkpoint(checkpoint *v2.Checkpoint, at feed.Position) error {
	err := s.follows(at, s.client.at.Seq)
	stale := checkpoint.GetFreshness() == v2.Freshness_FRESHNESS_STALE
	if stale != s.stale {
		s.world().seen.add(map[bool]string{true: turnedStale, false: turnedFresh}[stale])
	}
	s.stale, s.reason = stale, checkpoint.GetStaleReason()
	if int(checkpoint.GetParticipantCount()) != len(s.client.held) {
		return fmt.Errorf("participant_count, but the client has %d", len(s.client.held))
	}
	return err
}

// compare compares the client's roster and the totals with the shared roster of the position (W2).
func (c *client) compare(m *v2.WatchParticipantsResponse, at feed.Position) error {
	people, known := c.world.ledger.Roster(at)
	if !known {
		return errors.New("a position that no log has")
	}
	if err := c.held.Equals(people, c.filter); err != nil {
		return fmt.Errorf("W2: %w", err)
	}
	if m.GetChanges() != nil {
		return nil
	}
	total, active := m.GetSnapshot().GetTotal()+m.GetCheckpoint().GetTotal(), m.GetSnapshot().GetActive()+m.GetCheckpoint().GetActive()
	if int(total) != len(people) || int(active) != activeOf(people) {
		return fmt.Errorf("total and active are %d and %d in the roster", len(people), activeOf(people))
	}
	return nil
}

func activeOf(people []participant.Participant) (active int) {
	for _, p := range people {
		if p.Status.Active() {
			active++
		}
	}
	return active
}

func describe(p feed.Position) string {
	if p == (feed.Position{}) {
		return "nothing"
	}
	return fmt.Sprintf("%x-%d", p.Epoch[:3], p.Seq)
}

// summary is a message in one line.
func summary(m *v2.WatchParticipantsResponse) string {
	at, _ := watchmodel.PositionOf(m.GetResumeToken())
	switch {
	case m.GetSnapshot() != nil:
		return fmt.Sprintf("snapshot %s of %d at %s", m.GetSnapshot().GetReason(), len(m.GetSnapshot().GetParticipants()), describe(at))
	case m.GetCheckpoint() != nil:
		return fmt.Sprintf("%s %s at %s", m.GetCheckpoint().GetFreshness(), m.GetCheckpoint().GetStaleReason(), describe(at))
	}
	text := "changes"
	for _, c := range m.GetChanges().GetChanges() {
		text += fmt.Sprintf(" %s %s %s>%s,", c.GetKind(), c.GetParticipant().GetId(), c.GetPreviousStatus(), c.GetParticipant().GetStatus())
	}
	return text + " at " + describe(at)
}
