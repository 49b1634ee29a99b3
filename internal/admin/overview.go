package admin

import (
	"cmp"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// Overview is what one process serves at one moment.
type Overview struct {
	Time time.Time `json:"time"`
	// Replica identifies this process among its replicas; empty if it shares nothing.
	Replica string `json:"replica,omitzero"`
	// ConferenceCount and StreamCount count also those that are left off.
	ConferenceCount int          `json:"conference_count"`
	Conferences     []Conference `json:"conferences"`
	StreamCount     int          `json:"stream_count"`
	Streams         []Stream     `json:"streams"`
}

// Conference is the feed of one conference.
type Conference struct {
	ID string `json:"conference_id"`
	// Account distinguishes feeds of one conference under different credentials.
	Account      string `json:"account"`
	Participants int    `json:"participants"`
	Active       int    `json:"active"`

	// Subscribers is 0 while the feed lingers.
	Subscribers int      `json:"subscribers"`
	Filters     []Filter `json:"filters"`
	// SingleFilters is the number of filters on one participant, which Filters lacks.
	SingleFilters int `json:"single_participant_filters"`

	LastList     List    `json:"last_list"`
	PollInterval Seconds `json:"poll_interval_seconds"`
	// Age is that of the last complete list; unset if there was none.
	Age         *Seconds        `json:"age_seconds,omitzero"`
	Stale       bool            `json:"stale"`
	StaleReason apierror.Reason `json:"stale_reason,omitzero"`

	// PolledHere reports that this process polls. PolledBy is the replica that does, where it is known.
	PolledHere bool   `json:"polled_here"`
	PolledBy   string `json:"polled_by,omitzero"`

	Log Log `json:"log"`
	// Bytes is the approximate memory of the roster, the log, and the messages made of it.
	Bytes int `json:"bytes"`
}

// List is the last attempt to read a list that has ended.
type List struct {
	// Began is unset if there was none.
	Began time.Time `json:"began,omitzero"`
	// Took is unset if it is not known.
	Took Seconds `json:"took_seconds,omitzero"`
	// Result is ok, or why there is no complete list; empty if there was no attempt.
	Result string `json:"result,omitzero"`
}

// Log is the history for clients that resume.
type Log struct {
	Position uint64 `json:"position"`
	Entries  int    `json:"entries"`
	Changes  int    `json:"changes"`
}

// Filter is a filter in use.
type Filter struct {
	Statuses    []participant.Status `json:"statuses,omitempty"`
	Roles       []participant.Role   `json:"roles,omitempty"`
	IDs         []string             `json:"participant_ids,omitempty"`
	MaskNumbers bool                 `json:"masked_numbers"`
	Subscribers int                  `json:"subscribers,omitzero"`
}

// NewFilter returns a filter without its subscribers.
func NewFilter(f participant.Filter) Filter {
	return Filter{Statuses: f.Statuses, Roles: f.Roles, IDs: f.IDs, MaskNumbers: f.MaskNumbers}
}

// Stream is an open watch stream.
type Stream struct {
	ID        string               `json:"id"`
	Caller    string               `json:"caller"`
	Transport requestctx.Transport `json:"transport"`
	Address   string               `json:"address"`
	RequestID string               `json:"request_id"`
	OpenedAt  time.Time            `json:"opened_at"`
	Age       Seconds              `json:"age_seconds"`
	Watches   []Watch              `json:"watches"`
}

// Watch is one conference of a stream.
type Watch struct {
	Conference string `json:"conference_id"`
	Filter     Filter `json:"filter"`
	// Position is unset before the first snapshot or replay.
	Position *uint64 `json:"position,omitzero"`
	// Behind is how many batches of changes the client has not got yet.
	Behind uint64 `json:"behind"`
}

// Seconds is a duration in seconds, to the millisecond.
type Seconds float64

// NewSeconds converts a duration.
func NewSeconds(d time.Duration) Seconds { return Seconds(d.Round(time.Millisecond).Seconds()) }

// maxRows bounds the conferences, and the watches of the streams, of one answer.
const maxRows = 1000

// limit sorts the overview and leaves off what exceeds maxRows: conferences by id, and streams that
// lag the most first.
func (o *Overview) limit() {
	slices.SortFunc(o.Conferences, func(a, b Conference) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Account, b.Account))
	})
	o.ConferenceCount, o.StreamCount = len(o.Conferences), len(o.Streams)
	o.Conferences = o.Conferences[:min(len(o.Conferences), maxRows)]
	slices.SortStableFunc(o.Streams, func(a, b Stream) int { return cmp.Compare(b.behind(), a.behind()) })
	rows := 0
	for i := range o.Streams {
		if rows += max(len(o.Streams[i].Watches), 1); rows > maxRows {
			o.Streams = o.Streams[:i]
			return
		}
	}
}

func (s *Stream) behind() (most uint64) {
	for _, watch := range s.Watches {
		most = max(most, watch.Behind)
	}
	return most
}
