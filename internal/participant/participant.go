// Package participant contains the domain types: the participants of a telephone
// conference, lists of them, filters, and writes.
package participant

import (
	"time"

	"github.com/audian/participant-gateway/internal/redact"
)

// Participant is one person in a conference, as last reported by the upstream.
type Participant struct {
	ID           string
	ConferenceID string
	PhoneNumber  string
	Name         string
	Role         Role
	Status       Status
	Muted        bool
	// Duration is whole seconds connected. It ticks, so it never counts as a change (W9).
	Duration int32
	// JoinedAt is zero until connected; CreatedAt is zero where unknown.
	JoinedAt  time.Time
	CreatedAt time.Time
}

// Masked returns the participant with a masked phone number, also where the name repeats it
// (A13).
func (p Participant) Masked() Participant {
	p.Name = redact.MaskNumberIn(p.Name, p.PhoneNumber)
	p.PhoneNumber = redact.MaskDigits(p.PhoneNumber)
	return p
}

// Status is the state of a participant's call. Values other than the constants pass
// through unchanged; empty means that the upstream gave none.
type Status string

// The statuses that the upstream documents.
const (
	StatusPending      Status = "pending"
	StatusDialing      Status = "dialing"
	StatusConnected    Status = "connected"
	StatusHeld         Status = "held"
	StatusDisconnected Status = "disconnected"
	StatusRejected     Status = "rejected"
)

// Active reports whether the participant is in the conference now.
func (s Status) Active() bool { return s == StatusConnected || s == StatusHeld }

// InFlight reports whether the call is still being set up.
func (s Status) InFlight() bool { return s == StatusPending || s == StatusDialing }

// Ended reports whether the call has ended. The upstream may still list it.
func (s Status) Ended() bool { return s == StatusDisconnected || s == StatusRejected }

// Role is what a participant may do. Values other than the constants pass through
// unchanged; empty means that the upstream gave none.
type Role string

// The roles that the upstream documents.
const (
	RolePresenter Role = "presenter"
	RoleListener  Role = "listener"
	RoleOperator  Role = "operator"
)

// Fields is a set of a participant's fields, without the two ids.
type Fields uint16

// The fields of a participant that an item can contain and that can change.
const (
	FieldPhoneNumber Fields = 1 << iota
	FieldName
	FieldRole
	FieldStatus
	FieldMuted
	FieldDuration
	FieldJoinedAt
	FieldCreatedAt

	AllFields Fields = 1<<iota - 1
)

// Has reports whether the set contains all of want.
func (f Fields) Has(want Fields) bool { return f&want == want }

// Item is one participant in one upstream body. Fields are the fields that the body
// contained; the others are unknown, not empty. A contained JoinedAt may be zero (the
// upstream's null).
type Item struct {
	Participant

	Fields Fields
}

// ApplyTo returns known with the fields that the item contains. The others keep their
// values (W8).
func (i Item) ApplyTo(known Participant) Participant {
	after := known
	after.ID, after.ConferenceID = i.ID, i.ConferenceID
	if i.Fields.Has(FieldPhoneNumber) {
		after.PhoneNumber = i.PhoneNumber
	}
	if i.Fields.Has(FieldName) {
		after.Name = i.Name
	}
	if i.Fields.Has(FieldRole) {
		after.Role = i.Role
	}
	if i.Fields.Has(FieldStatus) {
		after.Status = i.Status
	}
	if i.Fields.Has(FieldMuted) {
		after.Muted = i.Muted
	}
	if i.Fields.Has(FieldDuration) {
		after.Duration = i.Duration
	}
	if i.Fields.Has(FieldJoinedAt) {
		after.JoinedAt = i.JoinedAt
	}
	if i.Fields.Has(FieldCreatedAt) {
		after.CreatedAt = i.CreatedAt
	}
	return after
}

// Add is a request to dial somebody into a conference.
type Add struct {
	PhoneNumber string
	Name        string
	// Role is empty where the upstream decides.
	Role          Role
	Muted         bool
	SendPINViaSMS bool
}

// Key names one conference under one upstream credential. All state is kept by key, so
// that nothing crosses from one credential to another.
type Key struct {
	Credential Fingerprint
	Conference string
}

// Fingerprint identifies an upstream credential without containing it: a keyed hash,
// valid in this process only.
type Fingerprint [16]byte

// WriteKind is the kind of a write: add or remove.
type WriteKind uint8

// The kinds of write.
const (
	WriteAdd WriteKind = iota + 1
	WriteRemove
)

// Write is an add or a remove through this gateway that the upstream answered
// with success. In a remove's Item only the id is set.
type Write struct {
	Kind WriteKind
	Item Item
}
