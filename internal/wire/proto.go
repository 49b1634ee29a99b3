// Package wire is the domain as bytes and back: the proto, the one JSON, the words
// of both, and errors as every door tells them.
//
// A watch.Message is encoded once in each form, however many subscribers take it.
// The JSON is the upstream's own shape and not proto3 JSON: snake_case, enum values
// as the upstream's lower-case words, every documented field present.
package wire

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// Participant is one participant as the proto tells it.
func Participant(p participant.Participant) *v2.Participant {
	role, status := speakRole(p.Role), speakStatus(p.Status)
	return &v2.Participant{
		Id:           valid(p.ID),
		ConferenceId: valid(p.ConferenceID),
		PhoneNumber:  valid(p.PhoneNumber),
		Name:         valid(p.Name),
		Role:         role.value,
		Status:       status.value,
		Muted:        p.Muted,
		Duration:     p.Duration,
		JoinedAt:     timestamp(p.JoinedAt),
		CreatedAt:    timestamp(p.CreatedAt),
		RawStatus:    status.rawField(),
		RawRole:      role.rawField(),
	}
}

// Participants are participants as the proto tells them, in the order given.
func Participants(people []participant.Participant) []*v2.Participant {
	told := make([]*v2.Participant, len(people))
	for i, p := range people {
		told[i] = Participant(p)
	}
	return told
}

// response is a message as the proto tells it.
func response(m *watch.Message) *v2.WatchParticipantsResponse {
	told := &v2.WatchParticipantsResponse{ResumeToken: valid(m.Token)}
	switch {
	case m.Snapshot != nil:
		told.Event = &v2.WatchParticipantsResponse_Snapshot{Snapshot: snapshot(m.Snapshot)}
	case m.Changes != nil:
		told.Event = &v2.WatchParticipantsResponse_Changes{Changes: changes(m.Changes)}
	case m.Checkpoint != nil:
		told.Event = &v2.WatchParticipantsResponse_Checkpoint{Checkpoint: checkpoint(m.Checkpoint)}
	case m.End != nil:
		told.Event = &v2.WatchParticipantsResponse_End{
			End: &v2.WatchEnd{Reason: v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE},
		}
	}
	return told
}

func snapshot(s *watch.Snapshot) *v2.ParticipantSnapshot {
	return &v2.ParticipantSnapshot{
		Participants: Participants(s.Participants),
		Total:        new(int32(s.Total)),
		Active:       new(int32(s.Active)),
		Reason:       snapshotReasons[s.Reason],
		ObservedTime: timestamp(s.ObservedAt),
	}
}

func changes(c *watch.Changes) *v2.ParticipantChanges {
	told := make([]*v2.ParticipantChange, len(c.Changes))
	for i := range c.Changes {
		told[i] = change(&c.Changes[i])
	}
	return &v2.ParticipantChanges{
		Changes:   told,
		NotBefore: timestamp(c.NotBefore),
		NotAfter:  timestamp(c.NotAfter),
	}
}

func change(c *watch.Change) *v2.ParticipantChange {
	told := &v2.ParticipantChange{
		Kind:        changeKinds[c.Kind],
		Participant: Participant(c.Participant),
		Source:      v2.ChangeSource_CHANGE_SOURCE_POLL,
	}
	if c.ByWrite {
		told.Source = v2.ChangeSource_CHANGE_SOURCE_GATEWAY_WRITE
	}
	if c.Before == nil {
		return told
	}
	before := speakStatus(c.Before.Status)
	told.PreviousStatus, told.PreviousRawStatus = &before.value, before.rawField()
	if c.Kind != watch.Removed {
		told.ChangedFields = changedFields(*c.Before, c.Participant)
	}
	return told
}

func checkpoint(c *watch.Checkpoint) *v2.Checkpoint {
	told := &v2.Checkpoint{
		Freshness:       v2.Freshness_FRESHNESS_FRESH,
		LastSuccessTime: timestamp(c.LastSuccess),
		PollInterval:    durationpb.New(c.PollInterval),
	}
	if c.Stale {
		told.Freshness, told.StaleReason = v2.Freshness_FRESHNESS_STALE, valid(string(c.StaleReason))
	}
	if c.Counts != nil {
		told.Total, told.Active = new(int32(c.Counts.Total)), new(int32(c.Counts.Active))
		told.ParticipantCount = new(int32(c.Counts.Visible))
	}
	return told
}

var snapshotReasons = map[watch.SnapshotReason]v2.SnapshotReason{
	watch.Initial:       v2.SnapshotReason_SNAPSHOT_REASON_INITIAL,
	watch.ResumeExpired: v2.SnapshotReason_SNAPSHOT_REASON_RESUME_EXPIRED,
	watch.FilterChanged: v2.SnapshotReason_SNAPSHOT_REASON_FILTER_CHANGED,
	watch.Lagged:        v2.SnapshotReason_SNAPSHOT_REASON_LAGGED,
}

var changeKinds = map[watch.ChangeKind]v2.ChangeKind{
	watch.Added:      v2.ChangeKind_CHANGE_KIND_ADDED,
	watch.Updated:    v2.ChangeKind_CHANGE_KIND_UPDATED,
	watch.Removed:    v2.ChangeKind_CHANGE_KIND_REMOVED,
	watch.LeftFilter: v2.ChangeKind_CHANGE_KIND_LEFT_FILTER,
}

// timestamp leaves unset what is unknown, and what the proto cannot hold: a year
// beyond 9999 would make every client's decoder fail.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	if told := timestamppb.New(t); told.IsValid() {
		return told
	}
	return nil
}

// valid keeps what is no UTF-8 out of the proto, whose encoder would refuse the
// whole message for it.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
