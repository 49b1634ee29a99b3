package access

import (
	"fmt"
	"slices"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Role is what kinds of calls a caller may make. Each includes those before it; the
// zero Role may make none.
type Role uint8

// The roles.
const (
	Nobody Role = iota
	Reader      // lists and watches
	Writer      // adds and removes
)

var roleWords = []string{Nobody: "nobody", Reader: "reader", Writer: "writer"}

// String is the role's word.
func (r Role) String() string { return roleWords[r] }

// RoleOf is the role that a word names: reader or writer.
func RoleOf(word string) (role Role, known bool) {
	role = Role(max(slices.Index(roleWords, word), 0))
	return role, role != Nobody
}

// Rights are what a caller may do, and where.
type Rights struct {
	Role Role
	// Conferences are those that the caller may use; nil is all, and empty none.
	Conferences []string
}

// Everything is the right to make any call in any conference.
func Everything() Rights { return Rights{Role: Writer} }

// Need is what a call takes.
type Need struct {
	Role       Role
	Conference string
}

// Allow tells why a need is beyond the rights, nil where it is not.
func (r Rights) Allow(need Need) error {
	if r.Role < need.Role {
		return &apierror.Error{
			Reason:  apierror.RoleNotGranted,
			Message: fmt.Sprintf("this call needs the role %s, which the caller was not granted", need.Role),
		}
	}
	if r.Conferences != nil && !slices.Contains(r.Conferences, need.Conference) {
		return &apierror.Error{
			Reason:  apierror.ConferenceNotGranted,
			Message: "the caller was not granted this conference",
		}
	}
	return nil
}
