// Package participant is the domain: the people of a telephone conference, what
// a list of them is, and the words that every other package uses for them.
package participant

import "time"

// Participant is one person in a conference, as the upstream last told.
type Participant struct {
	ID           string
	ConferenceID string
	PhoneNumber  string
	Name         string
	Role         Role
	Status       Status
	Muted        bool
	// Duration is whole seconds connected. It ticks, so it is no change (W9).
	Duration int32
	// JoinedAt is zero until connected; CreatedAt is zero where unknown.
	JoinedAt  time.Time
	CreatedAt time.Time
}

// Status is the upstream's word for where a call stands. Words that are not among
// the constants pass through as they came; empty means that none was told.
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

// Active says whether the participant is in the conference now.
func (s Status) Active() bool { return s == StatusConnected || s == StatusHeld }

// InFlight says whether the call is still being set up.
func (s Status) InFlight() bool { return s == StatusPending || s == StatusDialing }

// Over says whether the call has ended, though the upstream may go on listing it.
func (s Status) Over() bool { return s == StatusDisconnected || s == StatusRejected }

// Role is the upstream's word for what a participant may do. Words that are not
// among the constants pass through as they came; empty means that none was told.
type Role string

// The roles that the upstream documents.
const (
	RolePresenter Role = "presenter"
	RoleListener  Role = "listener"
	RoleOperator  Role = "operator"
)

// Fields is a set of a participant's fields, the two ids left out.
type Fields uint16

// The fields of a participant that can be told or change.
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

// Has says whether all of want are in the set.
func (f Fields) Has(want Fields) bool { return f&want == want }

// Item is one participant as one upstream body told it. A field that is not in
// Told was missing from the body and says nothing; JoinedAt may be told as zero
// (the upstream's null).
type Item struct {
	Participant

	Told Fields
}

// Over returns known as it stands after this item: what the item tells replaces,
// what it does not tell stays (W8).
func (i Item) Over(known Participant) Participant {
	after := known
	after.ID, after.ConferenceID = i.ID, i.ConferenceID
	if i.Told.Has(FieldPhoneNumber) {
		after.PhoneNumber = i.PhoneNumber
	}
	if i.Told.Has(FieldName) {
		after.Name = i.Name
	}
	if i.Told.Has(FieldRole) {
		after.Role = i.Role
	}
	if i.Told.Has(FieldStatus) {
		after.Status = i.Status
	}
	if i.Told.Has(FieldMuted) {
		after.Muted = i.Muted
	}
	if i.Told.Has(FieldDuration) {
		after.Duration = i.Duration
	}
	if i.Told.Has(FieldJoinedAt) {
		after.JoinedAt = i.JoinedAt
	}
	if i.Told.Has(FieldCreatedAt) {
		after.CreatedAt = i.CreatedAt
	}
	return after
}

// Add is what a caller asks to have dialled.
type Add struct {
	PhoneNumber string
	Name        string
	// Role is empty where the upstream is to decide.
	Role          Role
	Muted         bool
	SendPINViaSMS bool
}

// Key names one conference under one upstream credential. Feeds, outcomes and
// pacing are kept by it, so that nothing crosses from one credential to another.
type Key struct {
	Credential Fingerprint
	Conference string
}

// Fingerprint stands for an upstream credential wherever the credential itself
// must not be: a keyed hash, of use in this process only.
type Fingerprint [16]byte

// WriteKind tells an add from a remove.
type WriteKind uint8

// The kinds of write.
const (
	WriteAdd WriteKind = iota + 1
	WriteRemove
)

// Write is an add or a remove through this gateway that the upstream answered
// with success. Of a remove's Item only the id is set.
type Write struct {
	Kind WriteKind
	Item Item
}
