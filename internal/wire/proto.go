// Package wire encodes the domain for clients: as the proto, as JSON, and as server-sent
// events.
//
// A watch.Message is encoded once in each format for all its subscribers (W14). The JSON
// has the form of the upstream's and is not proto3 JSON: snake_case, enum values by the
// upstream's lower-case names, every documented field present.
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

// Participant returns a participant as the proto message.
func Participant(p participant.Participant) *v2.Participant { return new(participantMessage).set(&p) }

// participantMessage is the memory of a participant's message and its parts.
type participantMessage struct {
	message         v2.Participant
	joined, created timestamppb.Timestamp
}

// set sets the fields of an empty message, and returns it.
func (m *participantMessage) set(p *participant.Participant) *v2.Participant {
	role, status := roleToProto(p.Role), statusToProto(p.Status)
	m.message.Id = valid(p.ID)
	m.message.ConferenceId = valid(p.ConferenceID)
	m.message.PhoneNumber = valid(p.PhoneNumber)
	m.message.Name = valid(p.Name)
	m.message.Role, m.message.RawRole = role.value, role.rawField()
	m.message.Status, m.message.RawStatus = status.value, status.rawField()
	m.message.Muted = p.Muted
	m.message.Duration = p.Duration
	m.message.JoinedAt = setTime(&m.joined, p.JoinedAt)
	m.message.CreatedAt = setTime(&m.created, p.CreatedAt)
	return &m.message
}

// Participants returns n participants as proto messages, which share their memory. at returns each of
// them as the client may see it.
func Participants(n int, at func(i int) participant.Participant) []*v2.Participant {
	memory := make([]participantMessage, n)
	messages := make([]*v2.Participant, n)
	for i := range messages {
		shown := at(i)
		messages[i] = memory[i].set(&shown)
	}
	return messages
}

// mask returns a participant as a client may see it (A13).
type mask func(participant.Participant) participant.Participant

func unmasked(p participant.Participant) participant.Participant { return p }

// response returns a message as the proto message.
func response(m *watch.Message) *v2.WatchParticipantsResponse {
	resp := &v2.WatchParticipantsResponse{ResumeToken: valid(m.Token)}
	show := mask(unmasked)
	if m.MaskNumbers {
		show = participant.Participant.Masked
	}
	switch {
	case m.Snapshot != nil:
		resp.Event = &v2.WatchParticipantsResponse_Snapshot{Snapshot: snapshot(m.Snapshot, show)}
	case m.Changes != nil:
		resp.Event = &v2.WatchParticipantsResponse_Changes{Changes: changes(m.Changes, show)}
	case m.Checkpoint != nil:
		resp.Event = &v2.WatchParticipantsResponse_Checkpoint{Checkpoint: checkpoint(m.Checkpoint)}
	case m.End != nil:
		resp.Event = &v2.WatchParticipantsResponse_End{
			End: &v2.WatchEnd{Reason: v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE},
		}
	}
	return resp
}

func snapshot(s *watch.Snapshot, show mask) *v2.ParticipantSnapshot {
	return &v2.ParticipantSnapshot{
		Participants: Participants(len(s.Participants), func(i int) participant.Participant { return show(s.Participants[i]) }),
		Total:        new(int32(s.Total)),
		Active:       new(int32(s.Active)),
		Reason:       snapshotReasons[s.Reason],
		ObservedTime: timestamp(s.ObservedAt),
	}
}

func changes(c *watch.Changes, show mask) *v2.ParticipantChanges {
	encoded := make([]*v2.ParticipantChange, len(c.Changes))
	for i := range c.Changes {
		encoded[i] = change(&c.Changes[i], show)
	}
	return &v2.ParticipantChanges{
		Changes:   encoded,
		NotBefore: timestamp(c.NotBefore),
		NotAfter:  timestamp(c.NotAfter),
	}
}

// change returns a change as the proto message. The mask does not affect its changed fields: they
// are those that a caller without the mask gets.
func change(c *watch.Change, show mask) *v2.ParticipantChange {
	encoded := &v2.ParticipantChange{
		Kind:        changeKinds[c.Kind],
		Participant: Participant(show(c.Participant)),
		Source:      v2.ChangeSource_CHANGE_SOURCE_POLL,
	}
	if c.ByWrite {
		encoded.Source = v2.ChangeSource_CHANGE_SOURCE_GATEWAY_WRITE
	}
	if c.Before == nil {
		return encoded
	}
	before := statusToProto(c.Before.Status)
	encoded.PreviousStatus, encoded.PreviousRawStatus = &before.value, before.rawField()
	if c.Kind != watch.Removed {
		encoded.ChangedFields = changedFields(*c.Before, c.Participant)
	}
	return encoded
}

func checkpoint(c *watch.Checkpoint) *v2.Checkpoint {
	encoded := &v2.Checkpoint{
		Freshness:       v2.Freshness_FRESHNESS_FRESH,
		LastSuccessTime: timestamp(c.LastSuccess),
		PollInterval:    durationpb.New(c.PollInterval),
	}
	if c.Stale {
		encoded.Freshness, encoded.StaleReason = v2.Freshness_FRESHNESS_STALE, valid(string(c.StaleReason))
	}
	if c.Counts != nil {
		encoded.Total, encoded.Active = new(int32(c.Counts.Total)), new(int32(c.Counts.Active))
		encoded.ParticipantCount = new(int32(c.Counts.Visible))
	}
	return encoded
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

// timestamp returns nil for an unknown time, and for a year beyond 9999, at which every
// client's decoder would fail.
func timestamp(t time.Time) *timestamppb.Timestamp { return setTime(new(timestamppb.Timestamp), t) }

// setTime sets an empty timestamp as timestamp does, and returns it, or nil.
func setTime(stamp *timestamppb.Timestamp, t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	stamp.Seconds, stamp.Nanos = t.Unix(), int32(t.Nanosecond())
	if !stamp.IsValid() {
		return nil
	}
	return stamp
}

// valid replaces invalid UTF-8, for which the proto's encoder would refuse the whole
// message.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
