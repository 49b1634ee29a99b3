package roster

import (
	"slices"
	"strings"

	"github.com/audian/participant-gateway/internal/participant"
)

// People are the participants present at one moment, sorted by id. They never change. Those of all
// moments share the memory of a participant who has not changed but for the duration. The zero
// People is nobody.
type People struct {
	// shared have durations of another moment.
	shared    []*participant.Participant
	durations []int32
}

// Len returns their number.
func (p People) Len() int { return len(p.shared) }

// At returns the participant at an index.
func (p People) At(i int) participant.Participant {
	person := *p.shared[i]
	person.Duration = p.durations[i]
	return person
}

// Find returns the participant with an id.
func (p People) Find(id string) (participant.Participant, bool) {
	i, found := slices.BinarySearchFunc(p.shared, id, func(other *participant.Participant, id string) int {
		return strings.Compare(other.ID, id)
	})
	if !found {
		return participant.Participant{}, false
	}
	return p.At(i), true
}

// Copy returns a copy of them all.
func (p People) Copy() []participant.Participant {
	copied := make([]participant.Participant, p.Len())
	for i := range copied {
		copied[i] = p.At(i)
	}
	return copied
}
