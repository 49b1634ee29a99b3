package access

import (
	"fmt"
	"slices"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/policy"
)

// Role is the kinds of calls that a caller may make. Each role includes the ones before
// it; the zero Role includes none.
type Role uint8

// The roles.
const (
	NoRole Role = iota
	Viewer      // reads, with masked phone numbers (A13)
	Reader      // reads
	Writer      // adds, removes and controls
)

var roleNames = []string{NoRole: "none", Viewer: "viewer", Reader: "reader", Writer: "writer"}

// String returns the name of the role.
func (r Role) String() string { return roleNames[r] }

// ParseRole returns the role with a name: viewer, reader or writer.
func ParseRole(name string) (role Role, ok bool) {
	role = Role(max(slices.Index(roleNames, name), 0))
	return role, role != NoRole
}

// Rights are the calls that a caller may make, and in which conferences.
type Rights struct {
	Role Role
	// Conferences are the ids of the allowed conferences; nil is all, and empty none.
	Conferences []string
	// Calling limits whom the caller dials, and how often a day (A14).
	Calling policy.Rules
}

// AllRights is the right to make every call in every conference.
func AllRights() Rights { return Rights{Role: Writer} }

// Permission is what a call requires.
type Permission struct {
	Role       Role
	Conference string
	// AnyConference means that the call itself needs no conference: the conferences that it names
	// are authorized one by one (A16).
	AnyConference bool
}

// Authorize returns an error unless the rights include the permission.
func (r Rights) Authorize(permission Permission) error {
	if r.Role < permission.Role {
		return &apierror.Error{
			Reason:  apierror.RoleNotGranted,
			Message: fmt.Sprintf("this call needs the role %s, which the caller was not granted", permission.Role),
		}
	}
	if r.Conferences != nil && !permission.AnyConference && !slices.Contains(r.Conferences, permission.Conference) {
		return &apierror.Error{
			Reason:  apierror.ConferenceNotGranted,
			Message: "the caller was not granted this conference",
		}
	}
	return nil
}
